"""A long-lived process that calls commands one after the other, TensorFlow imported once."""

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

LIMIT = 60  # seconds for a command, after which it hangs
MEMORY = 2 << 30  # bytes
EXAMPLES = (600, 50, 200)  # of the generated set: all, validation, test; so many are enough here
TRACEBACK, HANG, LOST = 70, 71, 72


class Outcome(NamedTuple):
    """How a command ended."""

    code: int  # its own, or one of those above
    out: str
    said: str  # on standard error
    memory: int = 0  # peak of the process, bytes
    left: tuple[Any, ...] = ()  # what it wrote, as the caller looks at it


def serve(pipe: Connection) -> None:
    """A process that calls commands one after the other, TensorFlow imported once."""
    from deep_mnist.data import dataset, synthetic

    synthetic.digits = functools.cache(synthetic.digits)
    dataset.SYNTHETIC_EXAMPLES, dataset.SYNTHETIC_VALIDATION, dataset.SYNTHETIC_TEST = EXAMPLES
    while True:
        words, here = pipe.recv()
        os.chdir(here)
        pipe.send(call(words))


def call(words: list[str]) -> Outcome:
    """Calls a command, and keeps what it and native code print."""
    out, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), native_standard_error() as native:
        with contextlib.redirect_stderr(said):
            try:
                command = importlib.import_module(f"deep_mnist.{words[0]}")
                code = command.main(words[1:])
            except BaseException:
                traceback.print_exc()
                code = TRACEBACK
        sys.stderr.flush()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Outcome(code, out.getvalue(), said.getvalue() + native(), memory)


@contextlib.contextmanager
def native_standard_error() -> Iterator[Callable[[], str]]:
    """What is written to file descriptor 2 in the meantime, by whatever language."""
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        text = ""
        try:
            yield lambda: text
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            held.seek(0)
            text = held.read().decode("utf-8", "replace")


class Worker:
    """A process for commands; another takes its place where it hangs or is lost."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def call(self, words: list[str], here: Path) -> Outcome:
        self._pipe.send((words, here))
        try:
            if self._pipe.poll(LIMIT):
                outcome: Outcome = self._pipe.recv()
                if outcome.memory > MEMORY:
                    self.stop()
                    self._start()
                return outcome
            code = HANG
        except (EOFError, ConnectionError):
            code = LOST
        self.stop()
        self._start()
        return Outcome(code, "", "")

    def stop(self) -> None:
        self._process.kill()
        self._process.join()
