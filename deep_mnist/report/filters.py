"""What the first layer looks for, as images; and what the CNN's layers make of a digit."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from deep_mnist.report.figure import (
    INK,
    MARGIN,
    MUTED,
    WIDTH,
    Picture,
    Sheet,
    for_and_against,
    ink_on_white,
    tiles,
)
from deep_mnist.report.predictions import Answers
from deep_mnist.report.runs import Run

INNER = WIDTH - 2 * MARGIN
SCALE = 0.42  # inches below the tiles, for the scale of colours
PALE = 0.06  # of a map's tile where it finds nothing, so that its edge is seen
SHOWN = 32  # of more units than a sheet holds: those with the largest weights


def draw_weights(run: Run, answers: Answers) -> Picture:
    """The weights of the first layer, a tile a unit: ten digits, or filters."""
    weights = answers.first_weights
    if run.model == "softmax":
        return _draw_digits(run, weights)
    if run.model == "cnn":
        images, columns, gap = weights[:, :, 0].transpose(2, 0, 1), 8, 1
        title = f"The {len(images)} filters of the CNN's first layer"
        note = "Each is moved over the picture, 5 by 5 pixels at a time."
    else:
        units = weights.shape[1]
        strongest = np.sort(np.argsort(-np.linalg.norm(weights, axis=0), kind="stable")[:SHOWN])
        images, columns, gap = weights.T[strongest].reshape(-1, 28, 28), 8, 3
        title = f"What {len(images)} of {units} hidden units of {run.model} look for"
        note = (
            "Those with the largest weights. Noise is what they began as: it stays where little "
            "is learnt, and where there never is ink."
        )
    return _draw_tiles(f"filters-{run.kind}", title, note, images, columns, gap)


def draw_feature_maps(run: Run, answers: Answers) -> Picture | None:
    """The first test digit, and every feature map of both convolutions; the CNN's alone."""
    if not answers.feature_maps:
        return None
    label = answers.labels[0]
    first, second = (
        _each_to_its_largest(layer.transpose(2, 0, 1)) for layer in answers.feature_maps
    )
    small, large, head, space = 0.75, INNER, 0.22, 0.16
    mosaics = [(tiles(ink_on_white(first), 8, 2), f"{len(first)} maps after the first layer")]
    mosaics += [(tiles(ink_on_white(second), 8, 1), f"{len(second)} after the second")]
    heights = [large * mosaic.shape[0] / mosaic.shape[1] for mosaic, _ in mosaics]
    total = small + sum(heights) + 2 * (head + space) + MARGIN
    sheet = Sheet(
        f"How the CNN sees a {label}",
        "Dark is where a filter finds what it looks for; each map is scaled to its own darkest.",
        total,
    )
    bottom = total - small
    digit = ink_on_white(answers.images[0].reshape(28, 28) / 255)
    _show(sheet, digit, MARGIN, bottom, small)
    sheet.text(MARGIN + small + 0.12, bottom + small / 2, "the picture", color=MUTED, va="center")
    for (mosaic, words), height in zip(mosaics, heights, strict=True):
        bottom -= head + space
        sheet.text(MARGIN, bottom + 0.06, words, color=INK, va="bottom")
        bottom -= height
        _show(sheet, mosaic, MARGIN, bottom, large)
    alt = (
        f"A handwritten {label}, the {len(first)} feature maps of 28 by 28 that the first "
        f"convolution makes of it, and the {len(second)} of 14 by 14 of the second."
    )
    return sheet.picture(f"feature-maps-{run.kind}", alt)


def _draw_digits(run: Run, weights: npt.NDArray[Any]) -> Picture:
    images = weights.T.reshape(10, 28, 28)
    largest = _largest(images)
    tile, words, columns = 0.8, 0.26, 5
    gap = round(28 * (INNER - columns * tile) / (columns - 1) / tile)
    height = 2 * (tile + words) + SCALE
    sheet = Sheet(
        "What softmax regression looks for",
        "The 784 weights of each digit, where its pixels are. "
        "Ink on blue speaks for the digit, ink on red against it.",
        height,
    )
    pitch = tile * (28 + gap) / 28
    for row in range(2):
        bottom = height - (row + 1) * tile - row * words
        mosaic = tiles(for_and_against(images[5 * row : 5 * row + 5], largest), columns, gap)
        _show(sheet, mosaic, MARGIN, bottom, INNER)
        for column in range(columns):
            x = MARGIN + column * pitch + tile / 2
            sheet.text(x, bottom - 0.13, f"{5 * row + column}", ha="center", va="center", size=9)
    _draw_scale(sheet, largest)
    alt = (
        "Ten images, one for each digit, of the weights of softmax regression: blue where ink "
        "speaks for the digit, red where it speaks against."
    )
    return sheet.picture(f"weights-{run.kind}", alt)


def _draw_tiles(
    name: str, title: str, note: str, images: npt.NDArray[Any], columns: int, gap: int
) -> Picture:
    largest = _largest(images)
    mosaic = tiles(for_and_against(images, largest), columns, gap)
    height = INNER * mosaic.shape[0] / mosaic.shape[1]
    sheet = Sheet(title, f"{note} Blue looks for ink, red for none.", height + SCALE + 0.05)
    _show(sheet, mosaic, MARGIN, SCALE, INNER)
    _draw_scale(sheet, largest)
    alt = f"{title}, {images.shape[1]} by {images.shape[2]} weights each, blue above 0, red below."
    return sheet.picture(name, alt)


def _draw_scale(sheet: Sheet, largest: float) -> None:
    """Which colour is which weight, at the bottom of a sheet."""
    width, height, bottom = 1.2, 0.1, 0.14
    left = (WIDTH - width) / 2
    ramp = for_and_against(np.linspace(-1, 1, 64)[None], 1)
    axes = sheet.empty_axes(left, bottom, width, height)
    axes.imshow(ramp, extent=(0, width, height, 0), interpolation="none", aspect="auto")
    style = {"color": MUTED, "va": "center", "size": 8}
    sheet.text(
        left - 0.07, bottom + height / 2, f"\N{MINUS SIGN}{largest:.2g}", ha="right", **style
    )
    sheet.text(left + width + 0.07, bottom + height / 2, f"+{largest:.2g}", **style)


def _show(sheet: Sheet, pixels: npt.NDArray[Any], left: float, bottom: float, width: float) -> None:
    height = width * pixels.shape[0] / pixels.shape[1]
    axes = sheet.empty_axes(left, bottom, width, height)
    axes.imshow(pixels, extent=(0, width, height, 0), interpolation="none", aspect="auto")


def _largest(weights: npt.NDArray[Any]) -> float:
    """The weight that is drawn in full colour: few are larger."""
    return float(np.quantile(np.abs(weights), 0.999))


def _each_to_its_largest(maps: npt.NDArray[Any]) -> npt.NDArray[Any]:
    largest = maps.max(axis=(1, 2), keepdims=True)
    shares = maps / np.where(largest > 0, largest, 1)
    return np.asarray(PALE + (1 - PALE) * shares)
