"""The ways a command ends early that are no fault of the program."""

from __future__ import annotations


class UserError(Exception):
    """A mistake of the user's. The message is one line: expected, found, what to do."""


class DamagedError(UserError):
    """A checkpoint that is cut short, altered, or lacks one of its files."""


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM. The message says what was saved and how to go on.

    Like KeyboardInterrupt it is no Exception: a signal may come while code that is not ours
    runs, and nothing there may swallow it.
    """

    def __init__(self, signal_number: int, message: str) -> None:
        super().__init__(message)
        self.signal_number = signal_number
