"""Find sheets of paper on a table, boards on a wall and windows on a screen.

A page is an evenly light part of the image with straight edges that are darker outside, or an
evenly dark one with edges that are lighter outside.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from deep_mnist.vision.binarize import SMALL_SIDE
from deep_mnist.vision.components import FloatArray, Mask, connected_components

# Thresholds between dark (0) and light (1).
LEVELS = np.linspace(0.25, 0.75, 6)
# Area of a page relative to the image.
MIN_AREA, MAX_AREA = 0.05, 0.97
# Least fraction of a page that is blank. In a frame it is less.
MIN_PAPER = 0.65
# Least difference between a page and its surroundings, relative to the page's brightness.
MIN_CONTRAST = 0.15
# Least fraction of a page's edge that is light inside and dark outside.
CLEAR = 0.92
# Least area relative to the smallest rectangle around the page. An ellipse, such as a 0, has 0.79.
RECTANGULAR = 0.88
# Least contrast near the edge, relative to that far from it. A shadow has a soft edge.
SHARP = 0.75
# Longer side, in pixels, of the copy in which windows are searched. Their frames are thin.
WINDOW_SIDE = 640
# Least area of a window relative to the image.
MIN_WINDOW = 0.01
# Largest ratio of width to height of a window. Longer rectangles are title bars or tool bars.
LONGEST = 4
# Pixels of the copy that are cut off along the edge of a page or window.
MARGIN = 2.0


class Page(NamedTuple):
    """A part of the image, with paper everywhere."""

    gray: FloatArray  # [h, w]
    left: int
    top: int


def find_pages(gray: FloatArray) -> list[Page]:
    """Return the pages in an image, [H, W], the most likely one first."""
    step = max(gray.shape) / SMALL_SIDE
    if step < 0.5:
        return []
    size = (round(gray.shape[1] / step), round(gray.shape[0] / step))
    if min(size) == 0:  # a strip, too narrow for a page
        return []
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA if step > 1 else cv2.INTER_LINEAR)
    light, dark = _find_light(small), _find_light(small.max() - small)
    if light is not None and dark is not None and light.sum() < 0.3 * dark.sum():
        light, dark = dark, light  # a board on a wall, of which a part is light
    return [_cut_out(gray, mask) for mask in (light, dark) if mask is not None]


def find_windows(gray: FloatArray) -> list[Page]:
    """Return the upright rectangles in a screenshot, [H, W], the largest first."""
    scale = min(1.0, WINDOW_SIDE / max(gray.shape))
    if round(scale * min(gray.shape)) == 0:
        return []
    small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    boxes = set()
    for level in LEVELS:
        for mask in (small > level, small < level):
            contours, _ = cv2.findContours(np.uint8(mask), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
            for contour in contours:
                _, _, width, height = box = cv2.boundingRect(contour)
                is_window = MIN_WINDOW * small.size < width * height < small.size / 2
                is_bar = width > LONGEST * height
                if is_window and not is_bar and cv2.contourArea(contour) > 0.9 * width * height:
                    boxes.add(box)
    pages = []
    for box in sorted(boxes, key=lambda box: -box[2] * box[3]):
        left, top, right, bottom = (
            round(value / scale)
            for value in (box[0] + MARGIN, box[1] + MARGIN,
                          box[0] + box[2] - MARGIN, box[1] + box[3] - MARGIN)
        )  # fmt: skip
        pages.append(Page(gray[top:bottom, left:right], left, top))
    return pages


def _cut_out(gray: FloatArray, mask: Mask) -> Page:
    """Return the page in its bounding box; outside of the page the box is filled with paper."""
    large = cv2.resize(np.float32(mask), gray.shape[::-1], interpolation=cv2.INTER_LINEAR)
    left, top, width, height = cv2.boundingRect(np.uint8(large > 0.5))
    area = np.s_[top : top + height, left : left + width]
    inside = large[area] > 0.5
    return Page(np.where(inside, gray[area], np.median(gray[area][inside])), left, top)


def _find_light(small: FloatArray) -> Mask | None:
    """Return the light page with the highest contrast."""
    dark, light = np.quantile(small, [0.02, 0.98])
    if dark > (1 - MIN_CONTRAST) * light:
        return None
    found = [_page_over(small, dark + level * (light - dark)) for level in LEVELS]
    contrast, mask = max(found, key=lambda page: page[0])
    return mask if contrast >= MIN_CONTRAST else None


def _page_over(small: FloatArray, level: float) -> tuple[float, Mask]:
    """Return the contrast and the mask of the largest part that is lighter than a level.

    The contrast is 0 if that part is not a page.
    """
    nothing = 0.0, np.zeros(small.shape, np.bool_)
    light = small > level
    parts = connected_components(light)
    largest = int(parts.areas.argmax())
    mask = (parts.labels == largest + 1).astype(np.uint8)
    (outline, *_), _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    own = cv2.drawContours(mask, [outline], 0, 1, cv2.FILLED) > 0  # with its strokes
    hull = cv2.convexHull(outline)
    area = cv2.contourArea(hull)
    if not MIN_AREA * small.size < area < MAX_AREA * small.size:
        return nothing
    if parts.areas[largest] < MIN_PAPER * area:
        return nothing
    depth = _depth(hull, small.shape)
    is_cut = np.count_nonzero(_border(depth) > 0) > 0.2 * cv2.arcLength(hull, closed=True)
    _, (width, height), _ = cv2.minAreaRect(hull)
    if not is_cut and area < RECTANGULAR * width * height:
        return nothing
    edge, outside = (depth > 1) & (depth < 3.5), (depth < -1) & (depth > -4)
    if outside.sum() < min(small.shape) // 4:
        return nothing
    if own[edge].mean() < CLEAR or light[outside].mean() > 1 - CLEAR:
        return nothing
    return _contrast(small, depth), (depth > MARGIN) & own


def _contrast(small: FloatArray, depth: FloatArray) -> float:
    """Return how much darker the surroundings are, relative to the page; 0 for a soft edge."""

    def median(low: float, high: float) -> float:
        ring = small[(depth > low) & (depth < high)]
        return float(np.median(ring)) if ring.size else np.nan

    paper, table = median(0.5, 3), median(-4, -1.5)
    is_soft = paper - table < SHARP * (median(4, 10) - median(-10, -5))  # False for NaN
    return 0.0 if is_soft else 1 - table / paper


def _depth(hull: cv2.typing.MatLike, shape: tuple[int, ...]) -> FloatArray:
    """Return the distance to the hull's edge, positive inside, without the image's border."""
    padded = np.zeros((shape[0] + 2, shape[1] + 2), np.uint8)
    inside = cv2.fillConvexPoly(padded[1:-1, 1:-1].copy(), hull, 1)
    inside = np.pad(inside, 20, mode="edge")
    distances = (
        cv2.distanceTransform(np.uint8(side), cv2.DIST_L2, cv2.DIST_MASK_5)
        for side in (inside, 1 - inside)
    )
    within, beyond = distances
    return np.asarray((within - beyond)[20:-20, 20:-20])


def _border(image: FloatArray) -> FloatArray:
    return np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
