"""A parameter server keeps variables until no worker needs them any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from deep_mnist import lazy_tensorflow
from deep_mnist.distributed import chief_failure, reachability, server
from deep_mnist.distributed.chief_failure import ChiefError
from deep_mnist.distributed.mailbox import Mailbox
from deep_mnist.distributed.task import Task
from deep_mnist.distributed.timeouts import SERVER_SHUTDOWN, stopped
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
      DeepMnistError: the port is in use, the chief failed, or it could not be reached for the
        stall timeout.
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
            left, chief_error = Mailbox("left", device), ChiefError(device)
    started = server.start(task, task.cluster, task.job, task.index, config)
    session = tf.Session(started.target, graph=left.graph, config=config)
    with interrupts.deferred() as pending:
        _wait(task, session, left, chief_error, has_result, pending)


def _wait(
    task: Task,
    session: Any,
    left: Mailbox,
    chief_error: ChiefError,
    has_result: Callable[[], bool],
    pending: interrupts.Pending,
) -> None:
    workers = task.ranks  # addresses of those that have not left, by rank
    last_reachable = chief_last_reachable = time.monotonic()  # when any of them was, and the chief
    chief_left: float | None = None
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
        if 0 in reachable:
            chief_last_reachable = now
        if chief_left is not None:
            # A worker that is reachable may be stopped all the same.
            absent = now > max(chief_left, last_reachable) + REJOIN_TIMEOUT
            if absent or now > chief_left + task.stall_timeout:
                return
        elif pending.signal_number is None:
            chief_failure.check_reachable(task, chief_last_reachable)
        message = chief_error.read(session)
        if pending.signal_number is not None or message:
            stopping = stopping or now
            if not reachable or now > stopping + SERVER_SHUTDOWN:
                if message:
                    raise chief_failure.chief_failed(task, message)
                assert pending.signal_number is not None
                raise stopped(task.name, pending.signal_number)
        else:
            stopping = None  # the chief was restarted
        time.sleep(PAUSE)
