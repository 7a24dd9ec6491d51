"""A parameter server keeps variables until no worker needs them any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from deep_mnist import lazy_tensorflow
from deep_mnist.distributed import reachability, server
from deep_mnist.distributed.mailbox import Mailbox
from deep_mnist.distributed.task import Task
from deep_mnist.distributed.timeouts import SERVER_SHUTDOWN, stopped
from deep_mnist.errors import DeepMnistError
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import interrupts
from deep_mnist.training.config import RunConfig

PAUSE = 0.5  # seconds between checks
REJOIN_TIMEOUT = 30.0  # seconds after the chief's end in which an absent worker may come back


def serve(task: Task, run_config: RunConfig, has_result: Callable[[], bool]) -> None:
    """Serve until every worker has left, or the chief has and the others are unreachable.

    Args:
      task: this process.
      run_config: numbers of threads.
      has_result: returns whether the run has its result, so that the chief is not needed any more.

    Raises:
      DeepMnistError: the port is in use, the chief failed, or no worker could be reached within
        the stall timeout.
      Interrupted: a signal arrived, and the workers have ended or had time to.
    """
    device = f"/job:ps/task:{task.index}"
    with server.reserve_port(task):
        lazy_tensorflow.import_quietly()
        config = tf.ConfigProto(
            intra_op_parallelism_threads=run_config.intra_op_threads,
            inter_op_parallelism_threads=run_config.inter_op_threads,
            device_filters=[device],
        )
        with tf.Graph().as_default():
            left, failed = Mailbox("left", device), Mailbox("failed", device)
    started = server.start(task, task.cluster, task.job, task.index, config)
    session = tf.Session(started.target, graph=left.graph, config=config)
    with interrupts.deferred() as pending:
        _wait(task, session, left, failed, has_result, pending)


def _wait(
    task: Task,
    session: Any,
    left: Mailbox,
    failed: Mailbox,
    has_result: Callable[[], bool],
    pending: interrupts.Pending,
) -> None:
    workers = task.ranks  # addresses of those that have not left, by rank
    last_reachable = time.monotonic()  # when any of them was
    chief_left: float | None = None
    chief_failed = False
    stopping: float | None = None
    while workers:
        for rank in left.receive(session):
            workers.pop(rank, None)
        now = time.monotonic()
        if 0 not in workers or has_result():
            chief_left = chief_left or now
        reachable = reachability.reachable(workers)
        if reachable:
            last_reachable = now
        if chief_left is not None:
            # A worker that is reachable may be stopped all the same.
            absent = now > max(chief_left, last_reachable) + REJOIN_TIMEOUT
            if absent or now > chief_left + task.stall_timeout:
                return
        elif now > last_reachable + task.stall_timeout:
            raise DeepMnistError(
                f"{task.name}: no worker could be reached for {task.stall_timeout:g} s",
                hint="start all tasks again; training continues from the last checkpoint",
            )
        chief_failed = chief_failed or bool(failed.receive(session))
        if pending.signal_number is not None or chief_failed:
            stopping = stopping or now
            if not reachable or now > stopping + SERVER_SHUTDOWN:
                if chief_failed:
                    raise DeepMnistError(
                        f"{task.name}: {task.chief} failed", hint="read its output"
                    )
                assert pending.signal_number is not None
                raise stopped(task.name, pending.signal_number)
        time.sleep(PAUSE)
