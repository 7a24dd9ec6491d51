"""Ctrl-C and SIGTERM wait for the end of the step, so that it can be saved."""

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
    """Notes the first SIGINT or SIGTERM of the body instead of acting on it.

    A second one acts at once. What is ignored, as Ctrl-C is in the background of a script, stays
    so. Off the main thread Python takes no handlers: nothing changes.
    """
    pending = Pending()
    if threading.current_thread() is not threading.main_thread():
        yield pending
        return

    def note(signal_number: int, frame: FrameType | None) -> None:
        pending.signal_number = signal_number
        restore()

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    before = {n: handler for n, handler in before.items() if handler is not signal.SIG_IGN}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in before:
        signal.signal(number, note)
    try:
        yield pending
    finally:
        restore()
