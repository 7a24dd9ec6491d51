"""A parameter server's life: it keeps variables until no worker needs them any more."""

from __future__ import annotations

import time
from typing import Any

from deep_mnist.training import interrupts, tensorflow
from deep_mnist.training.cluster import port, preflight, server
from deep_mnist.training.cluster.signals import Signal
from deep_mnist.training.cluster.task import Task
from deep_mnist.training.errors import Interrupted, UserError
from deep_mnist.training.tensorflow import tf

PAUSE = 0.5  # seconds between looks
STRAGGLERS = 30.0  # seconds after the chief's end in which a worker that is away may come
SIGNALLED = 20.0  # seconds after a signal in which the chief may save


def serve(task: Task, config: Any) -> None:
    """Returns when every worker has left, or the chief has and nothing is heard of the others.

    Raises:
      UserError: the port is taken, or no worker can be reached for the stall timeout.
      Interrupted: a signal arrived, and the workers have stopped, or have had time to.
    """
    with port.held(task):
        tensorflow.import_quietly()
        settings = tf.ConfigProto(
            intra_op_parallelism_threads=config.intra_op_threads,
            inter_op_parallelism_threads=config.inter_op_threads,
            device_filters=[f"/job:ps/task:{task.index}"],
        )
        with tf.Graph().as_default():
            signal = Signal("left", f"/job:ps/task:{task.index}")
    started = server.start(task, task.jobs, task.job, task.index, settings)
    session = tf.Session(started.target, graph=signal.graph, config=settings)
    with interrupts.deferred() as pending:
        _serve(task, lambda: signal.take(session), pending)


def _serve(task: Task, take: Any, pending: interrupts.Pending) -> None:
    away = task.positions  # those that have not left, by position
    heard = time.monotonic()  # when one of them was last there
    chief_left: float | None = None
    signalled: float | None = None
    while away:
        for position in take():
            away.pop(position, None)
        now = time.monotonic()
        if 0 not in away:
            chief_left = chief_left or now
        answering = {p: address for p, address in away.items() if preflight.answers(address)}
        if answering:
            heard = now
        if chief_left is not None:
            # One that answers may have stopped all the same.
            if now > min(max(chief_left, heard) + STRAGGLERS, chief_left + task.stall_timeout):
                return
        elif now > heard + task.stall_timeout:
            raise UserError(
                f"{task.name}: no worker could be reached for {task.stall_timeout:g} s: "
                "start them again, and this one; training goes on from the last checkpoint"
            )
        if pending.signal_number is not None:
            signalled = signalled or now
            if not answering or now > signalled + SIGNALLED:
                raise Interrupted(
                    pending.signal_number, f"{task.name} stopped; start it again to go on"
                )
        time.sleep(PAUSE)
