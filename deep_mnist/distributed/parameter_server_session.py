"""The session of a worker whose variables are on parameter servers."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from deep_mnist.distributed import chief_failure, config_check, reachability
from deep_mnist.distributed.mailbox import Mailbox
from deep_mnist.distributed.session import RESTART_HINT, ClusterSession
from deep_mnist.distributed.task import Task
from deep_mnist.errors import ClusterTimeoutError
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import run_directory
from deep_mnist.training.config import RunConfig
from deep_mnist.training.session import Session

PAUSE = 0.5  # seconds between checks of what other tasks do
CHIEF_STARTUP = 30.0  # seconds from a chief's open port to its announcement: it imports TensorFlow
NOTIFY_TIMEOUT = 10.0  # seconds to tell the parameter servers that this worker ends


class ParameterServerSession(ClusterSession):
    """Reconnects when a parameter server was lost and is back.

    The chief announces a run in variables on the first parameter server: its directory and its
    settings, and later that it finished. The other workers wait for the announcement.

    Args:
      model: the tutorial's Model.
      run_config: numbers of threads and precision.
      task: this process.
      sync_optimizer: the tf.train.SyncReplicasOptimizer, or None.
    """

    _directory: Path | None = None  # of the run, in the chief

    def __init__(self, model: Any, run_config: RunConfig, task: Task, sync_optimizer: Any) -> None:
        disconnected = (tf.errors.UnavailableError, tf.errors.AbortedError)
        # A parameter server that was restarted has none of its variables.
        restarted = (tf.errors.FailedPreconditionError, tf.errors.NotFoundError)
        self._lost = (*disconnected, *restarted)
        self._is_synchronous = sync_optimizer is not None
        if sync_optimizer is not None:
            sync_optimizer.ready_for_local_init_op.mark_used()  # or TensorFlow warns at the end
            self._chief_init = sync_optimizer.chief_init_op
            self._local_init = sync_optimizer.local_step_init_op
            self._add_tokens = sync_optimizer.get_init_tokens_op()
            self._aggregate = sync_optimizer.get_chief_queue_runner().enqueue_ops[0]
        self._add_announcement()
        self._idle = Mailbox("idle", "/job:ps/task:0")
        servers = [f"/job:ps/task:{index}" for index in sorted(task.cluster["ps"])]
        self._left = [Mailbox("left", device) for device in servers]
        self._chief = {task.chief: task.chief_address}
        self._watch = chief_failure.Watch(task)  # of the chief, for the others
        super().__init__(model, run_config, task, task.cluster, task.job, task.index)

    def _add_announcement(self) -> None:
        with tf.device("/job:ps/task:0/device:CPU:0"):
            unsaved = {"trainable": False, "collections": [tf.GraphKeys.LOCAL_VARIABLES]}
            self._announcement = tf.Variable("", name="announcement", **unsaved)
            self._finished = tf.Variable(False, name="run_finished", **unsaved)
            self._text = tf.placeholder(tf.string, [])
            with tf.control_dependencies([self._finished.assign(False)]):
                self._announce = self._announcement.assign(self._text).op
            self._set_finished = self._finished.assign(True)
        variables = [self._announcement, *tf.global_variables()]
        self._initialized = tf.stack([variable.is_initialized() for variable in variables])

    # The session's life --------------------------------------------------------

    def running_directory(self) -> Path | None:
        """Return the directory of the run whose variables the parameter servers hold, if any."""
        try:
            return Path(self._read_announcement()[0]) if self._is_initialized() else None
        except self._lost:
            return None

    def start(self, settings: dict[str, Any], directory: Path | None = None) -> None:
        """Initialize the variables, as the chief, or wait for the chief to do so."""
        self._settings = settings
        self._directory = directory
        if directory is None:
            self._watch.start()
            self.time_limit.check = self._watch.check
        try:
            self._start()
        except self._lost as error:
            self._reconnect(error, self._deadline())

    def is_finished(self, steps: int) -> bool:
        """Return whether the run is finished; wait for it after the last step.

        The chief may want more updates after the last: a restarted one continues from an earlier
        checkpoint.

        Raises:
          DeepMnistError: the chief has failed.
        """
        while self.step >= steps:
            self._call(lambda: self._idle.send(self._tf_session, self.task.rank))
            # A chief that was killed after it wrote the result announced nothing.
            if self._result.exists() or self._run(self._finished):
                return True
            self.time_limit.sleep(PAUSE)
        return False

    def wait_for_workers(self) -> None:
        """Wait until no other worker that can be reached changes the variables any more."""
        self._call(self._release_waiting_workers)
        # Drop messages that were sent before this chief was restarted and wanted more updates.
        self._call(lambda: self._idle.receive(self._tf_session))
        others = {rank: address for rank, address in self.task.ranks.items() if rank > 0}
        deadline = self._deadline()
        while others and time.monotonic() < deadline:
            for rank in self._call(lambda: self._idle.receive(self._tf_session)):
                others.pop(rank, None)
            others = reachability.reachable(others)
            if others:
                self.time_limit.sleep(PAUSE)
        self._run([])  # reads the step, which they may have increased

    def save(self, directory: Path, step: int, keep: int) -> None:
        """Save all variables; if a parameter server is lost, go back to an older checkpoint."""
        try:
            self.time_limit.call(lambda: Session.save(self, directory, step, keep))
        except self._lost as error:
            self._reconnect(error, self._deadline())

    def announce_finished(self) -> None:
        """As the chief, let the other workers end."""
        self._call(lambda: self._tf_session.run(self._set_finished))

    def __exit__(self, *error: object) -> None:
        """Tell the parameter servers that this worker needs them no more."""

        def leave() -> None:
            for mailbox in self._left:
                mailbox.send(self._tf_session, self.task.rank)

        self._watch.stop()
        # The session is not closed: that may wait forever, and the process ends anyway.
        if error[0] is None:
            with suppress(*self._lost, ClusterTimeoutError):  # a parameter server may have ended
                self.time_limit.call(leave, NOTIFY_TIMEOUT)

    # Starting ------------------------------------------------------------------

    def _configure(self, settings: Any) -> Any:
        # Without filters a session waits for every other worker.
        own = f"/job:{self.task.job}/task:{self.task.index}"
        settings.device_filters.extend(["/job:ps", own])
        return settings

    def _initial_value(self, variable: Any) -> Any:
        return variable.initializer.inputs[1]

    def _start(self) -> None:
        if self._directory is not None:
            self.time_limit.call(self._assign_recorded_values)
            self._initialize_tokens()
            announcement = json.dumps([str(self._directory.absolute()), self._settings])
            self._run_once(self._announce, {self._text: announcement})
        else:
            self._wait_for_chief()
        self.step = int(self._run_once(self._global_step))
        self._start_aggregating()

    def _wait_for_chief(self) -> None:
        deadline, reachable_for = self._deadline(), 0.0
        while True:
            announced, *initialized = self._run_once(self._initialized)
            # Variables that are not initialized: the announcement is of an earlier run, unless
            # this task's program has other variables than the chief's.
            if announced and (all(initialized) or reachable_for > CHIEF_STARTUP):
                directory, chiefs = self._read_announcement()
                config_check.check_task(self.task.name, self._settings, chiefs)
                self._result = Path(directory, run_directory.RESULT)
                if all(initialized):
                    break
            self._check_deadline(deadline, self._chief)
            is_reachable = reachability.is_reachable(self.task.chief_address)
            reachable_for = reachable_for + PAUSE if is_reachable else 0.0
            self.time_limit.sleep(PAUSE)
        if self._is_synchronous:
            self._run_once(self._local_init)

    def _is_initialized(self) -> bool:
        return bool(self._run_once(self._initialized).all())

    def _read_announcement(self) -> list[Any]:
        """Return the directory of the run and the chief's settings."""
        announcement: list[Any] = json.loads(self._run_once(self._announcement))
        return announcement

    # Synchronous updates -------------------------------------------------------

    def _initialize_tokens(self) -> None:
        """Let every worker contribute its first gradient: each needs a token for a step."""
        if self._is_synchronous:
            self._run_once(self._chief_init)
            self._run_once(self._add_tokens)

    def _release_waiting_workers(self) -> None:
        """Give tokens to workers that wait for one; they would wait forever."""
        if self._is_synchronous:
            for _ in self.task.workers:
                self._tf_session.run(self._add_tokens)

    def _start_aggregating(self) -> None:
        """As the chief, turn gradients into updates, in a thread that ends with the session.

        With two such threads each would take the gradients of some of the variables and wait.
        """
        if not (self._is_synchronous and self.task.is_chief):
            return
        session = self._tf_session

        def aggregate() -> None:
            with suppress(tf.errors.OpError, RuntimeError):
                while True:
                    session.run(self._aggregate)

        threading.Thread(target=aggregate, daemon=True).start()

    # Lost parameter servers ----------------------------------------------------

    def _deadline(self) -> float:
        return time.monotonic() + self.task.stall_timeout

    def _run_once(self, fetches: Any, feed_dict: Any = None) -> Any:
        """Like tf.Session.run, within the time limit and without reconnecting."""
        return self.time_limit.call(lambda: self._tf_session.run(fetches, feed_dict))

    def _call(self, function: Callable[[], Any]) -> Any:
        deadline = self._deadline()
        while True:
            try:
                return self.time_limit.call(function)
            except self._lost as error:
                if time.monotonic() > deadline:
                    reason, hint = self._explain_timeout()
                    raise ClusterTimeoutError(
                        f"a parameter server was lost ({type(error).__name__}): {reason}", hint=hint
                    ) from None
                self._reconnect(error, deadline)

    def _reconnect(self, error: Exception, deadline: float) -> None:
        """Connect again, until it succeeds; the chief restores variables that were lost."""
        print(
            f"warning: distributed: {self.task.name}: a parameter server was lost "
            f"({type(error).__name__})",
            file=sys.stderr,
        )
        while True:
            try:
                self._wait_for_parameter_servers(deadline)
                _close_in_background(self._tf_session)
                self._tf_session = self._open()
                if self.task.is_chief and self._is_initialized():
                    self._initialize_tokens()  # only the connection was lost
                    self._start_aggregating()
                else:
                    if self.task.is_chief:
                        self.restore_newest()
                    self._start()
                return
            except self._lost:
                self._check_deadline(deadline, self.task.parameter_servers)
                self.time_limit.sleep(PAUSE)

    def _wait_for_parameter_servers(self, deadline: float) -> None:
        while missing := reachability.unreachable(self.task.parameter_servers):
            self._check_deadline(deadline, missing)
            self.time_limit.sleep(PAUSE)

    def _check_deadline(self, deadline: float, missing: dict[str, str]) -> None:
        if time.monotonic() > deadline:
            raise ClusterTimeoutError(
                f"{reachability.describe(missing)}: no answer for {self.task.stall_timeout:g} s",
                hint=RESTART_HINT,
            )


def _close_in_background(session: Any) -> None:
    """End what a session does; in a thread, because it may wait for a task that is gone."""

    def close() -> None:
        with suppress(tf.errors.OpError):
            session.close()

    threading.Thread(target=close, daemon=True).start()
