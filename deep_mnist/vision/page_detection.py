"""The sheet on a table: found, cut out, and what is beside it made paper.

Its edge is darker and longer than any stroke, and the table's grain is as dark as ink. A sheet is a
large, evenly light part of the picture, with straight sides and something darker along them; or a
dark one with something lighter along them, as a board on a wall.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from deep_mnist.vision import windows
from deep_mnist.vision.components import Mask, components
from deep_mnist.vision.resample import FloatArray, resample

SIDE = 160  # longest, of the small copy on which sheets are looked for
LEVELS = (0.25, 0.35, 0.45, 0.55, 0.65, 0.75)  # between dark and light, that may part the two
SMALLEST, LARGEST = 0.05, 0.97  # of the picture
DIM = 0.85  # of the sheet's brightness: the most that is along its edge
AROUND = 0.92  # of its edge is seen to be one
SQUARE = 0.88  # of the rectangle around it: an ellipse, as a 0 is, fills 0.79
STRIP = 0.3  # of a dark one: a light one that is smaller is taken for the wall beside a board
CUT_OFF = 0.2  # of its edge along the picture's border: its corners may not be seen
INK = 0.35  # of a sheet: more is not written on it
SHARP = 0.75  # of what is far from the edge differs near to it; a shadow's edge is soft
STROKE = 8  # a stroke is at most so many parts of the sheet's longer side
MARGIN = 2  # small pixels along the edge that are no longer paper


class View(NamedTuple):
    """A part of a picture."""

    grey: FloatArray  # [h, w]
    left: int
    top: int


class _Sheet(NamedTuple):
    mask: Mask  # [H, W] of the small copy, what is written on it included
    contrast: float  # the share of its brightness that its surroundings lack


def views(grey: FloatArray) -> list[View]:
    """The sheets on a picture [H, W], with paper all around them, the likelier first; or none."""
    if min(grey.shape) < SIDE // 2:
        return []
    step = -(-max(grey.shape) // SIDE)
    small = resample(grey, *(-(-side // step) for side in grey.shape))
    light, dark = _find(small), _find(small.max() - small)
    if light is not None and dark is not None and light.sum() < STRIP * dark.sum():
        light, dark = dark, light
    return [_cut_out(grey, small, mask) for mask in (light, dark) if mask is not None]


def _cut_out(grey: FloatArray, small: FloatArray, mask: Mask) -> View:
    inside = windows.smallest(mask, 2 * MARGIN + 1)
    (top, left), (bottom, right) = _box(mask, small.shape, grey.shape)
    share = resample(inside.astype(np.float32), *grey.shape)[top:bottom, left:right]
    paper = resample(_continued(small, inside), *grey.shape)[top:bottom, left:right]
    return View(grey[top:bottom, left:right] * share + paper * (1 - share), left, top)


def _find(small: FloatArray) -> Mask | None:
    """The light sheet that differs most from what is around it, with all that is written on it."""
    dark, light = np.quantile(small, [0.02, 0.98])
    if dark >= DIM * light:
        return None
    sheets = (_sheet_over(small, dark + part * (light - dark)) for part in LEVELS)
    best = max(filter(None, sheets), key=lambda sheet: sheet.contrast, default=None)
    return best.mask if best else None


def _sheet_over(small: FloatArray, level: float) -> _Sheet | None:
    """The largest part that is lighter than a level, if it is a sheet."""
    light = small > level
    border = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
    if border.mean() > LARGEST or light.mean() < (1 - INK) * SMALLEST:
        return None
    parts = components(light)
    own = parts.labels == int(parts.areas.argmax()) + 1
    corners = _hull(own)
    if corners is None:
        return None
    area = _area(corners)
    if not SMALLEST * small.size < area < LARGEST * small.size or own.sum() < (1 - INK) * area:
        return None
    depth, is_cut = _depth(corners, small.shape)
    hull = depth > -0.5
    if not is_cut and area < SQUARE * _rectangle(corners):
        return None
    edge, beside = (depth > 0.5) & (depth < 2.5), (depth < -1.5) & (depth > -4)
    if beside.sum() < min(small.shape) // 4:
        return None
    if own[edge].mean() < AROUND or light[beside].mean() > 1 - AROUND:
        return None
    contrast = _contrast(small, own, depth)
    if contrast < 1 - DIM:
        return None
    mask = _written_on(own, hull)
    return _Sheet(mask, contrast) if windows.smallest(mask, 2 * MARGIN + 1).any() else None


def _contrast(small: FloatArray, own: Mask, depth: FloatArray) -> float:
    """The share of its brightness that the sheet's surroundings lack; 0 where its edge is soft."""

    def level(least: float, most: float) -> float:
        ring = small[(depth > least) & (depth < most) & (own | (depth < 0))]
        return float(np.median(ring)) if ring.size else math.nan

    paper, table = level(0.5, 2.5), level(-4, -1.5)
    is_soft = paper - table < SHARP * (level(4, 10) - level(-10, -5))  # never, where one is missing
    return 0.0 if is_soft else 1 - table / paper


def _written_on(own: Mask, hull: Mask) -> Mask:
    """The light part with its strokes, without what is thicker and reaches in from beside it."""
    rows, columns = (np.flatnonzero(hull.any(axis=axis)) for axis in (1, 0))
    window = max(3, int(max(np.ptp(rows), np.ptp(columns))) // STROKE | 1)
    filled = hull & windows.smallest(windows.largest(own, window), window)
    outside = components(~filled)
    reaching = np.unique(outside.labels[~hull])
    border = [outside.labels[0], outside.labels[-1], outside.labels[:, 0], outside.labels[:, -1]]
    reaching = np.union1d(reaching, np.concatenate(border))
    return ~np.isin(outside.labels, reaching[reaching > 0])


def _hull(mask: Mask) -> npt.NDArray[np.float64] | None:
    """[N, 2] the corners (x, y) of what a rope around the mask would enclose, in turn."""
    rows = np.flatnonzero(mask.any(axis=1))
    firsts = mask[rows].argmax(axis=1)
    lasts = mask.shape[1] - 1 - mask[rows][:, ::-1].argmax(axis=1)
    left = _rope(list(zip(firsts.tolist(), rows.tolist(), strict=True)), 1)
    right = _rope(list(zip(lasts.tolist(), rows.tolist(), strict=True)), -1)
    corners = np.array([*right, *left[::-1]], np.float64)
    return corners if len(rows) > 2 and np.ptp(corners[:, 0]) > 2 else None


def _rope(points: list[tuple[int, int]], side: int) -> list[tuple[int, int]]:
    """Those of the points, one a row, that a rope along their left (1) or right (-1) touches."""
    kept: list[tuple[int, int]] = []
    for x, y in points:
        while len(kept) > 1:
            (ax, ay), (bx, by) = kept[-2:]
            if side * ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) < 0:
                break
            kept.pop()
        kept.append((x, y))
    return kept


def _depth(corners: npt.NDArray[np.float64], shape: tuple[int, ...]) -> tuple[FloatArray, bool]:
    """How deep each pixel lies within the hull, and whether the picture's border cuts it off."""
    height, width = shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    depth = np.full(shape, np.inf, np.float32)
    along_border = around = 0.0
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        length = float(np.hypot(bx - ax, by - ay))
        if not length:
            continue
        around += length
        if (ax == bx and ax in (0, width - 1)) or (ay == by and ay in (0, height - 1)):
            along_border += length
            continue
        depth = np.minimum(depth, ((y - ay) * (bx - ax) - (x - ax) * (by - ay)) / length)
    return depth, along_border > CUT_OFF * around


def _area(corners: npt.NDArray[np.float64]) -> float:
    (x, y), (next_x, next_y) = corners.T, np.roll(corners, -1, axis=0).T
    return abs(float(x @ next_y - y @ next_x)) / 2


def _rectangle(corners: npt.NDArray[np.float64]) -> float:
    """The area of the smallest rectangle around the hull."""
    turns = np.linspace(0, np.pi / 2, 45, endpoint=False)
    across = corners @ np.stack([np.cos(turns), np.sin(turns)])
    down = corners @ np.stack([-np.sin(turns), np.cos(turns)])
    return float((np.ptp(across, axis=0) * np.ptp(down, axis=0)).min())


def _continued(small: FloatArray, inside: Mask) -> FloatArray:
    """The paper inside, and beyond it paper as light as the nearest."""
    known = inside.astype(np.float32)
    level = float(np.median(small[inside]))
    paper = np.where(inside & (np.abs(small - level) < 0.25 * level), small, level) * known
    width = 5
    while not known.all():
        weight = windows.mean(known, width)
        mean = windows.mean(paper, width) / np.maximum(weight, np.float32(1e-6))
        paper = np.where(known > 0, paper, np.where(weight > 1e-3, mean, 0)).astype(np.float32)
        known = np.where(weight > 1e-3, np.float32(1), known)
        width = 2 * width + 1
    return paper


def _box(
    mask: Mask, small: tuple[int, ...], large: tuple[int, ...]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Where the mask is in the large picture: top and left, bottom and right."""
    starts, stops = [], []
    for axis in (0, 1):
        places = np.flatnonzero(mask.any(axis=1 - axis))
        starts.append(int(places[0]) * large[axis] // small[axis])
        stops.append(-(-(int(places[-1]) + 1) * large[axis] // small[axis]))
    return (starts[0], starts[1]), (stops[0], stops[1])
