"""MNIST's test digits as people photograph theirs: what the shipped CNN reads, kind by kind.

    python benchmarks/photographs.py [--data-dir DIR] [--each 20] [--seed 0] [--restore CHECKPOINT]

A picture of one digit counts if exactly that label is read; one of several, if all are, in order.
The seed chooses digits, sizes, places, light and angles. Writes results/photographs.json.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable

import numpy as np
import report
import scenes
from PIL.ImageDraw import ImageDraw
from scenes import PENCIL, Digits, Random, Scene

from deep_mnist import data, inference
from deep_mnist.errors import ImageError
from deep_mnist.lazy_tensorflow import import_quietly
from deep_mnist.vision import image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data-dir")
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--restore", help="the CNN's weights, if not the shipped ones")
    options = parser.parse_args()
    import_quietly()
    test = data.load_data("mnist", options.data_dir).test
    right = {}
    with inference.load("cnn", options.restore) as cnn:
        for kind, count in KINDS.items():
            right[kind.__name__] = 0
            for number in range(options.each):
                random = generator(kind, options.seed, number)
                chosen = random.choice(len(test.labels), count, replace=False)
                scene = kind(test.images[chosen].reshape(-1, 28, 28), random)
                right[kind.__name__] += read(cnn, scene) == test.labels[chosen].tolist()
            print(f"{kind.__name__}: {right[kind.__name__]} of {options.each}", flush=True)
    single = [right[kind.__name__] for kind, count in KINDS.items() if count == 1]
    several = [right[kind.__name__] for kind, count in KINDS.items() if count > 1]
    report.write(
        "photographs",
        {
            "pictures_of_each_kind": options.each,
            "seed": options.seed,
            "accuracy_one_digit": float(np.mean(single)) / options.each,
            "accuracy_several_digits": float(np.mean(several)) / options.each,
            "right": right,
        },
    )


def read(cnn: inference.Classifier, scene: Scene) -> list[int]:
    """The labels from left to right, line by line."""
    try:
        found = image.digits(image.read(scene.file()))
    except ImageError:
        return []
    pixels = np.stack([digit.pixels for digit in found])
    return [int(label) for label in cnn.probabilities(pixels).argmax(axis=1)]


def generator(kind: Callable[..., Scene], seed: int, number: int) -> Random:
    """Another for each picture, and the same whatever other kinds there are."""
    return np.random.default_rng([seed, number, zlib.crc32(kind.__name__.encode())])


def in_uneven_light(digits: Digits, random: Random) -> Scene:
    scene = scenes.written(digits, random, scenes.paper(random), scenes.ink_of(random))
    return scenes.lit(scene, random, random.uniform(0.3, 0.6), 1)


def under_a_hard_shadow(digits: Digits, random: Random) -> Scene:
    scene = scenes.written(digits, random, scenes.paper(random), scenes.ink_of(random))
    return scenes.lit(scene, random, random.uniform(0.3, 0.55), random.uniform(0.02, 0.15))


def in_faint_pencil(digits: Digits, random: Random) -> Scene:
    scene = scenes.written(digits, random, scenes.paper(random), (165, 165, 166))
    return scenes.lit(scene, random, 0.2, 1)


def in_chalk(digits: Digits, random: Random) -> Scene:
    scene = scenes.paper(random)
    board = scene._replace(colours=scene.colours * random.uniform(0.15, 0.3))
    return scenes.lit(scenes.written(digits, random, board, (225, 225, 220)), random, 0.3, 1)


def on_lined_paper(digits: Digits, random: Random) -> Scene:
    slope, pitch = random.uniform(-0.02, 0.02), int(random.uniform(35, 80))

    def lines(pencil: ImageDraw) -> None:
        for y in range(-pitch, scenes.HEIGHT + pitch, pitch):
            ends = [(0, y), (scenes.WIDTH, y + slope * scenes.WIDTH)]
            pencil.line(ends, fill=(150, 175, 215), width=2)

    ruled = scenes.drawn_over(scenes.paper(random), lines)
    scene = scenes.written(digits, random, ruled, (PENCIL, (35, 50, 140))[random.integers(2)])
    return scenes.lit(scene, random, 0.25, 1)


def on_checkered_paper(digits: Digits, random: Random) -> Scene:
    pitch = int(random.uniform(25, 50))

    def lines(pencil: ImageDraw) -> None:
        for at in range(pitch // 2, scenes.WIDTH, pitch):
            pencil.line([(at, 0), (at, scenes.HEIGHT)], fill=(185, 195, 215), width=2)
            pencil.line([(0, at), (scenes.WIDTH, at)], fill=(185, 195, 215), width=2)

    ruled = scenes.drawn_over(scenes.paper(random), lines)
    return scenes.lit(scenes.written(digits, random, ruled, (35, 50, 140)), random, 0.2, 1)


def in_a_box(digits: Digits, random: Random) -> Scene:
    return _within(digits, random, "rectangle")


def in_a_ring(digits: Digits, random: Random) -> Scene:
    return _within(digits, random, "ellipse")


def on_a_sheet_on_a_table(digits: Digits, random: Random) -> Scene:
    return _on_table(digits, random, scenes.table(random), 30)


def on_a_sheet_on_a_light_table(digits: Digits, random: Random) -> Scene:
    light = np.full((scenes.HEIGHT, scenes.WIDTH, 3), random.uniform(170, 250))
    return _on_table(digits, random, light, 30)


def on_a_sticky_note(digits: Digits, random: Random) -> Scene:
    side = int(random.uniform(300, 480))
    note = scenes.paper(random, side, side)
    colour = ((250, 230, 110), (245, 160, 190), (160, 220, 150))[random.integers(3)]
    note = note._replace(colours=note.colours * 0 + np.array(colour))
    note = scenes.written(digits, random, note, (35, 50, 140))
    return scenes.lit(scenes.laid_on(scenes.table(random), note, random, 15), random, 0.25, 1)


def beside_the_edge_of_a_table(digits: Digits, random: Random) -> Scene:
    scene = scenes.written(digits, random, scenes.paper(random, 560, 640), (25, 25, 30))
    under = scenes.table(random, 640, 640)
    return scenes.lit(scenes.laid_on(under, scene, random, 4), random, 0.25, 1)


def held_by_a_finger(digits: Digits, random: Random) -> Scene:
    scene = scenes.written(digits, random, scenes.paper(random), (25, 25, 30))
    free = np.flatnonzero(scene.owner[-200:].any(axis=0))
    x = 20 if not free.size or free[0] > 160 else scenes.WIDTH - 140

    def finger(pencil: ImageDraw) -> None:
        ends = [x, scenes.HEIGHT - 110, x + 110, scenes.HEIGHT + 120]
        pencil.ellipse(ends, fill=(205, 160, 135))

    return scenes.lit(scenes.drawn_over(scene, finger), random, 0.2, 1)


def on_a_screen(digits: Digits, random: Random) -> Scene:
    """A dark page with a light field on it, or a light one on a light page."""
    field = scenes.paper(random, 420, 420)
    field = scenes.written(
        digits, random, field._replace(colours=field.colours * 0 + 255), (0, 0, 0)
    )
    page = np.full((scenes.HEIGHT, scenes.WIDTH, 3), random.choice([25.0, 120.0, 244.0]))
    return scenes.laid_on(page, field, random, 0)


def in_a_line(digits: Digits, random: Random) -> Scene:
    scene = scenes.written(digits, random, scenes.paper(random), scenes.ink_of(random))
    return scenes.lit(scene, random, 0.4, 1)


def in_a_slanted_line(digits: Digits, random: Random) -> Scene:
    line = scenes.written(digits, random, scenes.paper(random, 300, 700), (25, 25, 30))
    under = np.full((scenes.HEIGHT, scenes.WIDTH, 3), np.median(line.colours, axis=(0, 1)))
    return scenes.laid_on(under, line, random, 12)


def of_unequal_heights(digits: Digits, random: Random) -> Scene:
    scene, left = scenes.paper(random, 320, 1_200), 20
    for digit in digits:
        side = int(random.uniform(130, 270))
        scenes.write(scene, digit, (left, int(random.uniform(0, 320 - side)), side), (25, 25, 30))
        left += side
    return scene


def in_two_lines(digits: Digits, random: Random) -> Scene:
    scene = scenes.paper(random)
    for number, digit in enumerate(digits):
        down, across = divmod(number, 3)
        left, top = (int(random.uniform(0, 30)) for _ in range(2))
        place = (30 + 240 * across + left, 30 + 300 * down + top, 230)
        scenes.write(scene, digit, place, (35, 50, 140))
    return scene


def in_a_line_on_a_table(digits: Digits, random: Random) -> Scene:
    return _on_table(digits, random, scenes.table(random), 6)


def _within(digits: Digits, random: Random, shape: str) -> Scene:
    scene = scenes.paper(random, 400, 400)
    scenes.write(scene, digits[0], (90, 90, 220), scenes.ink_of(random))
    edge, width = int(random.uniform(20, 55)), int(random.integers(2, 7))

    def draw(pencil: ImageDraw) -> None:
        around = getattr(pencil, shape)
        around([edge, edge, 400 - edge, 400 - edge], outline=(60, 60, 65), width=width)

    return scenes.drawn_over(scene, draw)


def _on_table(digits: Digits, random: Random, under: scenes.Floats, turned: float) -> Scene:
    height, width = int(random.uniform(280, 440)), int(random.uniform(380, 600))
    sheet = scenes.written(digits, random, scenes.paper(random, height, width), (30, 30, 32))
    return scenes.lit(scenes.laid_on(under, sheet, random, turned), random, 0.25, 1)


KINDS: dict[Callable[[Digits, Random], Scene], int] = {  # and how many digits are on one
    **dict.fromkeys(
        (
            in_uneven_light,
            under_a_hard_shadow,
            in_faint_pencil,
            in_chalk,
            on_lined_paper,
            on_checkered_paper,
            in_a_box,
            in_a_ring,
            on_a_sheet_on_a_table,
            on_a_sheet_on_a_light_table,
            on_a_sticky_note,
            beside_the_edge_of_a_table,
            held_by_a_finger,
            on_a_screen,
        ),
        1,
    ),
    in_a_line: 4,
    in_a_slanted_line: 4,
    of_unequal_heights: 4,
    in_two_lines: 6,
    in_a_line_on_a_table: 3,
}


if __name__ == "__main__":
    main()
