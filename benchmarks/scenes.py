"""Synthetic photographs of digits: on paper, on a table, in uneven light.

Size, position, light and background are random. Uses NumPy and Pillow only.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

Floats = npt.NDArray[np.float64]
Digits = npt.NDArray[np.uint8]
Random = np.random.Generator

HEIGHT, WIDTH = 640, 800
INKS = ((25, 25, 30), (35, 50, 140), (180, 40, 40), (30, 100, 60))
PENCIL = (130, 130, 132)
TABLES = ((120, 82, 52), (60, 46, 40), (95, 95, 100), (165, 130, 95))


class Scene(NamedTuple):
    """An image, and which of its pixels belong to which digit."""

    colors: Floats  # [H, W, 3] in [0, 255]
    owner: Digits  # [H, W] uint8: number of the digit, from 1; 0 is background

    def boxes(self) -> list[tuple[int, int, int, int]]:
        """Return the bounding box of each digit: x, y, width, height."""
        found = []
        for number in range(1, int(self.owner.max()) + 1):
            rows, columns = np.nonzero(self.owner == number)
            left, top = int(columns.min()), int(rows.min())
            found.append((left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1))
        return found

    def file(self) -> bytes:
        """Return the image as a JPEG file."""
        file = io.BytesIO()
        _image(self.colors).save(file, "JPEG", quality=82)
        return file.getvalue()


def paper(random: Random, height: int = HEIGHT, width: int = WIDTH) -> Scene:
    """Return an empty sheet of nearly white paper."""
    tint = random.uniform(195, 245) * np.array([1, random.uniform(0.97, 1), random.uniform(0.9, 1)])
    colors = tint + random.normal(0, 2, (height, width, 1))
    return Scene(colors, np.zeros((height, width), np.uint8))


def table(random: Random, height: int = HEIGHT, width: int = WIDTH) -> Floats:
    """Return the colors of a wooden table, [H, W, 3]."""
    streaks = np.repeat(random.normal(0, 1, (height, 1 + width // 40)), 40, axis=1)[:, :width]
    color = np.array(TABLES[random.integers(len(TABLES))])
    return np.asarray(color * (1 + 0.06 * streaks[:, :, None]))


def write_digit(
    scene: Scene,
    digit: Digits,
    position: tuple[int, int, int],
    ink: tuple[int, int, int],
    thinner: int = 0,
) -> None:
    """Draw a digit [28, 28] into the scene at (left, top, side) in pixels."""
    left, top, side = position
    large = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    if thinner:
        large = large.filter(ImageFilter.MinFilter(2 * thinner + 1))
    coverage = np.clip(np.asarray(large, np.float64) / 100 - 0.6, 0, 1)
    rows, columns = slice(top, top + side), slice(left, left + side)
    height, width = scene.owner[rows, columns].shape
    coverage = coverage[:height, :width]
    area, opacity = scene.colors[rows, columns], 0.92 * coverage[:, :, None]
    area[:] = area * (1 - opacity) + opacity * np.array(ink)
    scene.owner[rows, columns][coverage > 0.5] = scene.owner.max() + 1


def write(digits: Digits, random: Random, scene: Scene, ink: tuple[int, int, int]) -> Scene:
    """Return the scene with one digit anywhere, or several in a row."""
    height, width = scene.owner.shape
    if len(digits) == 1:
        side = int(random.uniform(0.4, 0.75) * min(height, width))
        left, top = (int(random.uniform(0.05, 0.95) * (n - side)) for n in (width, height))
        write_digit(
            scene, digits[0], (left, top, side), ink, int(random.integers(0, 1 + side // 120))
        )
        return scene
    side = min(height * 2 // 3, int(0.94 * width / len(digits)))
    top = int(random.uniform(0.1, 0.9) * (height - side))
    for number, digit in enumerate(digits):
        write_digit(scene, digit, (int(0.03 * width) + number * side, top, side), ink)
    return scene


def shade(scene: Scene, random: Random, depth: float, edge: float = 0.5) -> Scene:
    """Return the scene with a shadow on one side and noise.

    Args:
      scene: the scene.
      random: chooses the direction and position of the shadow.
      depth: fraction of the light that is missing in the shadow.
      edge: width of the shadow's edge, relative to the image; small is a hard shadow.
    """
    height, width = scene.owner.shape
    y, x = np.mgrid[:height, :width]
    angle = random.uniform(0, 2 * np.pi)
    along = np.cos(angle) * (x / width - 0.5) + np.sin(angle) * (y / height - 0.5)
    light = 1 - depth / (1 + np.exp(-(along - random.uniform(-0.2, 0.2)) / (0.3 * edge)))
    noise = random.normal(0, 3, scene.colors.shape)
    return scene._replace(colors=scene.colors * light[:, :, None] + noise)


def lay_on(background: Floats, sheet: Scene, random: Random, max_degrees: float) -> Scene:
    """Return a sheet on a background [H, W, 3], rotated by up to `max_degrees`."""
    angle = random.uniform(-max_degrees, max_degrees)
    height, width = sheet.owner.shape
    layers = [_image(sheet.colors), Image.fromarray(sheet.owner)]
    layers.append(Image.new("L", (width, height), 255))
    colors, owner, cover = (
        np.asarray(layer.rotate(angle, expand=True, resample=Image.Resampling.NEAREST))
        for layer in layers
    )
    rows, columns = owner.shape
    top, left = (
        int(random.uniform(0, max(1, available - needed)))
        for available, needed in zip(background.shape, (rows, columns), strict=False)
    )
    result, owners = background.copy(), np.zeros(background.shape[:2], np.uint8)
    area = (slice(top, top + rows), slice(left, left + columns))
    visible = cover[: background.shape[0] - top, : background.shape[1] - left] > 0
    result[area][visible] = colors[: visible.shape[0], : visible.shape[1]][visible]
    owners[area][visible] = owner[: visible.shape[0], : visible.shape[1]][visible]
    blurred = _image(result).filter(ImageFilter.GaussianBlur(1))
    return Scene(np.asarray(blurred, np.float64), owners)


def draw_over(scene: Scene, draw: Callable[[ImageDraw.ImageDraw], None]) -> Scene:
    """Return the scene with something drawn over it."""
    image = _image(scene.colors)
    draw(ImageDraw.Draw(image))
    return scene._replace(colors=np.asarray(image, np.float64))


def random_ink(random: Random) -> tuple[int, int, int]:
    """Return the color of a pen."""
    return INKS[random.integers(len(INKS))]


def _image(colors: Floats) -> Image.Image:
    return Image.fromarray(np.clip(colors, 0, 255).astype(np.uint8))
