"""A cluster as people write it, by flags or in TF_CONFIG, to checked addresses by job and index.

TF_CONFIG as TensorFlow documents it, the sparse form included, which names but some of a job's
tasks:

    {"cluster": {"chief": ["a:2222"], "ps": ["b:2222"], "worker": {"1": "c:2222"}},
     "task": {"type": "worker", "index": 1}}
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from deep_mnist.distributed.task import ALL_REDUCE, CHIEFS, JOBS, Jobs, Task
from deep_mnist.errors import DeepMnistError

EXAMPLE = '{"cluster": {"ps": ["HOST:PORT"], "worker": ["HOST:PORT"]}, "task": {"type": "worker", "index": 0}}'  # noqa: E501
ADDRESS = re.compile(r"(?P<host>\[[0-9a-fA-F:.%\w]+\]|[\w.-]+):(?P<port>\d{1,5})", re.ASCII)
INDEX = re.compile(r"\d{1,6}", re.ASCII)
LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}


def from_tf_config(text: str) -> tuple[Jobs, str, int] | None:
    """Jobs, this task's job and index; None where TF_CONFIG names no cluster, as for one process.

    Raises:
      DeepMnistError: it is malformed.
    """
    try:
        values = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise DeepMnistError(
            f"TF_CONFIG: expected JSON as {EXAMPLE}, found a text that is none: {error}"
        ) from None
    if not isinstance(values, dict):
        raise DeepMnistError(
            f"TF_CONFIG: expected an object as {EXAMPLE}, found a {type(values).__name__}"
        )
    if not values or values.get("cluster") == {}:
        return None
    if "sparseCluster" in values:
        # Training-operator v1, pkg/controller.v1/tensorflow/tensorflow.go: a parameter server is
        # told of itself alone, and TensorFlow's can't give a worker what it has not heard of.
        raise DeepMnistError(
            'TF_CONFIG: expected "cluster", found "sparseCluster", in which Kubeflow hides the '
            "workers from the parameter servers: leave enableDynamicWorker out of the TFJob"
        )
    if "cluster" not in values:
        raise DeepMnistError(f'TF_CONFIG: expected "cluster" in it, as {EXAMPLE}, found none')
    jobs = _jobs(values["cluster"])
    task = values.get("task")
    if not isinstance(task, dict) or "type" not in task:
        raise DeepMnistError(
            f'TF_CONFIG: expected "task" with "type" and "index", as {EXAMPLE}, found {task!r}'
        )
    index = str(task.get("index", 0))
    if isinstance(task.get("index"), bool) or not INDEX.fullmatch(index):
        raise DeepMnistError(
            f"TF_CONFIG: task: expected an index from 0, found {task.get('index')!r}"
        )
    job = task["type"]
    check("TF_CONFIG", jobs, job, int(index))
    return jobs, job, int(index)


def from_flags(words: Sequence[str], task: str | None) -> tuple[Jobs, str, int]:
    """The same of --cluster ps=HOST:PORT,... worker=HOST:PORT,... --task worker:0.

    Raises:
      DeepMnistError: it is malformed.
    """
    lists: dict[str, list[str]] = {}
    for word in words:
        job, equals, addresses = word.partition("=")
        if not equals or job in lists:
            what = "the same job twice" if equals else repr(word)
            raise DeepMnistError(f"--cluster: expected JOB=HOST:PORT,HOST:PORT, found {what}")
        lists[job] = addresses.split(",")
    jobs = _jobs(lists, "--cluster")
    if task is None:
        raise DeepMnistError(
            "--cluster: this process's own task is missing: add --task worker:0, say"
        )
    job, _, index = task.partition(":")
    if not INDEX.fullmatch(index):
        raise DeepMnistError(f"--task: expected JOB:INDEX, as worker:0, found {task!r}")
    check("--cluster", jobs, job, int(index))
    return jobs, job, int(index)


def check(where: str, jobs: Jobs, job: Any, index: int) -> None:
    """Raises DeepMnistError unless the cluster can train and the task is one of it."""
    if job not in JOBS:
        raise DeepMnistError(f"{where}: task: expected one of {', '.join(JOBS)}, found {job!r}")
    chiefs = [f"{name}:{i}" for name in CHIEFS for i in jobs.get(name, {})]
    if len(chiefs) > 1:
        raise DeepMnistError(f"{where}: expected one chief, found {' and '.join(chiefs)}")
    if not chiefs and 0 not in jobs.get("worker", {}):
        raise DeepMnistError(f"{where}: expected a chief, or worker:0, which is one; found neither")
    if job == "evaluator" and index == 0 and job not in jobs:
        return  # Kubeflow leaves it out of the cluster, because nobody talks to it
    if index not in jobs.get(job, {}):
        found = ", ".join(f"{job}:{i}" for i in sorted(jobs.get(job, {}))) or f"no {job}"
        raise DeepMnistError(
            f"{where}: task {job}:{index} is not in the cluster, which has {found}: "
            "name it there, or take another index"
        )


def check_strategy(task: Task) -> None:
    """Raises DeepMnistError where the strategy does not fit the cluster."""
    if task.strategy == ALL_REDUCE:
        if task.parameter_servers:
            raise DeepMnistError(
                f"--strategy all-reduce keeps the variables on every worker: leave out "
                f"{', '.join(task.parameter_servers)}"
            )
        if task.sync or task.backup_workers:
            raise DeepMnistError(
                "--strategy all-reduce is synchronous, of all workers: leave out --sync and "
                "--backup-workers"
            )
        if task.trains and len(task.workers) < task.size:
            raise DeepMnistError(
                "--strategy all-reduce: the sparse form won't do: name every worker"
            )
    elif not task.parameter_servers:
        raise DeepMnistError(
            "the cluster has no ps: expected a parameter server, which keeps the variables: "
            "add one, or take --strategy all-reduce, which needs none"
        )
    if task.sync and task.trains and len(task.workers) < task.size:
        raise DeepMnistError("--sync counts the workers: the sparse form won't do, name every one")
    if task.backup_workers and not task.sync:
        raise DeepMnistError("--backup-workers is of synchronous training: add --sync")
    if task.backup_workers >= len(task.workers) and task.trains:
        raise DeepMnistError(
            f"--backup-workers: expected fewer than the {len(task.workers)} workers, "
            f"found {task.backup_workers}"
        )


def _jobs(cluster: Any, where: str = "TF_CONFIG") -> Jobs:
    if not isinstance(cluster, dict):
        raise DeepMnistError(
            f'{where}: cluster: expected jobs with addresses, as {{"ps": ["HOST:PORT"]}}, '
            f"found {cluster!r}"
        )
    jobs: Jobs = {}
    seen: dict[tuple[str, int], str] = {}
    for job, tasks in cluster.items():
        if job not in JOBS:
            raise DeepMnistError(f"{where}: expected jobs of {', '.join(JOBS)}, found {job!r}")
        if isinstance(tasks, list):
            tasks = {str(index): address for index, address in enumerate(tasks)}
        if not isinstance(tasks, dict) or not all(INDEX.fullmatch(key) for key in tasks):
            raise DeepMnistError(
                f'{where}: {job}: expected a list of addresses, or {{"0": "HOST:PORT"}}, '
                f"found {tasks!r}"
            )
        jobs[job] = {}
        for key, address in tasks.items():
            name = f"{job}:{int(key)}"
            if int(key) in jobs[job]:
                raise DeepMnistError(f"{where}: {name} is named twice")
            match = ADDRESS.fullmatch(address) if isinstance(address, str) else None
            if match is None or not 0 < int(match["port"]) < 65536:
                raise DeepMnistError(
                    f"{where}: {name}: expected HOST:PORT, a port from 1 to 65535, "
                    f"found {address!r}"
                )
            host = match["host"].lower()
            place = ("localhost" if host in LOOPBACK else host, int(match["port"]))
            if place in seen:
                raise DeepMnistError(
                    f"{where}: {name} and {seen[place]} have the same address {address}: "
                    "every task needs a port of its own"
                )
            seen[place] = name
            jobs[job][int(key)] = address
    return {job: tasks for job, tasks in jobs.items() if tasks}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; json itself would keep the last of several values of a name, silently."""
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DeepMnistError(
            f"TF_CONFIG: {twice!r} is named twice in one object: leave out one of them"
        )
    return values
