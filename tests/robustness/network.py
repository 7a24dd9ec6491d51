"""Clusters across network interfaces, with faults: what every task does.

    python tests/robustness/network.py [--fault NAME] [--mode NAME] [--data-dir DIR]

Each task of a cluster that trains softmax regression has a network namespace of its own. Each must
complete the run, or end with one error within the stall timeout and 15 seconds. Every checkpoint
must have the step of its name and finite weights, and be restored in one process. Writes
results/network.json if all combinations ran. Needs root and iproute2.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import namespaces
import numpy as np
import result_file
from namespaces import Link, Network

import deep_mnist
from deep_mnist.lazy_tensorflow import import_quietly, tf

MODES = {
    "asynchronous": ["ps:0", "worker:0", "worker:1"],
    "synchronous": ["ps:0", "worker:0", "worker:1"],
    "all-reduce": ["worker:0", "worker:1"],
}
FLAGS = {"asynchronous": [], "synchronous": ["--sync"], "all-reduce": ["--strategy", "all-reduce"]}
LIMIT = 15  # seconds after the stall timeout in which every task ends when a fault lasts
TIMEOUT = 420  # seconds for a run to begin, or to be completed
INTERRUPTION = 5  # seconds
FOREVER = 1_000_000  # steps


@dataclasses.dataclass(frozen=True)
class Fault:
    """A fault of the network.

    Args:
      name: in the table.
      act: makes the fault, while the cluster trains.
      steps: of the run.
      link: of all hosts.
      modes: in which it is possible.
      completes: modes in which the run must be completed.
      lost: tasks that end with an error, although the others complete the run.
      late_names: whether the names of the hosts cannot be resolved for the first seconds.
      stall_timeout: in seconds.
    """

    name: str
    act: Callable[[Cluster], None]
    steps: int = 1000
    link: Link = dataclasses.field(default_factory=Link)
    modes: tuple[str, ...] = tuple(MODES)
    completes: tuple[str, ...] = tuple(MODES)
    lost: tuple[str, ...] = ()
    late_names: bool = False
    stall_timeout: int = 20


class Cluster:
    """The tasks of a cluster, each on its own host.

    Args:
      network: has a host for each task, "ps-0" for ps:0.
      mode: one of MODES.
      flags: of all tasks.
      directory: for their output and the run.
      names: whether their addresses are names, not numbers.
    """

    def __init__(
        self, network: Network, mode: str, flags: list[str], directory: Path, *, names: bool = False
    ) -> None:
        self.network = network
        self.tasks = MODES[mode]
        self.directory = directory
        self.run = directory / "run"
        self.ended: dict[str, float] = {}  # when each task ended
        self.processes: dict[str, subprocess.Popen[Any]] = {}
        self._outputs: list[IO[str]] = []
        self._cluster: dict[str, list[str]] = {}
        for task in self.tasks:
            address = host(task) if names else network.addresses[host(task)]
            self._cluster.setdefault(task.partition(":")[0], []).append(f"{address}:2222")
        self._flags = [*flags, *FLAGS[mode], "--run-dir", str(self.run)]

    def start(self, task: str, *flags: str) -> None:
        """Start a task, or start it again."""
        job, _, index = task.partition(":")
        config = {"cluster": self._cluster, "task": {"type": job, "index": int(index)}}
        self.ended.pop(task, None)
        with self._path(task).open("a") as output:
            self.processes[task] = self.network.start(
                host(task),
                [sys.executable, "-m", "deep_mnist.distributed", "softmax", *self._flags, *flags],
                env={**os.environ, "TF_CONFIG": json.dumps(config), "DEEP_MNIST_OFFLINE": "1"},
                cwd=self.directory,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def output(self, task: str) -> str:
        """Return what the task has printed."""
        return self._path(task).read_text("utf-8")

    def wait_until_trains(self) -> None:
        """Wait until all workers have joined, and the chief has made some steps since."""
        deadline = time.monotonic() + TIMEOUT
        while not ("joins at step" in self.output("worker:1") and self._reported() > 0):
            self._check(deadline)
        joined = self._reported()
        while self._reported() == joined:
            self._check(deadline)

    def wait_until_listens(self, task: str, times: int) -> None:
        """Wait until the task has started TensorFlow's server that many times, or has ended."""
        deadline = time.monotonic() + TIMEOUT
        while self.output(task).count("listens on port") < times:
            if self.processes[task].poll() is not None:
                return
            assert time.monotonic() < deadline, f"does not start: {self.output(task)}"
            time.sleep(0.1)

    def wait(self, seconds: float) -> None:
        """Wait until all tasks have ended, for at most that many seconds."""
        deadline = time.monotonic() + seconds
        while len(self.ended) < len(self.processes) and time.monotonic() < deadline:
            for task, process in self.processes.items():
                if task not in self.ended and process.poll() is not None:
                    self.ended[task] = time.monotonic()
            time.sleep(0.1)

    def kill(self, task: str) -> None:
        """Kill a task."""
        self.processes[task].send_signal(signal.SIGKILL)
        self.processes[task].wait()

    def _reported(self) -> int:
        return len(re.findall(r"^step ", self.output("worker:0"), re.MULTILINE))

    def _check(self, deadline: float) -> None:
        outputs = "\n".join(self.output(task) for task in self.tasks)
        assert time.monotonic() < deadline, f"does not train: {outputs}"
        assert all(process.poll() is None for process in self.processes.values()), outputs
        time.sleep(0.1)

    def _path(self, task: str) -> Path:
        return self.directory / f"{task}.txt"


def host(task: str) -> str:
    """Return the name of the host of a task."""
    return task.replace(":", "-")


def nothing(cluster: Cluster) -> None:
    """Let the cluster train."""


def lose(task: str) -> Callable[[Cluster], None]:
    """Return what disconnects a task for good."""
    return lambda cluster: cluster.network.disconnect(host(task))


def interrupt(task: str) -> Callable[[Cluster], None]:
    """Return what disconnects a task for a few seconds."""

    def act(cluster: Cluster) -> None:
        cluster.network.disconnect(host(task))
        time.sleep(INTERRUPTION)
        cluster.network.connect(host(task))

    return act


def restart_chief(cluster: Cluster) -> None:
    """Disconnect the chief, and start it again when it is connected."""
    cluster.network.disconnect("worker-0")
    time.sleep(INTERRUPTION)
    cluster.kill("worker:0")
    cluster.network.connect("worker-0")
    cluster.start("worker:0")
    cluster.wait_until_listens("worker:0", times=2)


SERVERS = ("asynchronous", "synchronous")
FAULTS = [
    Fault("none", nothing),
    Fault("latency of 50 ms", nothing, 100, Link(delay=0.05)),
    Fault("2% of the packets lost", nothing, 300, Link(loss=0.02)),
    Fault("10 Mbit/s", nothing, 300, Link(rate=1e7)),
    Fault("names resolved 5 s late", nothing, late_names=True),
    Fault("a worker is cut off for 5 s", interrupt("worker:1"), 3000),
    Fault("the chief is cut off for 5 s", interrupt("worker:0"), 3000),
    Fault("the parameter server is cut off for 5 s", interrupt("ps:0"), 3000, modes=SERVERS),
    Fault(
        "a worker is cut off",
        lose("worker:1"),
        3000,
        modes=("asynchronous",),
        lost=("worker:1",),
    ),
    Fault(
        "a worker is cut off",
        lose("worker:1"),
        FOREVER,
        modes=("synchronous", "all-reduce"),
        completes=(),
    ),
    Fault("the chief is cut off", lose("worker:0"), FOREVER, completes=()),
    Fault("the parameter server is cut off", lose("ps:0"), FOREVER, modes=SERVERS, completes=()),
    # A busy machine may need more than 20 s to start the chief.
    Fault(
        "the chief is cut off, then restarted",
        restart_chief,
        3000,
        completes=SERVERS,
        stall_timeout=90,
    ),
]


def run(fault: Fault, mode: str, source: list[str], directory: Path) -> dict[str, Any]:
    """Train a cluster with a fault, and check how every task ends.

    Args:
      fault: one of FAULTS.
      mode: one of MODES.
      source: flags of the dataset.
      directory: an empty directory, for output and run.

    Returns:
      What happened: seconds from the fault to the end, and the errors by task.
    """
    flags = (
        f"--steps {fault.steps} --log-every 10 --save-every 10 "
        f"--stall-timeout {fault.stall_timeout}"
    )
    hosts = [host(task) for task in MODES[mode]]
    late = fault.late_names
    with Network(hosts, fault.link) as network:
        cluster = Cluster(network, mode, [*source, *flags.split()], directory, names=late)
        if late:
            network.forget_names()
        for task in cluster.tasks:
            cluster.start(task)
        if late:
            time.sleep(INTERRUPTION)
            network.set_names()
        if fault.act is not nothing:
            cluster.wait_until_trains()
        start = time.monotonic()
        fault.act(cluster)
        must_complete = mode in fault.completes
        cluster.wait(TIMEOUT if must_complete else fault.stall_timeout + LIMIT)
        outputs = {task: cluster.output(task) for task in cluster.tasks}
        output = "\n".join(f"{task}: {text}" for task, text in outputs.items())
        assert set(cluster.ended) == set(cluster.tasks), f"still running: {cluster.ended}\n{output}"
        codes = {task: process.returncode for task, process in cluster.processes.items()}
    errors = {}
    for task, text in outputs.items():
        found = re.findall(r"^error: distributed: (.*)", text, re.MULTILINE)
        assert "Traceback" not in text, output
        assert (codes[task], len(found)) in ((0, 0), (2, 1)), (task, codes[task], output)
        if found:
            errors[task] = found[0]
    assert not must_complete or tuple(errors) == fault.lost, output
    assert all(cluster.ended[task] <= start + fault.stall_timeout + LIMIT for task in fault.lost)
    steps = checked_steps(cluster.run)
    seconds = {task: round(ended - start, 1) for task, ended in cluster.ended.items()}
    return {"seconds": seconds, "errors": errors, "steps": steps}


def checked_steps(directory: Path) -> list[int]:
    """Check all checkpoints of a run, and return their steps."""
    steps = []
    for index in directory.glob("model.ckpt-*.index"):
        prefix = str(index.with_suffix(""))
        step = int(prefix.rpartition("-")[2])
        checkpoint = tf.train.load_checkpoint(prefix)
        # With parameter servers a worker may make updates while it is saved.
        assert checkpoint.get_tensor("global_step") >= step, prefix
        for name in checkpoint.get_variable_to_shape_map():
            assert np.isfinite(checkpoint.get_tensor(name)).all(), (prefix, name)
        steps.append(step)
    assert steps, f"{directory}: no checkpoint"
    model = deep_mnist.load_model("softmax", str(directory / f"model.ckpt-{max(steps)}"))
    assert np.isfinite(model.predict_proba(np.zeros((1, 784), np.float32))).all()
    result = directory / "result.json"
    if result.exists():
        values = json.loads(result.read_text("utf-8"))
        assert values["cluster"]["updates"] == max(steps) >= values["steps"]
    return sorted(steps)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--fault", help="part of the name of the faults to run (default: all)")
    parser.add_argument("--mode", choices=MODES, help="mode to run (default: all)")
    parser.add_argument("--seconds", type=float, help="stop after this time, and write no results")
    parser.add_argument("--data-dir", help="directory with MNIST (default: synthetic digits)")
    options = parser.parse_args()
    data = ["--data-dir", str(Path(options.data_dir).absolute())] if options.data_dir else []
    source = data or ["--dataset", "generated"]
    end = time.monotonic() + (options.seconds or float("inf"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # after the processes have ended
    import_quietly()
    namespaces.remove_leftovers()
    results: dict[str, dict[str, Any]] = {}
    for fault in FAULTS:
        if options.fault is not None and options.fault not in fault.name:
            continue
        for mode in fault.modes if options.mode is None else {options.mode} & set(fault.modes):
            if time.monotonic() > end:
                return
            with tempfile.TemporaryDirectory() as directory:
                result = run(fault, mode, source, Path(directory))
            results.setdefault(fault.name, {})[mode] = result
            print(f"{fault.name}, {mode}: {result}", flush=True)
    if (options.fault, options.mode, options.seconds) == (None, None, None):
        result_file.write("network", {"results": results})


if __name__ == "__main__":
    main()
