"""The session of a worker whose variables are on parameter servers."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from deep_mnist.distributed import config_check, reachability
from deep_mnist.distributed.mailbox import Signal
from deep_mnist.distributed.session import ClusterSession
from deep_mnist.distributed.task import Task
from deep_mnist.errors import ClusterTimeoutError, DeepMnistError
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import run_directory
from deep_mnist.training.session import Session

PAUSE = 0.5  # seconds between looks at what others do
BEGINNING = 30.0  # seconds from a chief's open port to its announcement: it imports TensorFlow
LAST_WORD = 10.0  # seconds to tell the parameter servers that this worker leaves


class SharedSession(ClusterSession):
    """Goes on by itself when a parameter server was lost and is back.

    Args:
      synchronous: the tf.train.SyncReplicasOptimizer, or None.

    Attributes:
      restore_newest: what the chief does where the variables were lost: it restores the newest
        checkpoint, or initializes them.
    """

    restore_newest: Callable[[], None]
    _directory: Path | None = None  # the chief's run's
    _uses_averages = False  # in the weights' place, at the end
    _result: Path  # that the chief will write

    def __init__(self, model: Any, config: Any, task: Task, synchronous: Any | None) -> None:
        lost = (tf.errors.UnavailableError, tf.errors.AbortedError)
        # A parameter server that came back has none of its variables.
        empty = (tf.errors.FailedPreconditionError, tf.errors.NotFoundError)
        self._lost = (*lost, *empty)
        self._synchronous = synchronous is not None
        if synchronous is not None:
            synchronous.ready_for_local_init_op.mark_used()  # or TensorFlow complains at the end
            self._chief_init = synchronous.chief_init_op
            self._local_init = synchronous.local_step_init_op
            self._tokens = synchronous.get_init_tokens_op()
            self._aggregate = synchronous.get_chief_queue_runner().enqueue_ops[0]
        with tf.device("/job:ps/task:0/device:CPU:0"):
            unsaved = {"trainable": False, "collections": [tf.GraphKeys.LOCAL_VARIABLES]}
            self._announcement = tf.Variable("", name="announcement", **unsaved)
            self._finished = tf.Variable(False, name="run_finished", **unsaved)
            self._failed = tf.Variable(False, name="run_failed", **unsaved)
            self._text = tf.placeholder(tf.string, [])
            reset = [self._finished.assign(False), self._failed.assign(False)]
            with tf.control_dependencies(reset):
                self._announce = self._announcement.assign(self._text).op
            self._finish = self._finished.assign(True)
            self._fail = self._failed.assign(True)
        variables = [self._announcement, *tf.global_variables()]
        self._ready = tf.stack([variable.is_initialized() for variable in variables])
        self._idle = Signal("idle", "/job:ps/task:0")
        servers = [f"/job:ps/task:{index}" for index in sorted(task.jobs["ps"])]
        self._left = [Signal("left", device) for device in servers]
        self._gave_up = [Signal("failed", device) for device in servers]
        self._asked = 0.0  # when this worker last looked whether the chief had failed
        super().__init__(model, config, task, task.jobs, task.job, task.index)

    def under_way(self) -> Path | None:
        """The directory of the run that the parameter servers hold already, if they do."""
        try:
            return Path(self._announced_by_chief()[0]) if self._call(self._is_ready) else None
        except self._lost:
            return None

    def begin(self, own_terms: dict[str, Any], directory: Path | None = None) -> None:
        self._terms = own_terms
        self._directory = directory
        try:
            self._begin()
        except self._lost as error:
            self._go_on(error, time.monotonic() + self.task.stall_timeout)

    def is_over(self, steps: int) -> bool:
        """A chief that was restarted may want updates again; DeepMnistError if it has failed."""
        waited = 0.0
        while True:
            self._check_chief()
            if self.step < steps:
                return False
            self._patiently(lambda: self._idle.give(self._tf_session, self.task.position))
            # The result counts without the chief's word too: it may have been killed before that.
            if self._result.exists() or self._run(self._finished):
                return True
            waited = 0.0 if reachability.answers(self.task.chief_address) else waited
            self._check_waited(waited)
            waited += PAUSE
            self.patience.sleep(PAUSE)

    def use_averages(self) -> None:
        super().use_averages()
        self._uses_averages = True

    def gather(self) -> None:
        self._patiently(self._let_all_go_on)
        # Words of before a chief came again, and wanted more updates.
        self._patiently(lambda: self._idle.take(self._tf_session))
        others = {p: address for p, address in self.task.positions.items() if p > 0}
        deadline = time.monotonic() + self.task.stall_timeout
        while others and time.monotonic() < deadline:
            for position in self._patiently(lambda: self._idle.take(self._tf_session)):
                others.pop(position, None)
            others = reachability.present(others)
            if others:
                self.patience.sleep(PAUSE)
        self._run([])  # they may have moved the step on

    def save(self, directory: Path, step: int, keep: int) -> None:
        """Where a parameter server is lost meanwhile, there is an older step instead, unsaved."""
        try:
            self._call(lambda: Session.save(self, directory, step, keep))
        except self._lost as error:
            self._go_on(error, time.monotonic() + self.task.stall_timeout)

    def release(self) -> None:
        self._patiently(lambda: self._tf_session.run(self._finish))

    def give_up(self) -> None:
        def tell() -> None:
            self._tf_session.run(self._fail)
            self._let_all_go_on()
            for signal in self._gave_up:
                signal.give(self._tf_session, self.task.position)

        with suppress(*self._lost, ClusterTimeoutError):
            self.patience.call(tell, LAST_WORD)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            return  # closing may wait for ever; the process ends anyway

        def leave() -> None:
            for signal in self._left:
                signal.give(self._tf_session, self.task.position)

        with suppress(*self._lost, ClusterTimeoutError):  # one has gone itself
            self.patience.call(leave, LAST_WORD)

    def _cluster_settings(self, settings: Any) -> Any:
        # Without the filter a session waits for every other worker.
        own = f"/job:{self.task.job}/task:{self.task.index}"
        settings.device_filters.extend(["/job:ps", own])
        return settings

    def _initial_value(self, variable: Any) -> Any:
        return variable.initializer.inputs[1]

    def _begin(self) -> None:
        if self._directory is not None:
            self._call(self._initialize_with_values)
            self._free_workers()
            text = {self._text: json.dumps([str(self._directory.absolute()), self._terms])}
            self._call(lambda: self._tf_session.run(self._announce, text))
        else:
            self._wait_for_chief()
        self.step = int(self._call(lambda: self._tf_session.run(self._global_step)))
        self._aggregate_from_now_on()

    def _free_workers(self) -> None:
        """Lets every worker give its first gradient to the next update."""
        if self._synchronous:
            self._call(lambda: self._tf_session.run(self._chief_init))
            self._call(lambda: self._tf_session.run(self._tokens))

    def _let_all_go_on(self) -> None:
        """A worker that waits for its turn would wait for ever."""
        if self._synchronous:
            for _ in self.task.workers:
                self._tf_session.run(self._tokens)

    def _aggregate_from_now_on(self) -> None:
        """The chief makes updates of the gradients, in a thread that ends with the session.

        There must not be two: each would take the gradients of some of the variables, and wait.
        """
        if not (self._synchronous and self.task.is_chief):
            return
        session = self._tf_session

        def aggregate() -> None:
            try:
                while True:
                    session.run(self._aggregate)
            except (tf.errors.OpError, RuntimeError):
                return

        threading.Thread(target=aggregate, daemon=True).start()

    def _is_ready(self) -> bool:
        return bool(self._tf_session.run(self._ready).all())

    def _wait_for_chief(self) -> None:
        waited = answering = 0.0
        while True:
            announced, *initialized = self._call(lambda: self._tf_session.run(self._ready))
            # Without its variables an announcement is of a run before, or of another program.
            if announced and (all(initialized) or answering > BEGINNING):
                directory, chiefs = self._announced_by_chief()
                config_check.check(self.task.name, self._terms, chiefs)
                self._result = Path(directory, run_directory.RESULT)
                if all(initialized):
                    break
            self._check_waited(waited)
            waited += PAUSE
            chief_answers = reachability.answers(self.task.chief_address)
            answering = answering + PAUSE if chief_answers else 0.0
            self.patience.sleep(PAUSE)
        if self._synchronous:
            self._call(lambda: self._tf_session.run(self._local_init))

    def _announced_by_chief(self) -> list[Any]:
        """The directory of its run, and its terms."""
        announced: list[Any] = json.loads(
            self._call(lambda: self._tf_session.run(self._announcement))
        )
        return announced

    def _check_chief(self) -> None:
        # A synchronous one that was let go on looks before it waits for its turn again.
        if self._synchronous or time.monotonic() > self._asked + PAUSE:
            if self._run(self._failed):
                raise DeepMnistError(f"{self.task.chief} gave up: see what it says")
            self._asked = time.monotonic()

    def _check_waited(self, seconds: float) -> None:
        if seconds > self.task.stall_timeout:
            chief = {self.task.chief: self.task.chief_address}
            raise ClusterTimeoutError(
                f"{reachability.describe(chief)}, the chief, has not come for "
                f"{self.task.stall_timeout:g} s: start it again, then this one"
            )

    def _patiently(self, function: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + self.task.stall_timeout
        while True:
            try:
                return self._call(function)
            except self._lost as error:
                if time.monotonic() > deadline:
                    raise ClusterTimeoutError(
                        f"a parameter server was lost ({type(error).__name__}): {self._why()}"
                    ) from None
                self._go_on(error, deadline)

    def _go_on(self, error: Exception, deadline: float) -> None:
        """Connects anew, until that succeeds; the chief restores the variables where need be."""
        program, name = self.task.program, self.task.name
        print(
            f"{program}: {name}: a parameter server was lost: {type(error).__name__}",
            file=sys.stderr,
        )
        while True:
            try:
                self._await_parameter_servers(deadline)
                self._abandon(self._tf_session)
                self._tf_session = self._open()
                if self.task.is_chief and self._call(self._is_ready):
                    self._free_workers()  # only the connection was lost
                    self._aggregate_from_now_on()
                else:
                    if self.task.is_chief:
                        self.restore_newest()
                    self._begin()
                if self._uses_averages:
                    self._call(lambda: self._tf_session.run(self._use_averages))
                return
            except self._lost:
                self._check_time(deadline, self.task.parameter_servers)
                self.patience.sleep(PAUSE)

    def _abandon(self, session: Any) -> None:
        """Ends what is under way in a session; in a thread, because it may wait for who is gone."""

        def close() -> None:
            with suppress(tf.errors.OpError):
                session.close()

        threading.Thread(target=close, daemon=True).start()

    def _await_parameter_servers(self, deadline: float) -> None:
        while absent := reachability.absent(self.task.parameter_servers):
            self._check_time(deadline, absent)
            self.patience.sleep(PAUSE)

    def _check_time(self, deadline: float, absent: dict[str, str]) -> None:
        if time.monotonic() > deadline:
            raise ClusterTimeoutError(
                f"{reachability.describe(absent)} has not come back for "
                f"{self.task.stall_timeout:g} s: start it again, then this one"
            )
