"""SciPy 1.0 for TF1 scripts: scipy.ndimage's functions for image files."""

from __future__ import annotations

import importlib
from typing import Any

from deep_mnist.legacy.shims import scipy_misc

__all__ = ["install_ndimage"]


def install_ndimage() -> None:
    """Add scipy.ndimage.imread, which SciPy 1.2 dropped."""
    ndimage: Any = importlib.import_module("scipy.ndimage")
    if not hasattr(ndimage, "imread"):
        ndimage.imread = scipy_misc.imread
