"""From the flags of a task to its run."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deep_mnist import lazy_tensorflow
from deep_mnist.checkpoints import reader
from deep_mnist.cli.launch import configure as configure_run
from deep_mnist.distributed import (
    chief_failure,
    cluster_spec,
    config_check,
    local_cluster,
    parameter_server,
    reachability,
    server,
    sharding,
)
from deep_mnist.distributed.chief import Chief
from deep_mnist.distributed.evaluator import Evaluator
from deep_mnist.distributed.task import Cluster, Task
from deep_mnist.distributed.worker import Worker
from deep_mnist.errors import DeepMnistError
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import Options, Run, RunConfig, run_directory


@dataclasses.dataclass(frozen=True)
class ClusterOptions:
    """The flags of a cluster."""

    local: str | None  # number of processes on this machine, such as "1ps,2w"
    cluster: list[str] | None  # JOB=HOST:PORT,...
    task: str | None  # JOB:INDEX
    strategy: str
    sync: bool
    backup_workers: int
    stall_timeout: float  # seconds
    exit_with_stdin: bool  # this process belongs to a local cluster


def create_task(program: str, options: ClusterOptions, tf_config: str) -> Task:
    """Return the task that this process is; for --local, the chief.

    Args:
      program: "softmax" or "cnn".
      options: the flags of the cluster.
      tf_config: the value of the environment variable TF_CONFIG, or "".

    Raises:
      DeepMnistError: no cluster or several are given, or the one given is malformed.
    """
    sources = {"--local": options.local, "--cluster": options.cluster, "TF_CONFIG": tf_config}
    found = [name for name, value in sources.items() if value]
    if len(found) > 1:
        raise DeepMnistError(
            f"expected one cluster, found {' and '.join(found)}", hint=f"remove {found[-1]}"
        )
    if options.task is not None and options.cluster is None:
        raise DeepMnistError("--task needs --cluster")
    spec: tuple[Cluster, str, int] | None = None
    if options.local is not None:
        spec = local_cluster.create(options.local), "worker", 0
    elif options.cluster is not None:
        spec = cluster_spec.from_flags(options.cluster, options.task)
    elif tf_config:
        spec = cluster_spec.from_tf_config(tf_config)
    if spec is None:
        raise DeepMnistError(
            "expected a cluster, found none",
            hint="add --local 1ps,2w, or --cluster and --task, or set TF_CONFIG; "
            f"train in one process with: python -m deep_mnist.{program}",
        )
    task = Task(
        program,
        *spec,
        options.strategy,
        options.sync,
        options.backup_workers,
        options.stall_timeout,
    )
    cluster_spec.check_strategy(task)
    return task


def configure(
    task: Task, config_class: type[Any], options: Options, given: dict[str, Any]
) -> tuple[Any, RunConfig, Options] | None:
    """Return the configuration of a task's run; None if the run is finished already.

    Raises:
      DeepMnistError: a setting or a path is wrong, or is not possible in a cluster.
    """
    _check_options(task, options)
    if not task.is_chief:
        options = dataclasses.replace(options, restore=None)  # the chief alone reads it
    if task.job == "ps" and options.resume is not None:  # it may not see the directory
        options = dataclasses.replace(options, resume=None, run_dir=str(options.resume))
    configured = configure_run(task.program, config_class, options, given, shared_directory=True)
    if configured is not None:
        _check_techniques(task, configured[1])
    return configured


def start(
    task: Task,
    config: Any,
    run_config: RunConfig,
    options: Options,
    train: Callable[[Any, Run], None],
) -> None:
    """Run a task to its end.

    Args:
      task: this process.
      config: the tutorial's Config.
      run_config: what `configure` returned.
      options: what `configure` returned.
      train: the tutorial's train.

    Raises:
      DeepMnistError: a parameter server is unreachable or does not answer, the port is in use,
        --run-dir has another run, or training fails.
    """
    if task.job == "evaluator":
        lazy_tensorflow.import_quietly()
        train(config, Evaluator(task, config, run_config, options))
        return
    run_dir = None if options.run_dir is None else Path(options.run_dir)
    begun = run_dir is not None and (run_dir / run_directory.CONFIG).exists()
    if task.is_chief and begun:
        config_check.check_run(task, config, run_config, Path(str(run_dir)))
    # A task that was restarted may come when the run is finished.
    if run_dir is not None and run_directory.print_if_finished(task.program, run_dir):
        return
    if task.job == "ps":
        result = None if run_dir is None else run_dir / run_directory.RESULT
        parameter_server.serve(task, run_config, lambda: result is not None and result.exists())
        return
    if not task.is_chief:
        seed = sharding.seed(run_config.seed, task)
        run_config = dataclasses.replace(run_config, seed=seed)
    elif begun:  # the chief was restarted
        options = dataclasses.replace(options, resume=str(run_dir), run_dir=None)
    elif run_dir is not None:
        run_directory.check_unused(str(run_dir))
    with server.reserve_port(task):
        reachability.wait_for(task.parameter_servers)
        lazy_tensorflow.import_quietly()
        lazy_tensorflow.load()
        seconds = min(reachability.STARTUP, task.stall_timeout)
        reachability.wait_for_answer(task.parameter_servers, seconds)
    if task.is_chief:
        chief_failure.report(task, "")  # that of a chief which was restarted is obsolete
    role = Chief if task.is_chief else Worker
    try:
        train(config, role(task, config, run_config, options))
    except tf.errors.OpError as error:
        raise DeepMnistError(
            f"{task.name}: TensorFlow failed: {reader.short_message(error)}"
        ) from None


def _check_options(task: Task, options: Options) -> None:
    if options.eval_only:
        command = ["python", "-m", f"deep_mnist.{task.program}", "--restore"]
        if isinstance(options.restore, str):
            command.append(options.restore)
        raise DeepMnistError(
            "--restore without --steps evaluates, and a cluster only trains",
            hint=f"evaluate in one process with: {shlex.join(command)}",
        )
    if options.resume is True:
        raise DeepMnistError("--resume: expected the run's directory, found none")
    if options.trace_every is not None:
        raise DeepMnistError("--trace-every is not available in a cluster")
    if task.job == "evaluator" and options.run_dir is None and options.resume is None:
        raise DeepMnistError("an evaluator needs the chief's --run-dir")


def _check_techniques(task: Task, run_config: RunConfig) -> None:
    if run_config.plain_steps:
        raise DeepMnistError(
            "--plain-steps is not available in a cluster: a worker does not know how many of the "
            "steps it will make",
            hint="use --plain-steps 0",
        )
