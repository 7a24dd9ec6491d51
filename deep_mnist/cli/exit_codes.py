"""How a command ends: 0 success, 2 a user's mistake, 130 and 143 interrupted, 1 other errors."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from deep_mnist.errors import DeepMnistError, Interrupted, printable


def exit_code(name: str, command: Callable[[], int | None], stopped: str = "stopped") -> int:
    """Call a command and return its exit code, 0 where it returns None.

    A user's mistake is printed to standard error as `error:` and `hint:`, without a traceback.

    Args:
      name: the command's name, for the messages.
      command: the function to call.
      stopped: the message after Ctrl-C or SIGTERM.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # a path in the output may not be valid Unicode
        sys.stdout.reconfigure(errors="backslashreplace")
    before = _set_handlers(stopped)
    try:
        return command() or 0
    except DeepMnistError as error:
        print_error(name, error)
        return 2
    except Interrupted as interrupted:
        _print(f"{name}: {printable(interrupted.message)}", interrupted.hint)
        return 128 + interrupted.signal_number
    except KeyboardInterrupt:
        _print(f"{name}: {stopped}", None)
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader of our output is gone; Python would fail again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"{error.filename}: {reason}" if error.filename is not None else reason
        print_error(name, DeepMnistError(message))
        return 2
    finally:
        for signal_number, handler in before.items():
            signal.signal(signal_number, handler)


def print_error(name: str, error: DeepMnistError) -> None:
    """Print an error to standard error as `error: NAME: message` and `hint: ...`."""
    _print(f"error: {name}: {printable(error.message)}", error.hint)


def _print(line: str, hint: str | None) -> None:
    print(line, file=sys.stderr)
    if hint is not None:
        print(f"hint: {printable(hint)}", file=sys.stderr)


def _set_handlers(stopped: str) -> dict[int, Any]:
    """Let SIGTERM and SIGINT raise exceptions; return the previous handlers of those that change.

    SIGINT does so already, except where deep_mnist/__init__.py has changed it.
    """

    def terminate(signal_number: int, frame: FrameType | None) -> None:
        raise Interrupted(signal_number, stopped)

    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():  # Python sets handlers there only
        if signal.getsignal(signal.SIGTERM) is not signal.SIG_IGN:
            before[signal.SIGTERM] = signal.signal(signal.SIGTERM, terminate)
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    return before
