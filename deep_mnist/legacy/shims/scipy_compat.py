"""SciPy 1.0 for TF1 scripts: what scipy.ndimage offered then."""

from __future__ import annotations

import functools
import importlib
from typing import Any

from deep_mnist.legacy.shims import scipy_misc

__all__ = ["install_ndimage"]


def install_ndimage() -> None:
    """Add imread, which SciPy 1.2 dropped, and let rotate take its angle as an array of one."""
    ndimage: Any = importlib.import_module("scipy.ndimage")
    if not hasattr(ndimage, "imread"):
        ndimage.imread = scipy_misc.imread
    rotate = ndimage.rotate

    @functools.wraps(rotate)
    def rotate_by_array(input: Any, angle: Any, *args: Any, **options: Any) -> Any:  # noqa: A002
        angle = angle.item() if getattr(angle, "size", 0) == 1 else angle
        return rotate(input, angle, *args, **options)

    ndimage.rotate = rotate_by_array
