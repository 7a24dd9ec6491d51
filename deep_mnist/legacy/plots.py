"""`plt.show()` writes PNG files: old scripts run where nobody closes a window."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any


class Plots:
    """Saves the figures that a script shows, as NAME-plot-1.png and so on, where it runs.

    Args:
      name: what the files are named after.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._folder = Path.cwd()
        os.environ["MPLBACKEND"] = "agg"

    def install(self, pyplot: Any) -> None:
        """Makes pyplot write files where it would open or wait for a window."""
        import matplotlib
        from matplotlib import figure

        pyplot.switch_backend("agg")
        pyplot.show = self._show
        setattr(figure.Figure, "show", lambda shown, *args, **kwargs: self._save(shown))  # noqa: B010, mypy
        for waits in ("pause", "waitforbuttonpress", "ginput", "switch_backend", "ion"):
            setattr(pyplot, waits, _nothing)
        matplotlib.use = _nothing

        def draw(*args: Any, **kwargs: Any) -> None:
            pyplot.gcf().canvas.draw_idle()

        pyplot.draw = draw

    def _show(self, *args: Any, **kwargs: Any) -> None:
        from matplotlib import pyplot

        for number in pyplot.get_fignums():
            self._save(pyplot.figure(number))
        pyplot.close("all")

    def _save(self, figure: Any) -> None:
        number = 1
        while (path := self._folder / f"{self._name}-plot-{number}.png").exists():
            number += 1
        try:
            figure.savefig(path)
        except OSError as error:  # a window would not have stopped the script either
            print(f"plot not written to {path.name}: {error.strerror}", file=sys.stderr)
            return
        print(f"plot written to {path.name}", flush=True)


def _nothing(*args: Any, **kwargs: Any) -> None:
    """Stands for what would wait for a person or change the backend."""
