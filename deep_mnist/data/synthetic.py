"""Synthetic digits: handwriting-like images drawn from pen strokes, a dataset without files.

    images, labels = digits(12_000, seed=0)

Each digit is drawn in one of the styles of a table. Its control points, slant, proportions and pen
width are random, it is distorted elastically, and it is scaled and centered as MNIST's digits are.
In the shapes below N is the number of digits and P = POINTS the number of samples along one.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deep_mnist.data.distort import affine_maps, elastic

__all__ = ["digits"]

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

POINTS = 72  # P: samples along the strokes of a style, about one for each pixel of a long digit

JITTER = 0.027  # standard deviation of each control point, in boxes
ELASTIC = ((0.048, 0.5), (0.012, 0.15))  # amplitude and smoothness of each field, in boxes
SLANT = (0.15, 0.23)  # mean and standard deviation, dx over dy
ROTATION = 0.08  # standard deviation, radians
STRETCH = 0.16  # standard deviation of log(width)

SIDE = 28  # pixels of an image
BOX = 20.0  # pixels of the box that a digit fits
CENTER = (13.5, 13.9)  # range of the center of mass, as pixel index
PEN = (2.6, 0.25)  # median width in pixels, standard deviation of log(width)
PRESSURE = 0.15  # relative change of the pen's width along a digit
BLUR = 0.55  # standard deviation of the Gaussians that draw a stroke, in pixels
CHUNK = 500  # digits drawn at once, which limits the memory

# The styles of each digit as (frequency relative to the digit's other styles, strokes).
#
# Strokes are written "x,y x,y ... | x,y ...", in hundredths of a box with (0, 0) at its top left:
# x grows to the right, y downwards. The pen moves smoothly through every point of a stroke; a
# corner is where one stroke ends and the next begins. Points of a style that have the same
# coordinates are one control point: they move together.
#
# The frequencies are those of the American writers of MNIST: a 1 is mostly a single line, a 7
# mostly has no cross-bar, a 4 is mostly open at the top.
STYLES: dict[int, tuple[tuple[float, str], ...]] = {
    # round; overlapping at the top; open at the top; with a curl; narrow; slashed
    0: (
        (5, "46,0 14,18 4,60 32,100 68,76 74,28 46,0"),
        (3, "62,8 38,0 10,28 8,76 40,100 72,70 70,24 36,6"),
        (2, "36,4 8,34 12,84 46,98 74,64 66,18 44,10"),
        (1, "52,4 10,28 8,76 38,100 72,64 68,16 50,4 44,14 60,18 78,4"),
        (2, "34,0 12,26 10,76 30,100 50,76 52,26 34,0"),
        (0.3, "46,0 14,18 4,60 32,100 68,76 74,28 46,0 | 76,2 6,98"),
    ),
    # bare; slightly curved; with a flag; with flag and base
    1: (
        (8, "50,0 50,50 50,100"),
        (2, "46,0 52,30 52,65 46,100"),
        (0.4, "36,16 50,0 | 50,0 50,50 50,100"),
        (0.5, "28,22 50,0 | 50,0 50,50 50,98 | 20,98 50,98 80,98"),
    ),
    # corner at the base; small loop; arch and loop; arch and wide loop; angular; deep hook; wavy
    # base; low loop with a falling tail; base traced back; round with a level tail, with a falling
    # tail; tall and looped; square with a long base
    2: (
        (3, "8,22 26,3 52,2 66,20 58,48 34,75 5,97 | 5,97 40,97 78,96"),
        (2, "10,24 28,4 55,3 66,22 58,50 34,80 12,95 4,88 16,80 44,92 82,96"),
        (2, "6,28 30,4 62,4 76,28 62,56 34,82 12,95 2,86 18,74 46,84 90,96"),
        (2, "10,26 34,2 64,8 72,36 50,66 24,94 4,92 4,74 26,70 54,86 94,94"),
        (1.5, "8,10 36,2 62,8 | 62,8 36,50 6,94 | 6,94 40,95 76,94"),
        (2, "4,36 14,10 40,0 66,14 62,40 40,68 6,96 | 6,96 42,94 80,98"),
        (1, "6,16 34,0 62,16 56,46 32,72 6,94 | 6,94 26,86 52,98 82,88"),
        (2, "10,14 34,0 66,6 70,28 48,56 18,80 4,76 12,62 38,66 66,84 90,100"),
        (1.5, "4,22 26,2 60,4 68,24 50,52 20,84 6,92 | 6,92 12,74 40,76 66,92 92,92"),
        (2.5, "16,16 40,0 66,10 72,40 60,78 32,98 6,88 10,66 36,60 64,68 92,76"),
        (2.5, "16,16 42,0 66,12 70,44 54,80 26,98 6,84 16,64 44,66 68,84 86,100"),
        (1, "34,12 52,0 58,28 44,70 20,92 8,84 28,74 56,80 86,78"),
        (0.5, "2,10 40,10 | 40,10 44,22 20,72 | 20,72 50,72 100,74"),
    ),
    # two bowls with a nip; flowing; flat top; looped waist; small top; shallow
    # waist; like a Z above a bowl; waist far left; waist at the right
    3: (
        (3, "6,12 30,0 58,8 58,30 34,46 | 34,46 58,54 68,74 54,94 28,100 2,92"),
        (3, "6,12 32,0 60,12 54,34 36,46 60,58 68,78 50,97 24,99 0,90"),
        (1, "6,6 34,4 66,2 | 66,2 52,22 36,42 | 36,42 60,48 70,70 54,94 26,100 2,92"),
        (1.5, "6,12 36,0 60,14 50,36 34,47 26,43 38,42 62,56 68,78 48,100 20,98 0,90"),
        (1.5, "14,8 36,0 56,10 50,30 34,40 60,48 74,68 62,92 32,100 0,92"),
        (2, "2,10 36,0 64,10 62,30 46,46 62,60 62,82 38,98 0,96"),
        (1.5, "4,6 34,3 60,6 | 60,6 44,24 28,40 | 28,40 54,44 64,62 54,84 28,98 0,94"),
        (2, "4,16 26,0 60,2 66,20 48,38 26,46 56,48 76,64 70,88 40,100 0,90"),
        (1.5, "8,8 40,0 66,12 58,34 40,44 62,54 66,76 44,96 16,100 0,86"),
    ),
    # open with a corner; open and round; slanted; closed; leaning, loose stem; like
    # a Y; wide and square
    4: (
        (4, "20,8 14,32 6,55 | 6,55 36,56 70,50 | 58,2 54,50 48,100"),
        (3, "14,4 6,34 16,52 38,52 64,42 | 68,2 60,48 52,100"),
        (2, "24,8 12,32 2,56 | 2,56 40,55 80,50 | 62,16 54,56 46,100"),
        (1, "54,2 30,30 4,62 | 4,62 40,62 76,60 | 54,2 52,50 50,100"),
        (1.5, "34,6 22,28 6,54 | 6,54 36,52 70,46 | 68,12 58,56 46,100"),
        (1.5, "8,6 6,30 22,46 46,42 62,28 | 66,0 58,48 50,100"),
        (1, "10,0 8,28 8,50 | 8,50 40,50 84,48 | 64,2 64,50 62,100"),
    ),
    # corner, bar last; flowing; long bar; bar apart; angular; small belly;
    # without corners; wide belly; like an S; leaning; narrow
    5: (
        (3, "18,4 16,22 13,42 | 13,42 40,36 66,52 66,82 40,99 5,92 | 18,4 40,3 66,2"),
        (2, "72,2 44,3 24,8 16,36 38,46 60,62 60,84 36,100 4,92"),
        (2, "30,6 24,24 18,42 | 18,42 44,42 58,62 46,88 22,99 0,92 | 30,6 60,4 92,0"),
        (1.5, "20,10 18,26 12,44 | 12,44 44,40 64,60 58,88 32,100 4,88 | 24,5 50,2 82,4"),
        (1, "70,2 46,4 22,4 | 22,4 18,24 16,44 | 16,44 52,46 68,70 48,96 8,98"),
        (2, "100,0 70,6 44,8 | 44,8 36,30 28,46 | 28,46 52,52 58,74 36,96 0,98"),
        (1, "66,0 40,4 14,4 14,26 40,44 60,64 50,92 24,100 2,90"),
        (2, "20,4 17,20 14,38 | 14,38 46,36 72,58 60,90 28,100 0,82 | 20,4 42,3 70,0"),
        (1, "76,0 34,6 24,14 26,34 46,46 62,66 52,92 24,100 0,84"),
        (2, "30,4 26,22 20,40 | 20,40 50,38 70,58 62,84 34,98 0,96 | 30,4 56,6 86,2"),
        (1, "26,2 18,18 16,34 | 16,34 40,36 54,54 50,82 30,100 6,96 | 26,2 50,2 74,6"),
    ),
    # round; straight stem; curled top; loop ending inside; open loop; wide; heavy loop
    6: (
        (3, "50,0 26,18 9,48 5,76 22,98 48,96 62,76 50,58 30,58 10,74"),
        (3, "30,0 16,34 6,70 16,96 42,98 56,82 46,65 26,68 10,84"),
        (1.5, "64,6 42,1 18,26 4,62 18,94 46,99 66,80 56,58 30,55 8,72"),
        (1.5, "42,0 18,30 6,64 14,94 42,99 62,82 56,60 36,56 20,74 26,88"),
        (1, "38,0 16,30 6,66 18,97 46,96 62,76 54,58 34,60"),
        (2, "22,0 8,30 4,64 22,94 54,98 76,78 70,54 46,48 28,64 26,84"),
        (1, "30,0 12,30 4,66 22,98 56,94 70,66 54,44 26,48 10,66"),
    ),
    # plain; serif; deep serif; round shoulder; steep leg; cross-bar; wavy bar;
    # like a hook
    7: (
        (4, "8,8 34,7 62,5 | 62,5 44,46 30,100"),
        (1.5, "8,20 11,6 | 11,6 38,6 64,4 | 64,4 52,46 42,100"),
        (1.5, "4,34 10,14 | 10,14 32,8 56,2 | 56,2 46,46 34,100"),
        (2.5, "6,16 28,4 56,4 62,20 48,56 34,100"),
        (1.5, "6,8 34,6 62,6 | 62,6 60,50 54,100"),
        (1.5, "8,8 34,7 62,5 | 62,5 44,46 30,100 | 20,54 42,50 66,48"),
        (1, "6,20 14,4 38,10 66,2 | 66,2 46,42 32,98"),
        (1, "2,30 8,12 32,6 58,8 60,30 48,66 44,100"),
    ),
    # one stroke from the right; two loops; open at the top; flat top; small top; falling
    # first; narrow below; with a lead-in
    8: (
        (3, "68,14 48,1 24,6 20,24 36,44 54,64 52,88 34,100 14,90 18,70 40,47 62,28 68,14"),
        (2, "40,46 22,34 22,12 40,0 58,12 58,34 40,46 | 40,46 60,60 60,88 38,99 16,88 18,60 40,46"),
        (3, "70,12 46,0 20,12 24,32 46,52 56,76 42,97 18,96 14,76 34,52 58,32 82,6"),
        (2, "78,14 50,2 16,12 28,36 48,56 50,84 32,100 16,88 24,64 50,40 82,14"),
        (1.5, "56,6 36,2 26,16 40,34 62,58 62,90 36,100 10,86 18,60 42,38 56,18 50,4"),
        (1.5, "26,4 18,22 36,44 52,66 48,92 26,100 12,82 26,58 50,34 58,12 44,0 22,6"),
        (3, "64,14 44,0 18,8 16,28 40,46 54,64 46,92 30,100 20,88 28,64 52,44 68,24 64,14"),
        (1.5, "84,4 56,6 26,4 18,20 38,44 52,70 44,96 26,98 22,76 44,50 66,32 72,14 56,6"),
    ),
    # straight leg; curved leg; slanted; hooked leg; open loop; small loop; open at
    # the top; low loop; pointed; round
    9: (
        (3, "60,8 38,0 16,14 14,34 30,44 48,36 60,8 | 60,8 58,52 54,100"),
        (2, "60,12 40,0 16,12 12,34 28,46 50,36 62,10 | 62,10 60,50 46,82 18,98"),
        (3, "62,12 46,0 22,12 12,34 26,44 48,30 64,6 | 64,6 52,52 36,100"),
        (0.7, "62,12 36,0 12,16 14,40 40,44 60,24 62,10 | 62,10 62,70 46,99 16,92"),
        (2, "58,6 32,2 10,22 18,42 42,40 60,20 | 62,2 58,50 50,100"),
        (2, "54,8 36,0 20,12 20,28 36,36 52,24 54,8 | 54,8 54,50 48,100"),
        (1.5, "42,4 18,14 8,32 24,46 46,40 62,24 | 68,0 58,48 44,100"),
        (1.5, "66,12 46,0 16,10 4,36 14,56 36,54 58,32 68,8 | 68,8 60,50 46,100"),
        (1, "70,4 44,2 18,16 10,34 24,44 48,30 66,6 | 66,6 48,52 26,98"),
        (1, "62,14 40,0 12,10 4,36 14,58 38,58 58,36 64,10 | 64,10 62,60 60,100"),
    ),
}


def digits(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw digits of the ten classes in equal numbers (up to rounding) and random order.

    The same count and seed give the same bytes with the same NumPy and type of processor;
    otherwise the rounding of some pixels may differ.

    Args:
      count: number of digits, at least 0.
      seed: random seed, at least 0.

    Returns:
      images: [count, 784] uint8, 0 (background) to 255 (ink).
      labels: [count] uint8 in 0..9.

    Raises:
      ValueError: count or seed is negative.
    """
    if count < 0 or seed < 0:
        raise ValueError(f"expected count and seed of at least 0, found {count} and {seed}")
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % 10).astype(np.uint8)
    images = np.empty((count, SIDE * SIDE), np.uint8)
    for start in range(0, count, CHUNK):
        chunk = slice(start, start + CHUNK)
        images[chunk] = _draw(rng, labels[chunk])
    return images, labels


def _draw(rng: np.random.Generator, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image for each label: [N] -> [N, 784] uint8."""
    points, joined = _draw_strokes(rng, labels)
    radii = _pen_radii(rng, len(labels))
    points = _fit(points, radii)
    center = rng.uniform(*CENTER, (len(labels), 1, 2)).astype(np.float32)
    points += center - _center_of_mass(_ink(points, joined, radii))
    ink = _ink(points, joined, radii)
    return np.rint(255 * ink).astype(np.uint8).reshape(-1, SIDE * SIDE)


def _draw_strokes(
    rng: np.random.Generator, labels: NDArray[np.uint8]
) -> tuple[FloatArray, BoolArray]:
    """Return the strokes of a digit for each label.

    Returns:
      points: [N, P, 2] (x, y) along the strokes, y downwards, in boxes.
      joined: [N, P - 1] bool, whether a point and the next one belong to the same stroke.
    """
    table = templates()
    style = np.empty(len(labels), np.int64)
    for digit in range(10):
        mine = labels == digit
        styles = np.flatnonzero(table.digit == digit)
        style[mine] = rng.choice(styles, mine.sum(), p=table.probability[styles])
    controls = table.controls[style]  # [N, C, 2]
    controls += JITTER * rng.standard_normal(controls.shape, dtype=np.float32)
    points: FloatArray = table.curve[style] @ controls
    for amplitude, smoothness in ELASTIC:
        points = elastic(rng, points, amplitude, smoothness)
    maps = affine_maps(rng, len(labels), SLANT, ROTATION, STRETCH)
    points = np.matmul(points, maps.transpose(0, 2, 1))
    return points, table.joined[style]


def _pen_radii(rng: np.random.Generator, count: int) -> FloatArray:
    """Return the pen's radius at every point, [N, P]: random for each digit, and along it."""
    radius = PEN[0] / 2 * np.exp(PEN[1] * rng.standard_normal((count, 1)))
    phase, turns = rng.random((2, count, 1))
    pressure = np.cos(2 * np.pi * (phase + 2 * turns * np.linspace(0, 1, POINTS)))
    radii: FloatArray = (radius * (1 + PRESSURE * pressure)).astype(np.float32)
    return radii


def _fit(points: FloatArray, radii: FloatArray) -> FloatArray:
    """Scale strokes to pixels so that their ink fits the box; the aspect ratio is kept."""
    low = points.min(axis=1, keepdims=True)  # [N, 1, 2]
    high = points.max(axis=1, keepdims=True)
    pen = 2 * radii.mean(axis=1)[:, None, None]
    scale = (BOX - pen) / (high - low).max(axis=-1, keepdims=True)
    fitted: FloatArray = (points - (low + high) / 2) * scale + np.float32((SIDE - 1) / 2)
    return fitted


def _center_of_mass(ink: FloatArray) -> FloatArray:
    """Return the mean pixel index (x, y), weighted by ink: [N, 28, 28] -> [N, 1, 2]."""
    index = np.arange(SIDE, dtype=np.float32)
    moments = np.stack([ink.sum(axis=1) @ index, ink.sum(axis=2) @ index], axis=-1)  # [N, 2]
    mean: FloatArray = moments / ink.sum(axis=(1, 2))[:, None]
    return mean[:, None]


def _ink(points: FloatArray, joined: BoolArray, radii: FloatArray) -> FloatArray:
    """Draw strokes with a round pen, antialiased: points in pixels -> [N, 28, 28] in [0, 1].

    Each point p has the weight l_p, half the distance to each neighbor on its stroke. Then
    sum_p l_p exp(-|q - p|^2 / 2 BLUR^2) / (sqrt(2 pi) BLUR) = exp(-d^2 / 2 BLUR^2)
    for a pixel q at distance d from the stroke, which gives d. Ink falls from 1 to 0 within half a
    pixel of d = radius. A Gaussian is a product over x and y, so the sum is a matrix product.
    """
    radius = radii.mean(axis=1, keepdims=True)  # [N, 1]
    # Half a Gaussian at either end of a stroke, without which it would be shorter.
    end = np.float32(BLUR * np.sqrt(np.pi / 2))
    half = np.where(joined, np.hypot(*np.diff(points, axis=1).transpose(2, 0, 1)) / 2, end)
    half = np.pad(half, ((0, 0), (1, 1)), constant_values=end)  # [N, P + 1]
    weight = (half[:, :-1] + half[:, 1:]) / np.float32(np.sqrt(2 * np.pi) * BLUR)  # [N, P]
    # A larger weight looks like a smaller distance. With this one, the distance `radii` looks like
    # `radius`, where ink falls to 0.
    weight *= np.exp((radii**2 - radius**2) / (2 * BLUR**2))
    index = np.arange(SIDE, dtype=np.float32)
    gaussian = np.exp((points[..., None] - index) ** 2 / (-2 * BLUR**2))  # [N, P, 2, 28]
    x, y = gaussian[:, :, 0], gaussian[:, :, 1] * weight[:, :, None]
    total = y.transpose(0, 2, 1) @ x  # [N, 28, 28]
    distance = BLUR * np.sqrt(-2 * np.log(np.clip(total, 1e-30, 1)))
    ink: FloatArray = np.clip(radius[:, :, None] + 0.5 - distance, 0, 1)
    return ink


class Templates(NamedTuple):
    """The table of styles as arrays. S styles; C is the largest number of control points."""

    digit: NDArray[np.int64]  # [S] 0..9
    probability: NDArray[np.float64]  # [S], sums to 1 over the styles of a digit
    controls: FloatArray  # [S, C, 2] (x, y) in [0, 1], zero where a style has fewer
    curve: FloatArray  # [S, P, C]: samples along the strokes = curve @ controls
    joined: NDArray[np.bool_]  # [S, P - 1]: whether a sample and the next are of one stroke


@cache
def templates() -> Templates:
    """Return the table of styles, sampled at equal steps along the strokes, read-only."""
    digit = np.array([digit for digit, styles in STYLES.items() for _ in styles])
    frequency = np.array([frequency for styles in STYLES.values() for frequency, _ in styles])
    sampled = [_sample(strokes) for styles in STYLES.values() for _, strokes in styles]
    max_controls = max(len(controls) for controls, _, _ in sampled)
    result = Templates(
        digit=digit,
        probability=frequency / np.bincount(digit, frequency)[digit],
        controls=np.zeros((len(digit), max_controls, 2), np.float32),
        curve=np.zeros((len(digit), POINTS, max_controls), np.float32),
        joined=np.ones((len(digit), POINTS - 1), np.bool_),
    )
    for s, (controls, curve, last) in enumerate(sampled):
        result.controls[s, : len(controls)] = controls
        result.curve[s, :, : len(controls)] = curve
        result.joined[s, last] = False
    for array in result:
        array.flags.writeable = False  # because of the cache
    return result


def _sample(
    style: str,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Sample a style of C control points, each stroke in proportion to its length.

    Returns:
      controls: [C, 2].
      curve: [P, C], the weights of the control points in each sample.
      last: the last sample of each stroke except the last stroke.
    """
    strokes = [
        np.array([point.split(",") for point in stroke.split()], np.float64) / 100
        for stroke in style.split("|")
    ]
    controls, which = np.unique(np.concatenate(strokes), axis=0, return_inverse=True)
    starts = np.cumsum([len(stroke) for stroke in strokes])[:-1]
    curves = [
        _catmull_rom(len(mine)) @ np.eye(len(controls))[mine] for mine in np.split(which, starts)
    ]
    lengths = [
        np.cumsum(np.hypot(*np.diff(curve @ controls, axis=0, prepend=curve[:1] @ controls).T))
        for curve in curves
    ]
    ends = np.cumsum([length[-1] for length in lengths])
    ends = np.rint(POINTS * ends / ends[-1]).astype(np.int64)
    counts = np.diff(ends, prepend=0)
    rows = [
        curve[np.searchsorted(length, np.linspace(0, length[-1], count))]
        for curve, length, count in zip(curves, lengths, counts, strict=True)
    ]
    return controls, np.concatenate(rows), ends[:-1] - 1


def _catmull_rom(count: int) -> NDArray[np.float64]:
    """Return a fine curve through C points as weights of the points, [200 (C - 1) + 1, C].

    Between b and c, with neighbors a and d and t from 0 to 1,
    p(t) = b + t (c - a) / 2 + t^2 (2a - 5b + 4c - d) / 2 + t^3 (3b - a - 3c + d) / 2.
    The curve is extrapolated linearly at both ends.

    Source: Catmull and Rom, A class of local interpolating splines, 1974.
    """
    points = np.eye(count)
    points = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    t = np.linspace(0, 1, 200, endpoint=False)[:, None]
    pieces = [
        b
        + t * (c - a) / 2
        + t**2 * (2 * a - 5 * b + 4 * c - d) / 2
        + t**3 * (3 * b - a - 3 * c + d) / 2
        for a, b, c, d in zip(points, points[1:], points[2:], points[3:], strict=False)
    ]
    return np.vstack([*pieces, points[-2]])
