"""A parameter server's life: it keeps variables until no worker needs them any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from deep_mnist import lazy_tensorflow
from deep_mnist.distributed import port, reachability, server
from deep_mnist.distributed.mailbox import Signal
from deep_mnist.distributed.task import Task
from deep_mnist.errors import DeepMnistError, Interrupted
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import interrupts

PAUSE = 0.5  # seconds between looks
STRAGGLERS = 30.0  # seconds after the chief's end in which a worker that is away may come
STOPPING = 55.0  # seconds that the others have to end, and the chief to save: see patience.GRACE


def serve(task: Task, config: Any, is_finished: Callable[[], bool]) -> None:
    """Returns when every worker has left, or the chief has and nothing is heard of the others.

    Args:
      is_finished: whether the run has its result, so that the chief need not be heard any more.

    Raises:
      DeepMnistError: the port is taken, the chief gave up, or no worker can be reached for the stall
        timeout.
      Interrupted: a signal arrived, and the workers have stopped, or have had time to.
    """
    with port.held(task):
        lazy_tensorflow.import_quietly()
        settings = tf.ConfigProto(
            intra_op_parallelism_threads=config.intra_op_threads,
            inter_op_parallelism_threads=config.inter_op_threads,
            device_filters=[f"/job:ps/task:{task.index}"],
        )
        with tf.Graph().as_default():
            left = Signal("left", f"/job:ps/task:{task.index}")
            failed = Signal("failed", f"/job:ps/task:{task.index}")
    started = server.start(task, task.jobs, task.job, task.index, settings)
    session = tf.Session(started.target, graph=left.graph, config=settings)
    with interrupts.deferred() as pending:
        _serve(task, lambda: left.take(session), lambda: failed.take(session), is_finished, pending)


def _serve(
    task: Task,
    left: Callable[[], set[int]],
    failed: Callable[[], set[int]],
    is_finished: Callable[[], bool],
    pending: interrupts.Pending,
) -> None:
    away = task.positions  # those that have not left, by position
    heard = time.monotonic()  # when one of them was last there
    chief_left: float | None = None
    chief_failed = False
    stopping: float | None = None
    while away:
        for position in left():
            away.pop(position, None)
        now = time.monotonic()
        if 0 not in away or is_finished():
            chief_left = chief_left or now
        answering = reachability.present(away)
        if answering:
            heard = now
        if chief_left is not None:
            # One that answers may have stopped all the same.
            if now > min(max(chief_left, heard) + STRAGGLERS, chief_left + task.stall_timeout):
                return
        elif now > heard + task.stall_timeout:
            raise DeepMnistError(
                f"{task.name}: no worker could be reached for {task.stall_timeout:g} s: "
                "start them again, and this one; training goes on from the last checkpoint"
            )
        chief_failed = chief_failed or bool(failed())
        if pending.signal_number is not None or chief_failed:
            stopping = stopping or now
            if not answering or now > stopping + STOPPING:
                if chief_failed:
                    raise DeepMnistError(f"{task.name}: {task.chief} gave up: see what it says")
                assert pending.signal_number is not None
                raise Interrupted(
                    pending.signal_number, f"{task.name} stopped; start it again to go on"
                )
        time.sleep(PAUSE)
