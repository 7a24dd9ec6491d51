"""Clusters in network namespaces: `python -m pytest -m network`, as root, many minutes."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("needs Linux", allow_module_level=True)

import namespaces
import network

pytestmark = pytest.mark.network

KUBERNETES = Path(__file__).parents[2] / "docs" / "kubernetes"
REAL_DATA = Path.cwd() / os.environ.get("DEEP_MNIST_DATA_DIR", "MNIST_data")
TIMEOUT = 420  # seconds for what takes 20 on an idle machine
CONNECT = """
import socket, sys, time
start = time.monotonic()
with socket.create_connection((sys.argv[1], 2222)) as connection:
    print(time.monotonic() - start)
    start = time.monotonic()
    connection.sendall(bytes(500_000))
    connection.shutdown(socket.SHUT_WR)
    connection.recv(1)
print(time.monotonic() - start)
"""
TRY_TO_CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], 2222), 5)
except ConnectionRefusedError:
    pass  # by the host
except OSError:
    sys.exit(1)
"""
ACCEPT = """
import socket
with socket.create_server(("", 2222)) as listener:
    print(flush=True)
    connection, _ = listener.accept()
    while connection.recv(65536):
        pass
"""


@pytest.fixture(scope="module", autouse=True)
def _namespaces():
    if not namespaces.is_available():
        pytest.skip("needs root and iproute2")
    namespaces.remove_leftovers()


@pytest.fixture
def source():
    """Flags for MNIST where it is on disk; loading it is faster than drawing synthetic digits."""
    return ["--data-dir", str(REAL_DATA)] if REAL_DATA.is_dir() else ["--dataset", "generated"]


@pytest.mark.parametrize(
    ("link", "connect", "send"),
    [
        (namespaces.Link(delay=0.1), 0.2, 0.2),  # there and back
        (namespaces.Link(rate=4e6), 0.0, 1.0),
    ],
)
def test_a_link_delays_and_limits_what_a_host_sends(link, connect, send):
    with namespaces.Network(["a", "b"], link) as hosts:
        listener = hosts.start("a", [sys.executable, "-c", ACCEPT], stdout=subprocess.PIPE)
        listener.stdout.readline()
        command = [sys.executable, "-c", CONNECT, "a"]
        sender = hosts.start("b", command, stdout=subprocess.PIPE, text=True)
        output, _ = sender.communicate(timeout=TIMEOUT)
        listener.stdout.close()
    seconds = [float(line) for line in output.split()]
    assert seconds[0] >= connect
    assert seconds[1] >= send


def test_a_host_is_disconnected_and_connected_again():
    with namespaces.Network(["a", "b"]) as hosts:
        connect = [sys.executable, "-c", TRY_TO_CONNECT, "a"]  # refused is connected, too
        assert hosts.start("b", connect).wait(TIMEOUT) == 0
        hosts.disconnect("a")
        assert hosts.start("b", connect).wait(TIMEOUT) == 1
        hosts.connect("a")
        assert hosts.start("b", connect).wait(TIMEOUT) == 0


CASES = [(fault, mode) for fault in network.FAULTS for mode in fault.modes]


@pytest.mark.parametrize(
    ("fault", "mode"), CASES, ids=[f"{f.name.replace(' ', '_')}-{mode}" for f, mode in CASES]
)
def test_every_task_completes_the_run_or_ends_with_one_error(fault, mode, source, tmp_path):
    network.run(fault, mode, source, tmp_path)


class Pods:
    """The pods of the Kubernetes jobs as processes, each on a host with the pod's name."""

    def __init__(self, hosts, directory, mnist_dir):
        self._hosts = hosts
        self._directory = directory
        self._processes = {}
        (directory / "runs").mkdir()
        (directory / "runs" / "MNIST_data").symlink_to(mnist_dir)

    def start(self, pod, command, environment):
        """Start what a container runs; the volume is a directory, and the run is short."""
        volume = str(self._directory / "runs")
        short = "--steps 4 --batch-size 10 --save-every 2 --log-every 2"
        command = [word.replace("/runs", volume) for word in command]
        if command[0] == "sh":  # the script, and its last command
            command[-1] += f" {short}"
        else:
            command += short.split()
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        with (self._directory / f"{pod}.txt").open("w") as output:
            self._processes[pod] = self._hosts.start(
                pod,
                command,
                env={**os.environ, "PATH": path, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def outputs(self):
        """Return what each has printed, once all have succeeded."""
        deadline = time.monotonic() + TIMEOUT
        for process in self._processes.values():
            process.wait(max(deadline - time.monotonic(), 0.1))
        outputs = {pod: (self._directory / f"{pod}.txt").read_text() for pod in self._processes}
        codes = {pod: process.returncode for pod, process in self._processes.items()}
        assert set(codes.values()) == {0}, (codes, outputs)
        return outputs


def documents(name):
    yaml = pytest.importorskip("yaml")
    return list(yaml.safe_load_all((KUBERNETES / name).read_text("utf-8")))


def test_the_plain_kubernetes_jobs_train(mnist_dir, tmp_path):
    service, settings, *jobs = documents("plain.yaml")
    script = settings["data"]["task.sh"].strip()
    domain = service["metadata"]["name"]
    pods = {}
    for job in jobs:
        (container,) = job["spec"]["template"]["spec"]["containers"]
        assert container["command"] == ["sh", "/etc/deep-mnist/task.sh"]
        (role,) = container["env"]
        for index in range(job["spec"]["completions"]):
            name = f"{job['metadata']['name']}-{index}.{domain}"
            pods[name] = {role["name"]: role["value"], "JOB_COMPLETION_INDEX": str(index)}
    with namespaces.Network([*pods]) as hosts:
        cluster = Pods(hosts, tmp_path, mnist_dir)
        for pod, environment in pods.items():
            cluster.start(pod, ["sh", "-c", script], environment)
        outputs = cluster.outputs()
    assert re.search(r"^test accuracy 0\.\d+", outputs["deep-mnist-worker-0.deep-mnist"], re.M)
    assert (tmp_path / "runs" / "cnn" / "result.json").exists()


def test_the_kubeflow_job_trains(mnist_dir, tmp_path):
    (job,) = documents("tfjob.yaml")
    name, replicas = job["metadata"]["name"], job["spec"]["tfReplicaSpecs"]
    # As the Training Operator v1 sets it: names of services, jobs in small letters.
    cluster = {
        kind.lower(): [f"{name}-{kind.lower()}-{i}.default.svc:2222" for i in range(s["replicas"])]
        for kind, s in replicas.items()
    }
    pods = [address.partition(":")[0] for addresses in cluster.values() for address in addresses]
    with namespaces.Network(pods) as hosts:
        running = Pods(hosts, tmp_path, mnist_dir)
        for kind, spec in replicas.items():
            (container,) = spec["template"]["spec"]["containers"]
            for index, address in enumerate(cluster[kind.lower()]):
                task = {"type": kind.lower(), "index": index}
                tf_config = {"cluster": cluster, "task": task, "environment": "cloud"}
                running.start(
                    address.partition(":")[0],
                    [sys.executable, "-m", *container["args"]],
                    {"TF_CONFIG": json.dumps(tf_config)},
                )
        outputs = running.outputs()
    assert re.search(r"^test accuracy 0\.\d+", outputs["deep-mnist-chief-0.default.svc"], re.M)
    assert (tmp_path / "runs" / "cnn" / "result.json").exists()
