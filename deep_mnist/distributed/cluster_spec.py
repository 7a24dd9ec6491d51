"""Parse and check the description of a cluster: TF_CONFIG, or --cluster and --task.

TF_CONFIG is as TensorFlow documents it. A job is a list of addresses or, in the sparse form, an
object with the addresses of some of its tasks by index:

    {"cluster": {"chief": ["a:2222"], "ps": ["b:2222"], "worker": {"1": "c:2222"}},
     "task": {"type": "worker", "index": 1}}
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from deep_mnist.distributed.task import ALL_REDUCE, CHIEFS, JOBS, Cluster, Task
from deep_mnist.errors import DeepMnistError

EXAMPLE = (
    'TF_CONFIG is, for example, {"cluster": {"ps": ["HOST:PORT"], "worker": ["HOST:PORT"]}, '
    '"task": {"type": "worker", "index": 0}}'
)
ADDRESS = re.compile(r"(?P<host>\[[0-9a-fA-F:.%\w]+\]|[\w.-]+):(?P<port>\d{1,5})", re.ASCII)
INDEX = re.compile(r"\d{1,6}", re.ASCII)
LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}


def from_tf_config(text: str) -> tuple[Cluster, str, int] | None:
    """Return the cluster, and this task's job and index; None if TF_CONFIG lists no cluster.

    Raises:
      DeepMnistError: TF_CONFIG is malformed.
    """
    try:
        values = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise _malformed(f"expected JSON, found something else: {error}") from None
    if not isinstance(values, dict):
        raise _malformed(f"expected a JSON object, found a {type(values).__name__}")
    if not values or values.get("cluster") == {}:
        return None
    if "sparseCluster" in values:
        # Kubeflow's training operator v1 (pkg/controller.v1/tensorflow/tensorflow.go) tells a
        # parameter server of no worker, and TensorFlow's server rejects workers it does not know.
        raise DeepMnistError(
            'TF_CONFIG: expected "cluster", found "sparseCluster"',
            hint="remove enableDynamicWorker from the TFJob",
        )
    if "cluster" not in values:
        raise _malformed('"cluster" is missing')
    cluster = _cluster("TF_CONFIG", values["cluster"])
    task = values.get("task")
    if not isinstance(task, dict) or "type" not in task:
        raise _malformed(f'"task": expected "type" and "index", found {task!r}')
    index = task.get("index", 0)
    if isinstance(index, bool) or not INDEX.fullmatch(str(index)):
        raise _malformed(f'"task": expected an index of at least 0, found {index!r}')
    check_task("TF_CONFIG", cluster, task["type"], int(index))
    return cluster, task["type"], int(index)


def from_flags(jobs: Sequence[str], task: str | None) -> tuple[Cluster, str, int]:
    """Return the cluster, and this task's job and index.

    Args:
      jobs: the values of --cluster, each JOB=HOST:PORT,HOST:PORT,...
      task: the value of --task, JOB:INDEX.

    Raises:
      DeepMnistError: the flags are malformed.
    """
    lists: dict[str, list[str]] = {}
    for text in jobs:
        job, equals, addresses = text.partition("=")
        if not equals:
            raise DeepMnistError(f"--cluster: expected JOB=HOST:PORT,HOST:PORT,..., found {text!r}")
        if job in lists:
            raise DeepMnistError(f"--cluster: {job} is listed twice")
        lists[job] = addresses.split(",")
    cluster = _cluster("--cluster", lists)
    if task is None:
        raise DeepMnistError("--cluster needs --task", hint="for example --task worker:0")
    job, _, index = task.partition(":")
    if not INDEX.fullmatch(index):
        raise DeepMnistError(f"--task: expected JOB:INDEX, such as worker:0, found {task!r}")
    check_task("--task", cluster, job, int(index))
    return cluster, job, int(index)


def check_task(source: str, cluster: Cluster, job: Any, index: int) -> None:
    """Raise DeepMnistError unless the cluster has one chief and contains the task."""
    if job not in JOBS:
        raise DeepMnistError(f"{source}: expected a task of {', '.join(JOBS)}, found {job!r}")
    chiefs = [f"{name}:{i}" for name in CHIEFS for i in cluster.get(name, {})]
    if len(chiefs) > 1:
        raise DeepMnistError(f"{source}: expected one chief, found {' and '.join(chiefs)}")
    if not chiefs and 0 not in cluster.get("worker", {}):
        raise DeepMnistError(
            f"{source}: expected a chief, or worker:0, which acts as the chief; found neither"
        )
    if job == "evaluator" and index == 0 and job not in cluster:
        return  # Kubeflow does not list it, as no other task connects to it
    if index not in cluster.get(job, {}):
        found = ", ".join(f"{job}:{i}" for i in sorted(cluster.get(job, {}))) or f"no {job}"
        raise DeepMnistError(
            f"{source}: task {job}:{index} is not in the cluster, which has {found}"
        )


def check_strategy(task: Task) -> None:
    """Raise DeepMnistError where the strategy and its flags do not fit the cluster."""
    knows_all_workers = not task.is_worker or len(task.workers) == task.num_ranks
    if task.strategy == ALL_REDUCE:
        if task.parameter_servers:
            raise DeepMnistError(
                "--strategy all-reduce uses no parameter servers, found "
                + ", ".join(task.parameter_servers),
                hint="remove ps from the cluster",
            )
        if task.sync or task.backup_workers:
            raise DeepMnistError(
                "--strategy all-reduce is always synchronous, with all workers",
                hint="omit --sync and --backup-workers",
            )
    elif not task.parameter_servers:
        raise DeepMnistError(
            "the cluster has no ps, a parameter server for the variables",
            hint="add one, or train without: --strategy all-reduce",
        )
    if (task.sync or task.strategy == ALL_REDUCE) and not knows_all_workers:
        raise DeepMnistError(
            f"{task.mode.partition(',')[0]} training needs to know all workers, "
            f"found {len(task.workers)} of {task.num_ranks}",
            hint="list every worker in TF_CONFIG",
        )
    if task.backup_workers and not task.sync:
        raise DeepMnistError("--backup-workers needs --sync")
    if task.is_worker and not 0 <= task.backup_workers < len(task.workers):
        raise DeepMnistError(
            f"--backup-workers: expected fewer than the {len(task.workers)} workers, "
            f"found {task.backup_workers}"
        )


def _cluster(source: str, jobs: Any) -> Cluster:
    if not isinstance(jobs, dict):
        raise DeepMnistError(
            f'{source}: expected addresses by job, {{"ps": ["HOST:PORT"], ...}}, found {jobs!r}'
        )
    cluster: Cluster = {}
    for job, tasks in jobs.items():
        if job not in JOBS:
            raise DeepMnistError(f"{source}: expected jobs of {', '.join(JOBS)}, found {job!r}")
        if isinstance(tasks, list):
            tasks = {str(index): address for index, address in enumerate(tasks)}
        if not isinstance(tasks, dict) or not all(INDEX.fullmatch(key) for key in tasks):
            raise DeepMnistError(
                f'{source}: {job}: expected a list of addresses, or {{"0": "HOST:PORT"}}, '
                f"found {tasks!r}"
            )
        cluster[job] = {int(key): address for key, address in tasks.items()}
        if len(cluster[job]) < len(tasks):
            raise DeepMnistError(f"{source}: {job}: an index is listed twice, found {[*tasks]}")
    _check_addresses(source, cluster)
    return {job: addresses for job, addresses in cluster.items() if addresses}


def _check_addresses(source: str, cluster: Cluster) -> None:
    seen: dict[tuple[str, int], str] = {}
    for job, addresses in cluster.items():
        for index, address in addresses.items():
            name = f"{job}:{index}"
            match = ADDRESS.fullmatch(address) if isinstance(address, str) else None
            if match is None or not 0 < int(match["port"]) < 65536:
                raise DeepMnistError(
                    f"{source}: {name}: expected HOST:PORT, a port from 1 to 65535, "
                    f"found {address!r}"
                )
            host = match["host"].lower()
            endpoint = ("localhost" if host in LOOPBACK else host, int(match["port"]))
            if endpoint in seen:
                raise DeepMnistError(
                    f"{source}: {name} and {seen[endpoint]} have the same address {address}",
                    hint="give every task a port of its own",
                )
            seen[endpoint] = name


def _malformed(message: str) -> DeepMnistError:
    return DeepMnistError(f"TF_CONFIG: {message}", hint=EXAMPLE)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; json alone would silently keep the last of several equal keys."""
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise DeepMnistError(f"TF_CONFIG: {repeated!r} is listed twice in one object")
    return values
