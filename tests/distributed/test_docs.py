"""Commands and numbers in docs/distributed.md and docs/scaling.md; the Kubernetes manifests."""

import json
import re
import runpy
import shlex
import subprocess
from pathlib import Path

import pytest

from deep_mnist.distributed import cluster_spec, timeouts
from deep_mnist.distributed.__main__ import parse

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
KUBERNETES = DOCS / "kubernetes"


def documents(name):
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with deep_mnist[test]")
    return list(yaml.safe_load_all((KUBERNETES / name).read_text("utf-8")))


def parse_command(command):
    """Return the flags of the cluster in "... deep_mnist.distributed PROGRAM ..."."""
    arguments = re.search(r"deep_mnist\.distributed (.*)", command).group(1)
    return parse(shlex.split(arguments))[1]


def test_every_command_of_the_page_is_valid():
    commands = re.findall(
        r"^\s*(python -m deep_mnist.*)", (DOCS / "distributed.md").read_text(), re.M
    )
    assert len(commands) == 5
    flags = [parse_command(command) for command in commands]
    tasks = [cluster_spec.from_flags(f.cluster, f.task)[1:] for f in flags if f.cluster]
    assert tasks == [("ps", 0), ("worker", 0), ("worker", 1)]


def test_the_tf_config_of_the_page_is_valid():
    (shown,) = re.findall(r"export TF_CONFIG='(.*)'", (DOCS / "distributed.md").read_text())
    assert cluster_spec.from_tf_config(shown)[1:] == ("worker", 1)


def test_the_predictions_of_the_page_are_those_of_the_model():
    model = runpy.run_path(str(ROOT / "benchmarks" / "scaling.py"))
    assert model["table"]() in (DOCS / "scaling.md").read_text("utf-8")


def test_the_measurements_of_the_page_are_those_of_the_benchmark():
    tables = runpy.run_path(str(ROOT / "benchmarks" / "readme_tables.py"))
    assert tables["clusters"]() in (DOCS / "distributed.md").read_text("utf-8")


def test_the_image_has_the_files_of_the_wheel():
    copied = re.findall(r"^COPY (.+) /src\S*$", (KUBERNETES / "Dockerfile").read_text(), re.M)
    names = {name for line in copied for name in line.split()}
    assert names == {"setup.py", "pyproject.toml", "README.md", "LICENSE", "deep_mnist", "saved"}


@pytest.mark.parametrize("version", ["1.29", "1.37"])
def test_the_manifests_are_valid_for_kubernetes(version):
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    kinds = []
    for name in ("plain.yaml", "volume.yaml", "network-policy.yaml"):
        for document in documents(name):
            assert kubernetes_validate.validate(document, version, strict=True) == version
            kinds.append(document["kind"])
    assert kinds == [
        "Service", "ConfigMap", "Job", "Job", "PersistentVolumeClaim", "NetworkPolicy"
    ]  # fmt: skip
    # TFJob is Kubeflow's; its pods are Kubernetes'.
    (job,) = documents("tfjob.yaml")
    for replica in job["spec"]["tfReplicaSpecs"].values():
        pod = {
            "apiVersion": "v1",
            "kind": "PodTemplate",
            "metadata": {"name": "pod"},
            "template": replica["template"],
        }
        assert kubernetes_validate.validate(pod, version, strict=True) == version


def test_the_kubeflow_job_is_a_cluster_behind_the_network_policy():
    (job,) = documents("tfjob.yaml")
    (policy,) = documents("network-policy.yaml")
    assert (job["apiVersion"], job["kind"]) == ("kubeflow.org/v1", "TFJob")
    replicas = job["spec"]["tfReplicaSpecs"]
    cluster = {}
    for kind, spec in replicas.items():
        labels = spec["template"]["metadata"]["labels"]
        assert labels == policy["spec"]["podSelector"]["matchLabels"]
        (container,) = spec["template"]["spec"]["containers"]
        assert container["name"] == "tensorflow"
        assert container["ports"] == [{"name": "tfjob-port", "containerPort": 2222}]
        parse_command(" ".join(container["args"]))
        hosts = [f"deep-mnist-{kind.lower()}-{i}.default.svc:2222" for i in range(spec["replicas"])]
        cluster[kind.lower()] = hosts
    for job_name, hosts in cluster.items():
        for index in range(len(hosts)):
            task = {"type": job_name, "index": index}
            cluster_spec.from_tf_config(json.dumps({"cluster": cluster, "task": task}))


def test_a_pod_has_more_time_to_end_than_its_task_needs():
    (job,) = documents("tfjob.yaml")
    replicas = [spec["template"]["spec"] for spec in job["spec"]["tfReplicaSpecs"].values()]
    plain = [d["spec"]["template"]["spec"] for d in documents("plain.yaml") if d["kind"] == "Job"]
    seconds = {pod["terminationGracePeriodSeconds"] for pod in [*replicas, *plain]}
    assert seconds == {75}
    # The current step, and two attempts to check the weights and save them.
    assert 75 > timeouts.PROCESS_SHUTDOWN > timeouts.SERVER_SHUTDOWN > 5 * timeouts.CALL_SHUTDOWN


def test_the_plain_jobs_are_a_cluster_behind_the_network_policy():
    service, settings, *jobs = documents("plain.yaml")
    (policy,) = documents("network-policy.yaml")
    (volume,) = documents("volume.yaml")
    *script, command = settings["data"]["task.sh"].strip().splitlines()
    parse_command(command)
    shown = "\n".join([*script, 'printf %s "$TF_CONFIG"'])
    tasks = []
    for job in jobs:
        template = job["spec"]["template"]
        assert template["metadata"]["labels"] == policy["spec"]["podSelector"]["matchLabels"]
        assert template["metadata"]["labels"] == service["spec"]["selector"]
        assert template["spec"]["subdomain"] == service["metadata"]["name"]
        claim = template["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"]
        assert claim == volume["metadata"]["name"]
        (container,) = template["spec"]["containers"]
        (role,) = container["env"]
        for index in range(job["spec"]["completions"]):
            environment = {role["name"]: role["value"], "JOB_COMPLETION_INDEX": str(index)}
            tf_config = subprocess.run(
                ["sh", "-c", shown], env=environment, capture_output=True, text=True, check=True
            ).stdout
            hosts, *task = cluster_spec.from_tf_config(tf_config)
            tasks.append(task)
            host = f"{job['metadata']['name']}-{index}.{service['metadata']['name']}:2222"
            assert hosts[role["value"]][index] == host
    assert tasks == [["ps", 0], ["worker", 0], ["worker", 1]]
