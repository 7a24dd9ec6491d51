"""Calls that may never return, because they wait for a task that is gone."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from deep_mnist.errors import ClusterTimeoutError, Interrupted
from deep_mnist.training.interrupts import Pending

POLL = 0.25  # seconds between looks at the clock and at signals
GRACE = 10.0  # seconds that a call may still take after a signal


class Call:
    """A call under way in another thread, and what became of it."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function
        self.done = threading.Event()
        self.result: Any = None
        self.error: BaseException | None = None


class Patience:
    """Makes calls in a thread, so that the main one can give them up, and hear signals meanwhile.

    Args:
      seconds: that a call may take.
      explain: why one may have taken longer, in words.
    """

    def __init__(self, seconds: float, explain: Callable[[], str]) -> None:
        self.seconds = seconds
        self.pending = Pending()  # the signal that has arrived, if any
        self._explain = explain
        self._calls: queue.SimpleQueue[Call] | None = None

    def call(self, function: Callable[[], Any], seconds: float | None = None) -> Any:
        """The function's result, or its exception.

        Raises:
          ClusterTimeoutError: it did not return in time.
          Interrupted: a signal arrived, and it did not return for GRACE seconds from then on.
        """
        limit = self.seconds if seconds is None else seconds
        if self._calls is None:
            self._calls = queue.SimpleQueue()
            threading.Thread(target=_make, args=(self._calls,), daemon=True).start()
        call = Call(function)
        self._calls.put(call)
        deadline = time.monotonic() + limit
        signalled: float | None = None
        while not call.done.wait(POLL):
            now = time.monotonic()
            if self.pending.signal_number is not None:
                signalled = signalled or now
                if now > signalled + GRACE:
                    self._calls = None  # its thread is lost
                    raise Interrupted(self.pending.signal_number, "")
            if now > deadline:
                self._calls = None
                raise ClusterTimeoutError(f"no answer for {limit:g} s: {self._explain()}")
        if call.error is not None:
            raise call.error
        return call.result

    def sleep(self, seconds: float) -> None:
        """Waits; raises Interrupted where a signal has arrived."""
        time.sleep(seconds)
        if self.pending.signal_number is not None:
            raise Interrupted(self.pending.signal_number, "")


def _make(calls: queue.SimpleQueue[Call]) -> None:
    while True:
        call = calls.get()
        try:
            call.result = call.function()
        except BaseException as error:
            call.error = error
        call.done.set()
