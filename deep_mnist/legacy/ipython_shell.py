"""`get_ipython()` and `display()` for notebooks and scripts that run without IPython."""

from __future__ import annotations

import contextlib
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from deep_mnist.legacy import ipython_syntax

__all__ = ["Shell", "display"]


class Shell:
    """What `get_ipython()` returns. Methods without an equivalent here do nothing."""

    def __init__(self) -> None:
        self._skipped: set[str] = set()

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **kwargs: None

    def skip(self, text: str, result: Any = None) -> Any:
        """Print a warning, once for each text, and return `result`."""
        if text not in self._skipped:
            self._skipped.add(text)
            caller = sys._getframe(1)
            where = f"{caller.f_code.co_filename}, line {caller.f_lineno}"
            print(f"warning: legacy run: {where}: {text} is skipped", file=sys.stderr)
        return result

    @contextlib.contextmanager
    def timed(self) -> Iterator[None]:
        """Print the time that the body takes to standard error."""
        start = time.perf_counter()
        try:
            yield
        finally:
            print(f"Wall time: {time.perf_counter() - start:.3g} s", file=sys.stderr)

    def write_file(self, arguments: str, text: str) -> None:
        """Write the rest of a cell to a file: `%%writefile [-a] PATH`."""
        words = shlex.split(arguments)
        append = bool(words) and words[0] in ("-a", "--append")
        path = Path(" ".join(words[append:])).expanduser()
        with path.open("a" if append else "w", encoding="utf-8") as file:
            file.write(text if text.endswith("\n") else f"{text}\n")

    def magic(self, line: str) -> Any:
        """Run `%line`."""
        return self._run(f"%{line}", sys._getframe(1).f_globals)

    def run_line_magic(self, name: str, line: str, *args: Any) -> Any:
        """Run `%name line`."""
        return self._run(f"%{name} {line}", sys._getframe(1).f_globals)

    def run_cell_magic(self, name: str, line: str, cell: str) -> Any:
        """Run `%%name line` with the cell."""
        return self._run(f"%%{name} {line}\n{cell}", sys._getframe(1).f_globals)

    def system(self, command: str) -> None:
        """Skip a shell command."""
        self.skip(f"!{command}")

    def getoutput(self, command: str, *args: Any, **kwargs: Any) -> list[str]:
        """Skip a shell command and return no lines."""
        self.skip(f"!{command}")
        return []

    def _run(self, text: str, namespace: dict[str, Any]) -> None:
        python = ipython_syntax.translated(text)
        with self.timed() if python.timed else contextlib.nullcontext():
            exec(compile(python.text, "<magic>", "exec", dont_inherit=True), namespace)


def display(*values: Any, **options: Any) -> None:
    """Print values as the last line of a cell is printed; figures are saved by plots.py."""
    for value in values:
        if value is not None:
            print(repr(value))
