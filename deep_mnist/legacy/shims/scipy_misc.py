"""scipy.misc's functions for images, which SciPy 1.2 dropped, on Pillow."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "bytescale",
    "fromimage",
    "imread",
    "imresize",
    "imrotate",
    "imsave",
    "logsumexp",
    "toimage",
]


def bytescale(data: Any, cmin: Any = None, cmax: Any = None, high: int = 255, low: int = 0) -> Any:
    """Values -> uint8: the smallest becomes `low`, the largest `high`."""
    data = np.asarray(data)
    if data.dtype == np.uint8:
        return data
    least = data.min() if cmin is None else cmin
    most = data.max() if cmax is None else cmax
    scale = (high - low) / ((most - least) or 1)
    return ((data - least) * scale + low).clip(low, high).round().astype(np.uint8)


def toimage(
    arr: Any, high: int = 255, low: int = 0, cmin: Any = None, cmax: Any = None, **_: Any
) -> Any:
    """An array [rows, columns] or [rows, columns, 3 or 4] -> a Pillow image."""
    from PIL import Image

    array = np.squeeze(np.asarray(arr))
    if array.ndim == 3 and array.shape[0] in (3, 4) and array.shape[2] not in (3, 4):
        array = array.transpose(1, 2, 0)
    return Image.fromarray(bytescale(array, cmin, cmax, high, low))


def imsave(name: Any, arr: Any, format: Any = None) -> None:  # noqa: A002, SciPy's name
    """Write an array to an image file."""
    toimage(arr).save(name, format)


def imread(name: Any, flatten: bool = False, mode: Any = None) -> Any:
    """Return an image file as an array; `flatten` converts it to float32 gray values."""
    from PIL import Image

    image: Any = Image.open(name)
    if mode is not None:
        image = image.convert(mode)
    return np.array(image.convert("F")) if flatten else np.array(image)


def fromimage(im: Any, flatten: bool = False, mode: Any = None) -> Any:
    """A Pillow image -> an array."""
    return np.array(im.convert("F") if flatten else im)


def imresize(arr: Any, size: Any, interp: str = "bilinear", mode: Any = None) -> Any:
    """Resize an image: to a fraction (float), a percentage (int) or a size (rows, columns)."""
    from PIL import Image

    image = toimage(arr)
    if isinstance(size, int):
        size = size / 100.0
    if isinstance(size, float):
        shape = (int(image.width * size), int(image.height * size))
    else:
        shape = (int(size[1]), int(size[0]))
    filters = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "cubic": 3}
    return np.array(image.resize(shape, Image.Resampling(filters[interp])))


def imrotate(arr: Any, angle: float, interp: str = "bilinear") -> Any:
    """Rotate an image by degrees."""
    return np.array(toimage(arr).rotate(angle, resample=2))


def logsumexp(a: Any, axis: Any = None) -> Any:
    """log(sum(exp(a)))."""
    return np.logaddexp.reduce(a, axis=axis)
