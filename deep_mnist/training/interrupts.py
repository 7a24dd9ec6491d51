"""Ctrl-C and SIGTERM take effect at the end of a step, so that it can be saved."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Pending:
    """The signal that arrived, if any."""

    signal_number: int | None = None


@contextmanager
def deferred() -> Iterator[Pending]:
    """Record the first SIGINT or SIGTERM within the context instead of acting on it.

    A second one acts at once. A signal that is ignored, such as Ctrl-C in a shell's background
    job, stays ignored. Python handles signals in the main thread only; in others this does
    nothing.
    """
    pending = Pending()
    if threading.current_thread() is not threading.main_thread():
        yield pending
        return

    def record(signal_number: int, frame: FrameType | None) -> None:
        pending.signal_number = signal_number
        restore()

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    before = {n: handler for n, handler in before.items() if handler is not signal.SIG_IGN}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in before:
        signal.signal(number, record)
    try:
        yield pending
    finally:
        restore()
