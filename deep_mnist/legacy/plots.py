"""`plt.show()` writes PNG files, so that scripts run without a display."""

from __future__ import annotations

import itertools
import os
import re
import sys
from pathlib import Path
from typing import Any

__all__ = ["Plots"]


class Plots:
    """The figures of a script, saved as NAME-plot-1.png, NAME-plot-2.png, ... in their order.

    Numbers continue after the highest one in the working directory: no file is overwritten.

    Args:
      name: start of the file names.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._directory = Path.cwd()
        pattern = re.compile(re.escape(name) + r"-plot-(\d+)\.png")
        found = (pattern.fullmatch(path.name) for path in self._directory.iterdir())
        self._number = max((int(match[1]) for match in found if match), default=0)
        os.environ["MPLBACKEND"] = "agg"

    def install(self, pyplot: Any) -> None:
        """Make pyplot write files where it would open a window or wait for one."""
        import matplotlib
        from matplotlib import figure

        pyplot.switch_backend("agg")
        pyplot.show = self.save_open_figures
        setattr(figure.Figure, "show", lambda shown, *args, **kwargs: self._save(shown))  # noqa: B010, mypy
        for name in ("pause", "waitforbuttonpress", "ginput", "switch_backend", "ion"):
            setattr(pyplot, name, _do_nothing)
        matplotlib.use = _do_nothing

        def draw(*args: Any, **kwargs: Any) -> None:
            pyplot.gcf().canvas.draw_idle()

        pyplot.draw = draw

    def save_open_figures(self, *args: Any, **kwargs: Any) -> None:
        """Save and close all open figures. Takes the arguments of plt.show()."""
        from matplotlib import pyplot

        for number in pyplot.get_fignums():
            figure = pyplot.figure(number)
            _run_animations(figure)
            self._save(figure)
        pyplot.close("all")

    def _save(self, figure: Any) -> None:
        self._number += 1
        path = self._directory / f"{self._name}-plot-{self._number}.png"
        try:
            figure.savefig(path)
        except OSError as error:  # a window would not have stopped the script either
            print(f"warning: plot not written to {path.name}: {error.strerror}", file=sys.stderr)
            return
        print(f"plot written to {path.name}", flush=True)


def _run_animations(figure: Any) -> None:
    """Run a figure's animations to their last frame, unless they repeat: scripts train in them.

    Of an animation without a last frame, the first is drawn.
    """
    waiting = figure.canvas.callbacks.callbacks.get("draw_event", {})
    owners: list[Any] = [getattr(method(), "__self__", None) for method in waiting.values()]
    animations = [owner for owner in owners if getattr(owner, "_repeat", True) is False]
    if animations:
        figure.canvas.draw()  # starts them
    for animation in animations:
        # Without `frames`, matplotlib counts without end.
        is_endless = isinstance(animation.new_frame_seq(), itertools.count)
        while not is_endless and animation._step():
            pass


def _do_nothing(*args: Any, **kwargs: Any) -> None:
    """Replace a function that waits for the user or changes the backend."""
