"""IPython for scripts and notebooks that run where it is not installed; see ipython_display.py."""

from deep_mnist.legacy.project_modules import get_ipython

__all__ = ["get_ipython"]
__path__: list[str] = []  # a package: IPython.display is imported from it
