"""A picture in characters, for a terminal."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SHADES = " .:-=+*#%@"
SIDE = 28


def characters(image: npt.NDArray[np.uint8]) -> str:
    """A picture [784], 0 (background) to 255 (ink), as 28 lines of 56 characters."""
    shades = image.reshape(SIDE, SIDE).astype(int) * len(SHADES) // 256
    # Two characters a pixel: a terminal's cells are about twice as high as they are wide.
    return "\n".join("".join(2 * SHADES[shade] for shade in row) for row in shades)
