"""Digits where people write them: on sheets, notes and boards, photographed, and on screens.

Each kind draws given digits [N, 28, 28] from a generator of random numbers: how large, where, in
which light and on what. It needs NumPy and Pillow alone.
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
    """What there is to see."""

    colours: Floats  # [H, W, 3] in [0, 255]
    owner: Digits  # [H, W]: the number of the digit whose ink it is, from 1 on

    def boxes(self) -> list[tuple[int, int, int, int]]:
        """x, y, width and height of each digit."""
        found = []
        for number in range(1, int(self.owner.max()) + 1):
            rows, columns = np.nonzero(self.owner == number)
            left, top = int(columns.min()), int(rows.min())
            found.append((left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1))
        return found

    def file(self) -> bytes:
        """As a camera saves it."""
        file = io.BytesIO()
        _image(self.colours).save(file, "JPEG", quality=82)
        return file.getvalue()


def paper(random: Random, height: int = HEIGHT, width: int = WIDTH) -> Scene:
    tint = random.uniform(195, 245) * np.array([1, random.uniform(0.97, 1), random.uniform(0.9, 1)])
    colours = tint + random.normal(0, 2, (height, width, 1))
    return Scene(colours, np.zeros((height, width), np.uint8))


def table(random: Random, height: int = HEIGHT, width: int = WIDTH) -> Floats:
    """Wood, with its grain."""
    streaks = np.repeat(random.normal(0, 1, (height, 1 + width // 40)), 40, axis=1)[:, :width]
    colour = np.array(TABLES[random.integers(len(TABLES))])
    return np.asarray(colour * (1 + 0.06 * streaks[:, :, None]))


def write(
    scene: Scene,
    digit: Digits,
    place: tuple[int, int, int],
    ink: tuple[int, int, int],
    thinner: int = 0,
) -> None:
    """Adds a digit, (left, top, height of its 28 pixels)."""
    left, top, side = place
    large = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    if thinner:
        large = large.filter(ImageFilter.MinFilter(2 * thinner + 1))
    share = np.clip(np.asarray(large, np.float64) / 100 - 0.6, 0, 1)
    rows, columns = slice(top, top + side), slice(left, left + side)
    share = share[: scene.owner[rows, columns].shape[0], : scene.owner[rows, columns].shape[1]]
    under = scene.colours[rows, columns]
    under[:] = under * (1 - 0.92 * share[:, :, None]) + 0.92 * share[:, :, None] * np.array(ink)
    scene.owner[rows, columns][share > 0.5] = scene.owner.max() + 1


def written(digits: Digits, random: Random, scene: Scene, ink: tuple[int, int, int]) -> Scene:
    """One digit anywhere, or several in a line."""
    height, width = scene.owner.shape
    if len(digits) == 1:
        side = int(random.uniform(0.4, 0.75) * min(height, width))
        left, top = (int(random.uniform(0.05, 0.95) * (n - side)) for n in (width, height))
        write(scene, digits[0], (left, top, side), ink, int(random.integers(0, 1 + side // 120)))
        return scene
    side = min(height * 2 // 3, int(0.94 * width / len(digits)))
    top = int(random.uniform(0.1, 0.9) * (height - side))
    for number, digit in enumerate(digits):
        write(scene, digit, (int(0.03 * width) + number * side, top, side), ink)
    return scene


def lit(scene: Scene, random: Random, depth: float, edge: float = 0.5) -> Scene:
    """Darker towards one side; the smaller the edge, the harder the shadow."""
    height, width = scene.owner.shape
    y, x = np.mgrid[:height, :width]
    turn = random.uniform(0, 2 * np.pi)
    along = np.cos(turn) * (x / width - 0.5) + np.sin(turn) * (y / height - 0.5)
    light = 1 - depth / (1 + np.exp(-(along - random.uniform(-0.2, 0.2)) / (0.3 * edge)))
    noise = random.normal(0, 3, scene.colours.shape)
    return scene._replace(colours=scene.colours * light[:, :, None] + noise)


def laid_on(under: Floats, sheet: Scene, random: Random, turned: float) -> Scene:
    """A sheet on a table, turned by so many degrees."""
    angle = random.uniform(-turned, turned)
    height, width = sheet.owner.shape
    layers = [_image(sheet.colours), Image.fromarray(sheet.owner)]
    layers.append(Image.new("L", (width, height), 255))
    colours, owner, cover = (
        np.asarray(layer.rotate(angle, expand=True, resample=Image.Resampling.NEAREST))
        for layer in layers
    )
    rows, columns = owner.shape
    top, left = (
        int(random.uniform(0, max(1, have - need)))
        for have, need in zip(under.shape, (rows, columns), strict=False)
    )
    result, owners = under.copy(), np.zeros(under.shape[:2], np.uint8)
    place = (slice(top, top + rows), slice(left, left + columns))
    seen = cover[: under.shape[0] - top, : under.shape[1] - left] > 0
    result[place][seen] = colours[: seen.shape[0], : seen.shape[1]][seen]
    owners[place][seen] = owner[: seen.shape[0], : seen.shape[1]][seen]
    blurred = _image(result).filter(ImageFilter.GaussianBlur(1))
    return Scene(np.asarray(blurred, np.float64), owners)


def drawn_over(scene: Scene, draw: Callable[[ImageDraw.ImageDraw], None]) -> Scene:
    picture = _image(scene.colours)
    draw(ImageDraw.Draw(picture))
    return scene._replace(colours=np.asarray(picture, np.float64))


def ink_of(random: Random) -> tuple[int, int, int]:
    return INKS[random.integers(len(INKS))]


def _image(colours: Floats) -> Image.Image:
    return Image.fromarray(np.clip(colours, 0, 255).astype(np.uint8))
