"""A bounded queue before a few threads that do the work; the next one is sent away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TypeVar

T = TypeVar("T")


class BusyError(Exception):
    """Too many were waiting already, or one's turn did not come in time."""


class Gate:
    """Lets `at_once` threads work while `waiting` more wait, each for `patience` seconds.

    The threads are always the same: what a large picture took of memory is there for the next one,
    not once for every thread that ever had one.
    """

    def __init__(self, at_once: int, waiting: int, patience: float) -> None:
        self.places = at_once + waiting
        self._free = threading.Semaphore(self.places)
        self._threads = ThreadPoolExecutor(at_once, "reading")
        self._patience = patience

    def run(self, work: Callable[[], T]) -> T:
        """Returns what `work` does, once it is its turn.

        Raises:
          BusyError: there is no place left to wait, or `patience` is over.
        """
        if not self._free.acquire(blocking=False):
            raise BusyError
        try:
            result = self._threads.submit(work)
            try:
                return result.result(self._patience)
            except FutureTimeoutError:
                if result.cancel():
                    raise BusyError from None
                return result.result()  # it is being worked on
        finally:
            self._free.release()
