"""A process that calls commands of deep_mnist one after the other, and imports TensorFlow once."""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import multiprocessing
import os
import resource
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

TIMEOUT = 60  # seconds per command
MEMORY_LIMIT = 2 << 30  # bytes
SYNTHETIC_EXAMPLES = (600, 50, 200)  # all, validation, test: fewer than usual, for speed
TRACEBACK, TIMED_OUT, PROCESS_ENDED = 70, 71, 72


class Outcome(NamedTuple):
    """How a command ended."""

    code: int  # its exit code, or one of the three above
    stdout: str
    stderr: str
    memory: int = 0  # peak of the process, bytes
    written: tuple[Any, ...] = ()  # what it wrote, as the caller compares it


def serve(pipe: Connection) -> None:
    """Call the commands that come through a pipe, and send back their outcomes."""
    from deep_mnist.data import dataset, synthetic

    synthetic.digits = functools.cache(synthetic.digits)
    (
        dataset.SYNTHETIC_EXAMPLES,
        dataset.SYNTHETIC_VALIDATION,
        dataset.SYNTHETIC_TEST,
    ) = SYNTHETIC_EXAMPLES
    while True:
        arguments, directory = pipe.recv()
        os.chdir(directory)
        pipe.send(call(arguments))


def call(arguments: list[str]) -> Outcome:
    """Call a command, and capture what it and native code print.

    Args:
      arguments: a module of deep_mnist with a main(argv), and its argv.
    """
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), native_standard_error() as native:
        with contextlib.redirect_stderr(stderr):
            try:
                command = importlib.import_module(f"deep_mnist.{arguments[0]}")
                code = command.main(arguments[1:])
            except BaseException:
                traceback.print_exc()
                code = TRACEBACK
        sys.stderr.flush()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Outcome(code, stdout.getvalue(), stderr.getvalue() + native(), memory)


@contextlib.contextmanager
def native_standard_error() -> Iterator[Callable[[], str]]:
    """Capture what is written to file descriptor 2, by native code too."""
    saved = os.dup(2)
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        text = ""
        try:
            yield lambda: text
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            captured.seek(0)
            text = captured.read().decode("utf-8", "replace")


class Worker:
    """A process that calls commands; it is replaced where it times out or ends."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other_end = context.Pipe()
        self._process = context.Process(target=serve, args=(other_end,), daemon=True)
        self._process.start()
        other_end.close()

    def call(self, arguments: list[str], directory: Path) -> Outcome:
        """Call a command in a directory and return its outcome."""
        self._pipe.send((arguments, directory))
        try:
            if self._pipe.poll(TIMEOUT):
                outcome: Outcome = self._pipe.recv()
                if outcome.memory > MEMORY_LIMIT:
                    self._restart()
                return outcome
            code = TIMED_OUT
        except (EOFError, ConnectionError):
            code = PROCESS_ENDED
        self._restart()
        return Outcome(code, "", "")

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()

    def _restart(self) -> None:
        self.stop()
        self._start()
