"""The chief's failure ends the other tasks: each polls a parameter server for the chief's error."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from deep_mnist import lazy_tensorflow
from deep_mnist.distributed import reachability, server
from deep_mnist.distributed.task import Task
from deep_mnist.errors import DeepMnistError, printable
from deep_mnist.lazy_tensorflow import tf

PAUSE = 1.0  # seconds between checks
REPORT_TIMEOUT = 30.0  # seconds in which a parameter server that is starting accepts the report


class ChiefError:
    """The message of the chief's error, in a variable on a parameter server.

    It exists as long as the server and belongs to no session.

    Args:
      device: the parameter server's, such as "/job:ps/task:0".
    """

    def __init__(self, device: str) -> None:
        with tf.device(f"{device}/device:CPU:0"):
            variable = tf.Variable("", name="chief_error", trainable=False, collections=[])
            self._text = tf.placeholder(tf.string, [])
            self._set = variable.assign(self._text).op
            self._value = variable.value()
        self.graph = tf.get_default_graph()

    def write(self, session: Any, message: str) -> None:
        """Store the message."""
        session.run(self._set, {self._text: message})

    def read(self, session: Any) -> str:
        """Return the message, or "" if there is none."""
        try:
            return str(session.run(self._value).decode())
        except (tf.errors.FailedPreconditionError, tf.errors.NotFoundError):  # never written
            return ""


class Watch:
    """Watches the chief for another task, from a thread.

    The chief has failed when it has reported an error, or when it could not be reached for the
    stall timeout.

    Args:
      task: this process.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._message = ""
        self._last_reachable = time.monotonic()
        self._stopping = threading.Event()
        with tf.Graph().as_default():
            self._error = ChiefError("/job:ps/task:0")

    def start(self) -> None:
        """Start to watch."""
        self._last_reachable = time.monotonic()
        threading.Thread(target=self._poll_chief, daemon=True).start()
        if self._task.parameter_servers:
            threading.Thread(target=self._poll_error, daemon=True).start()

    def stop(self) -> None:
        """Watch no longer."""
        self._stopping.set()

    def check(self) -> None:
        """Raise DeepMnistError if the chief has failed."""
        if self._message:
            raise chief_failed(self._task, self._message)
        check_reachable(self._task, self._last_reachable)

    def _poll_chief(self) -> None:
        while not self._stopping.wait(PAUSE):
            if reachability.is_reachable(self._task.chief_address):
                self._last_reachable = time.monotonic()

    def _poll_error(self) -> None:
        while not self._stopping.wait(PAUSE):  # again, when the parameter server was lost
            with suppress(tf.errors.OpError), _session(self._task, 0, self._error.graph) as session:
                while not self._stopping.wait(PAUSE):
                    self._message = self._message or self._error.read(session)


@contextmanager
def report_errors(task: Task) -> Iterator[None]:
    """Report an error in the context to the parameter servers, if this task is the chief.

    One that was started by mistake while the chief runs does not end the others.
    """
    chief = {task.chief: task.chief_address}
    if not task.is_chief or reachability.reachable(chief):
        yield
        return
    try:
        yield
    except Exception as error:
        report(task, printable(str(getattr(error, "message", error))))
        raise


def chief_failed(task: Task, message: str) -> DeepMnistError:
    """Return the error of a task whose chief has failed with this message."""
    return DeepMnistError(f"{task.name}: {task.chief} failed: {message}", hint="read its output")


def check_reachable(task: Task, last_reachable: float) -> None:
    """Raise DeepMnistError if the chief was last reachable longer ago than the stall timeout."""
    if time.monotonic() > last_reachable + task.stall_timeout:
        chief = reachability.describe({task.chief: task.chief_address})
        raise DeepMnistError(
            f"{task.name}: {chief} could not be reached for {task.stall_timeout:g} s",
            hint="start all tasks again",
        )


def report(task: Task, message: str) -> None:
    """Write the chief's error to every parameter server that can be reached; "" if it has none."""
    servers = reachability.reachable(task.parameter_servers)
    if not servers:
        return
    lazy_tensorflow.import_quietly()
    lazy_tensorflow.load()

    def write(index: int) -> None:
        with tf.Graph().as_default() as graph, suppress(tf.errors.OpError):
            error = ChiefError(f"/job:ps/task:{index}")
            with _session(task, index, graph) as session:
                error.write(session, message)

    indices = [index for index in task.cluster["ps"] if f"ps:{index}" in servers]
    threads = [threading.Thread(target=write, args=(i,), daemon=True) for i in indices]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + REPORT_TIMEOUT
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0.0))


@contextmanager
def _session(task: Task, index: int, graph: Any) -> Iterator[Any]:
    """Open a session on a parameter server, without the server of this task."""
    server.bypass_proxy(task.cluster)
    config = tf.ConfigProto(
        device_filters=[f"/job:ps/task:{index}"],  # or it waits for all tasks
        operation_timeout_in_ms=round(1e3 * REPORT_TIMEOUT),
    )
    address = task.cluster["ps"][index]
    session = tf.Session(f"grpc://{address}", graph=graph, config=config)
    try:
        yield session
    finally:
        with suppress(tf.errors.OpError):  # the parameter server may be gone
            session.close()
