"""How every command ends: 0 done, 2 the user's mistake, 130 and 143 interrupted."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from deep_mnist.errors import DatasetError, DeepMnistError, Interrupted, printable


def exit_code(name: str, command: Callable[[], int | None], stopped: str = "stopped") -> int:
    """Calls a command and returns its exit code, 0 where it returns none.

    A mistake of the user's is one line on standard error, never a traceback. `stopped` is what
    Ctrl-C and SIGTERM are answered with.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # a path in it may be of any bytes
        sys.stdout.reconfigure(errors="backslashreplace")
    before = _terminate_by_exception(stopped)
    try:
        return command() or 0
    except (DeepMnistError, DatasetError) as error:
        print(f"{name}: {printable(str(error))}", file=sys.stderr)
        return 2
    except Interrupted as interrupted:
        print(f"{name}: {printable(str(interrupted))}", file=sys.stderr)
        return 128 + interrupted.signal_number
    except KeyboardInterrupt:
        print(f"{name}: {stopped}", file=sys.stderr)
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        file = printable(str(error.filename or "a file"))
        print(f"{name}: {file}: {error.strerror}", file=sys.stderr)
        return 2
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def _terminate_by_exception(stopped: str) -> Any:
    """Makes SIGTERM an exception, as Ctrl-C is; returns the handler before, if it was changed."""
    if signal.getsignal(signal.SIGTERM) is signal.SIG_IGN:
        return None

    def terminate(signal_number: int, frame: FrameType | None) -> None:
        raise Interrupted(signal_number, stopped)

    try:
        return signal.signal(signal.SIGTERM, terminate)
    except ValueError:  # off the main thread, Python takes no handlers
        return None
