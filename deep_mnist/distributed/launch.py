"""From a command line to the life of a task."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deep_mnist import lazy_tensorflow
from deep_mnist.checkpoints import reader
from deep_mnist.cli.flags import Options
from deep_mnist.distributed import (
    cluster_spec,
    parameter_server,
    port,
    reachability,
    restart,
    sharding,
)
from deep_mnist.distributed.task import Task
from deep_mnist.errors import DeepMnistError
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import run_directory


def task(program: str, options: Options) -> Task | None:
    """This process's task by the flags or TF_CONFIG; None where TF_CONFIG names no cluster.

    Raises:
      DeepMnistError: they are malformed, contradict each other, or ask for what a cluster can't do.
    """
    tf_config = os.environ.get("TF_CONFIG", "").strip()
    if options.cluster is None:
        found = cluster_spec.from_tf_config(tf_config)
    elif tf_config:
        raise DeepMnistError("--cluster and TF_CONFIG both name a cluster: leave out one of them")
    else:
        found = cluster_spec.from_flags(options.cluster, options.task)
    if found is None:
        return None
    jobs, job, index = found
    this = Task(
        program,
        jobs,
        job,
        index,
        options.strategy,
        options.sync,
        options.backup_workers,
        options.stall_timeout,
    )
    cluster_spec.check_strategy(this)
    check_options(this, options)
    return this


def start(config: Any, options: Options, this: Task, train: Callable[[Any, Options], None]) -> None:
    """Does what this task is there for, to its end; `train` is the program's.

    Raises:
      DeepMnistError: a parameter server does not answer, the port is taken, or --run-dir is of
        another run.
    """
    if hasattr(config, "average_decay") and config.average_decay:
        _check_averages(this)
    if getattr(config, "plain_steps", 0):
        raise DeepMnistError(
            "--plain-steps are counted by one process, and a cluster has several: "
            "take --plain-steps 0"
        )
    if this.job == "ps":
        if not _is_finished(this, options):
            parameter_server.serve(this, config, lambda: _has_result(options))
        return
    if this.job == "evaluator":
        lazy_tensorflow.import_quietly()
        train(config, dataclasses.replace(options, member=this))
        return
    if _is_finished(this, options):
        return
    if not this.is_chief:
        config = dataclasses.replace(config, seed=sharding.seed(config.seed, this))
    elif options.run_dir is not None and restart.is_begun(options.run_dir):
        restart.check_same(config, Path(options.run_dir))
        options = dataclasses.replace(options, resume=options.run_dir, run_dir=None)
    elif options.run_dir is not None:
        run_directory.check_unused(options.run_dir)
    with port.held(this):
        reachability.wait_for(this.parameter_servers)
        lazy_tensorflow.import_quietly()
        tf.Graph  # noqa: B018 - imports TensorFlow while the port is held
    try:
        train(config, dataclasses.replace(options, member=this))
    except tf.errors.OpError as error:
        raise DeepMnistError(
            f"{this.name}: TensorFlow failed: {reader.short_message(error)}"
        ) from None


def _has_result(options: Options) -> bool:
    return options.run_dir is not None and (Path(options.run_dir) / run_directory.RESULT).exists()


def _is_finished(this: Task, options: Options) -> bool:
    """Whether a task that was started again comes too late to be needed."""
    run_dir = options.run_dir
    return run_dir is not None and run_directory.is_finished(this.program, Path(run_dir))


def check_options(this: Task, options: Options) -> None:
    """Raises DeepMnistError where the flags ask for what a cluster can't do."""
    if options.eval_only:
        raise DeepMnistError("--restore alone evaluates, in one process: leave the cluster out")
    if options.resume is True:
        raise DeepMnistError("--resume: of a cluster, every task has to be told which run: name it")
    if options.trace_every is not None:
        raise DeepMnistError("--trace-every is of one process: leave it out in a cluster")
    if this.job == "evaluator" and options.run_dir is None and options.resume is None:
        raise DeepMnistError("an evaluator watches a run: add --run-dir, the chief's")


def _check_averages(this: Task) -> None:
    if this.sync or this.manner == "all-reduce":
        raise DeepMnistError(
            f"--average-decay averages after every worker's step, and {this.manner} training has "
            "steps that are no updates: take --average-decay 0, or asynchronous training"
        )
