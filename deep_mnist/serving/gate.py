"""A bounded queue: so many at work, so many waiting, the next one is sent away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class BusyError(Exception):
    """Too many were waiting already, or one's turn did not come in time."""


class Gate:
    """Lets `at_once` threads work while `waiting` more wait, each for `patience` seconds."""

    def __init__(self, at_once: int, waiting: int, patience: float) -> None:
        self._places = threading.Semaphore(at_once + waiting)
        self._turns = threading.Semaphore(at_once)
        self._patience = patience

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Runs its body when it is one's turn.

        Raises:
          BusyError: there is no place left to wait, or `patience` is over.
        """
        if not self._places.acquire(blocking=False):
            raise BusyError
        try:
            if not self._turns.acquire(timeout=self._patience):
                raise BusyError
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._places.release()
