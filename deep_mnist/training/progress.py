"""Progress: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import shutil
import sys
from typing import Any, TextIO


class Progress:
    """Shows how far a run is; close it before anything else is printed."""

    def __init__(self, first_step: int, steps: int, quiet: bool, mark: str = "") -> None:
        """`mark` follows every figure, as in " (GENERATED digits)"."""
        self._quiet = quiet
        self._mark = mark
        self._bar: Any = None
        if not quiet and _is_terminal(sys.stdout) and _is_terminal(sys.stderr):
            self._bar = _bar(first_step, steps)

    def advance(self, steps: int = 1) -> None:
        """So many steps more are done."""
        if self._bar is not None:
            self._bar.update(steps)

    def report(self, step: int, accuracy: float, line: str | None = None) -> None:
        """The accuracy [0, 1] on the batch of `step`; `line` says it in the program's own words."""
        if self._bar is not None:
            self._bar.set_postfix_str(f"training accuracy {accuracy:g}{self._mark}", refresh=False)
            if line is not None:
                self._bar.write(f"{line}{self._mark}")
        elif not self._quiet:
            line = line or f"step {step}, training accuracy {accuracy:g}"
            print(f"{line}{self._mark}", flush=True)

    def close(self) -> None:
        """Leaves the terminal as it was found."""
        if self._bar is not None:
            self._bar.close()


def mark(dataset: str) -> str:
    """What follows every figure that is not one of a published data set."""
    return " (GENERATED digits)" if dataset == "generated" else ""


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _bar(first_step: int, steps: int) -> Any:
    try:
        from tqdm import tqdm
    except ImportError:  # an installation of NumPy alone: lines do
        return None
    if shutil.get_terminal_size((0, 0)).columns == 0:  # a terminal that does not tell its size
        return tqdm(initial=first_step, total=steps, unit=" steps", ncols=80, nrows=24)
    return tqdm(initial=first_step, total=steps, unit=" steps", dynamic_ncols=True)
