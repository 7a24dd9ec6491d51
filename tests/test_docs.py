"""What docs/ shows is what there is; the manifests are well-formed, and name a cluster."""

import json
import re
import runpy
import shlex
import subprocess
from pathlib import Path

import pytest

from deep_mnist import cnn, softmax
from deep_mnist.cli import flags
from deep_mnist.distributed import cluster_spec, parameter_server, timeouts
from deep_mnist.distributed.local_task import GRACE

DOCS = Path(__file__).parents[1] / "docs"
KUBERNETES = DOCS / "kubernetes"
CONFIGS = {"softmax": softmax.Config, "cnn": cnn.Config}


def documents(name):
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with deep_mnist[test]")
    return list(yaml.safe_load_all((KUBERNETES / name).read_text("utf-8")))


def parses(command):
    program, arguments = re.search(r"deep_mnist\.(\w+)(.*)", command).groups()
    return flags.parse(program, CONFIGS[program], "", shlex.split(arguments), distributed=True)


def test_every_command_shown_parses():
    commands = re.findall(r"^\s*(python -m .*)", (DOCS / "distributed.md").read_text(), re.M)
    commands = [command for command in commands if "pytest" not in command]
    assert len(commands) == 5
    options = [parses(command)[0] for command in commands]
    tasks = [cluster_spec.from_flags(o.cluster, o.task)[1:] for o in options if o.cluster]
    assert tasks == [("ps", 0), ("worker", 0), ("worker", 1)]


def test_the_tf_config_shown_is_one():
    (shown,) = re.findall(r"export TF_CONFIG='(.*)'", (DOCS / "distributed.md").read_text())
    assert cluster_spec.from_tf_config(shown)[1:] == ("worker", 1)


def test_links_lead_somewhere():
    for page in DOCS.glob("*.md"):
        for link in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text("utf-8")):
            assert (DOCS / link).exists(), link


def test_the_forecast_shown_is_the_models():
    model = runpy.run_path(str(DOCS.parent / "benchmarks" / "scaling.py"))
    assert model["table"]() in (DOCS / "scaling.md").read_text("utf-8")


def test_what_a_cluster_costs_is_shown_as_measured():
    made = runpy.run_path(str(DOCS.parent / "benchmarks" / "table.py"))
    assert made["clusters"]() in (DOCS / "distributed.md").read_text("utf-8")


def test_the_faults_shown_are_those_of_the_campaigns():
    made = runpy.run_path(str(DOCS.parent / "benchmarks" / "table.py"))
    page = (DOCS / "reliability.md").read_text("utf-8")
    assert made["stops"]() in page
    assert sum(made["read"]("faults")["runs_as_uninterrupted"].values()) == 100
    assert made["damage"]() in page
    assert all(line.endswith("| 0 |") for line in made["damage"]().splitlines()[2:])


def test_the_image_is_built_of_what_the_wheel_is():
    copied = re.findall(r"^COPY (.+) /src\S*$", (KUBERNETES / "Dockerfile").read_text(), re.M)
    names = {name for line in copied for name in line.split()}
    assert names == {"setup.py", "pyproject.toml", "README.md", "LICENSE", "deep_mnist", "saved"}


def test_the_kubeflow_job_is_a_cluster_of_pods_that_are_fenced():
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
        parses(" ".join(container["args"]))
        hosts = [f"deep-mnist-{kind.lower()}-{i}.default.svc:2222" for i in range(spec["replicas"])]
        cluster[kind.lower()] = hosts
    for job_name, hosts in cluster.items():
        for index in range(len(hosts)):
            task = {"type": job_name, "index": index}
            cluster_spec.from_tf_config(json.dumps({"cluster": cluster, "task": task}))


def test_a_pod_has_longer_to_end_than_its_program_takes():
    (job,) = documents("tfjob.yaml")
    replicas = [spec["template"]["spec"] for spec in job["spec"]["tfReplicaSpecs"].values()]
    plain = [d["spec"]["template"]["spec"] for d in documents("plain.yaml") if d["kind"] == "Job"]
    seconds = {pod["terminationGracePeriodSeconds"] for pod in [*replicas, *plain]}
    assert seconds == {75}
    # A step, and two saves with a look at the weights each.
    assert 75 > GRACE > parameter_server.STOPPING > 5 * timeouts.GRACE


def test_the_plain_jobs_are_a_cluster_of_pods_that_are_fenced():
    service, settings, *jobs = documents("plain.yaml")
    (policy,) = documents("network-policy.yaml")
    (volume,) = documents("volume.yaml")
    *script, command = settings["data"]["task.sh"].strip().splitlines()
    parses(command)
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
