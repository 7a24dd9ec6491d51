"""The progress of a run: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import shutil
import sys
from typing import Any, TextIO


class Progress:
    """Shows the progress of a run; close it before anything else is printed.

    Args:
      first_step: the first step of this process.
      steps: number of steps of the run.
      quiet: print nothing.
      mark: text after every figure, such as " (SYNTHETIC digits)".
    """

    def __init__(self, first_step: int, steps: int, quiet: bool, mark: str = "") -> None:
        self._quiet = quiet
        self._mark = mark
        self._bar: Any = None
        if not quiet and _is_terminal(sys.stdout) and _is_terminal(sys.stderr):
            self._bar = _bar(first_step, steps)

    def advance(self, steps: int = 1) -> None:
        """Count `steps` more steps as done."""
        if self._bar is not None:
            self._bar.update(steps)

    def report(self, step: int, accuracy: float, line: str | None = None) -> None:
        """Show the accuracy on the batch of `step`.

        Args:
          step: number of the batch.
          accuracy: in [0, 1].
          line: what to print instead of "step 100, training accuracy 0.84".
        """
        if self._bar is not None:
            self._bar.set_postfix_str(f"training accuracy {accuracy:g}{self._mark}", refresh=False)
            if line is not None:
                self._bar.write(f"{line}{self._mark}")
        elif not self._quiet:
            line = line or f"step {step}, training accuracy {accuracy:g}"
            print(f"{line}{self._mark}", flush=True)

    def close(self) -> None:
        """Remove the bar's cursor control from the terminal."""
        if self._bar is not None:
            self._bar.close()


def mark(dataset: str) -> str:
    """Return the text after every figure that was not measured on a published dataset."""
    return " (SYNTHETIC digits)" if dataset == "generated" else ""


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _bar(first_step: int, steps: int) -> Any:
    try:
        from tqdm import tqdm
    except ImportError:  # NumPy is installed alone: lines are printed instead
        return None
    if shutil.get_terminal_size((0, 0)).columns == 0:  # the terminal does not report its size
        return tqdm(initial=first_step, total=steps, unit=" steps", ncols=80, nrows=24)
    return tqdm(initial=first_step, total=steps, unit=" steps", dynamic_ncols=True)
