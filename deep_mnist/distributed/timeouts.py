"""Calls with a time limit: a call may wait forever for a task that is gone.

A task that gets SIGTERM has PROCESS_SHUTDOWN seconds to end. The chief needs up to five times
CALL_SHUTDOWN of them: the step under way, and two attempts to check the weights and save them.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

from deep_mnist.errors import ClusterTimeoutError, Interrupted
from deep_mnist.training.interrupts import Pending

POLL = 0.25  # seconds between checks of the clock and of signals
CALL_SHUTDOWN = 10.0  # seconds that a call may still take after a signal
SERVER_SHUTDOWN = 55.0  # seconds that a parameter server waits for the workers after a signal
PROCESS_SHUTDOWN = 60.0  # seconds after which a process of a local cluster is killed

Calls = queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]]


class TimeLimit:
    """Makes calls in another thread, so that the main thread can abandon them and handle signals.

    Args:
      seconds: the longest time that a call may take.
      explain: returns the message and the hint of the error where a call takes longer.

    Attributes:
      pending: the signal that arrived, if any.
      check: called while a call takes time; an exception that it raises ends the call.
    """

    def __init__(self, seconds: float, explain: Callable[[], tuple[str, str]]) -> None:
        self.seconds = seconds
        self.pending = Pending()
        self.check: Callable[[], None] = lambda: None
        self._explain = explain
        self._calls: Calls | None = None

    def call(self, function: Callable[[], Any], seconds: float | None = None) -> Any:
        """Return the function's result, or raise its exception.

        Args:
          function: what to call.
          seconds: another limit than that of all calls.

        Raises:
          ClusterTimeoutError: the function did not return in time.
          Interrupted: a signal arrived, and the function did not return within CALL_SHUTDOWN.
        """
        self.check()
        limit = self.seconds if seconds is None else seconds
        if self._calls is None:
            self._calls = queue.SimpleQueue()
            threading.Thread(target=_make_calls, args=(self._calls,), daemon=True).start()
        result: Future[Any] = Future()
        self._calls.put((function, result))
        deadline = time.monotonic() + limit
        signalled: float | None = None
        try:
            while not wait([result], POLL).done:
                self.check()
                now = time.monotonic()
                if self.pending.signal_number is not None:
                    signalled = signalled or now
                    if now > signalled + CALL_SHUTDOWN:
                        raise Interrupted(self.pending.signal_number, "")
                if now > deadline:
                    reason, hint = self._explain()
                    raise ClusterTimeoutError(f"no answer for {limit:g} s: {reason}", hint=hint)
        except BaseException:
            self._calls = None  # its thread may never return
            raise
        return result.result()

    def sleep(self, seconds: float) -> None:
        """Wait; raise Interrupted where a signal has arrived."""
        self.check()
        time.sleep(seconds)
        if self.pending.signal_number is not None:
            raise Interrupted(self.pending.signal_number, "")


def stopped(task: str, signal_number: int) -> Interrupted:
    """Return the exception of a task that a signal stopped."""
    hint = "start it again with the same command to continue"
    return Interrupted(signal_number, f"{task} stopped", hint=hint)


def _make_calls(calls: Calls) -> None:
    while True:
        function, result = calls.get()
        try:
            result.set_result(function())
        except BaseException as error:
            result.set_exception(error)
