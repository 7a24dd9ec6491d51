"""An image as text, for a terminal."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["ascii_art"]

SHADES = " .:-=+*#%@"
SIDE = 28


def ascii_art(image: npt.NDArray[np.uint8]) -> str:
    """Return an image as 28 lines of 56 characters.

    Args:
      image: [784] uint8, 0 (background) to 255 (ink).
    """
    shades = image.reshape(SIDE, SIDE).astype(int) * len(SHADES) // 256
    # Two characters a pixel, because a terminal's characters are about twice as high as wide.
    return "\n".join("".join(2 * SHADES[shade] for shade in row) for row in shades)
