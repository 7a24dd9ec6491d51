"""Accuracy of the CNN on synthetic photographs of MNIST's test digits, by kind of photograph.

    python benchmarks/photographs.py [--data-dir DIR] [--each 20] [--seed 0] [--restore CHECKPOINT]

A photograph is correct if exactly its digits are found, in order, and all are classified
correctly. Digits, sizes, positions, light and angles depend on the seed and the kind's name.
Writes results/photographs.json.
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
    parser.add_argument("--data-dir", help="directory with MNIST")
    parser.add_argument("--each", type=int, default=20, help="images per kind (default: 20)")
    parser.add_argument("--seed", type=int, default=0, help="random seed (default: 0)")
    parser.add_argument("--restore", help="checkpoint of the CNN (default: the pretrained weights)")
    options = parser.parse_args()
    import_quietly()
    test = data.load_data("mnist", options.data_dir).test
    correct = {}
    with inference.load_model("cnn", options.restore) as cnn:
        for kind, count in KINDS.items():
            correct[kind.__name__] = 0
            for number in range(options.each):
                random = generator(kind, options.seed, number)
                chosen = random.choice(len(test.labels), count, replace=False)
                scene = kind(test.images[chosen].reshape(-1, 28, 28), random)
                correct[kind.__name__] += predict(cnn, scene) == test.labels[chosen].tolist()
            print(f"{kind.__name__}: {correct[kind.__name__]} of {options.each}", flush=True)
    single = [correct[kind.__name__] for kind, count in KINDS.items() if count == 1]
    several = [correct[kind.__name__] for kind, count in KINDS.items() if count > 1]
    report.write(
        "photographs",
        {
            "images_per_kind": options.each,
            "seed": options.seed,
            "accuracy_one_digit": float(np.mean(single)) / options.each,
            "accuracy_several_digits": float(np.mean(several)) / options.each,
            "correct": correct,
        },
    )


def predict(cnn: inference.Classifier, scene: Scene) -> list[int]:
    """Return the predicted labels from left to right, line by line."""
    try:
        found = image.digits(image.read(scene.file()))
    except ImageError:
        return []
    pixels = np.stack([digit.pixels for digit in found])
    return [int(label) for label in cnn.predict(pixels)]


def generator(kind: Callable[..., Scene], seed: int, number: int) -> Random:
    """Return the generator of one image, which does not depend on the other kinds."""
    return np.random.default_rng([seed, number, zlib.crc32(kind.__name__.encode())])


def in_uneven_light(digits: Digits, random: Random) -> Scene:
    scene = scenes.write(digits, random, scenes.paper(random), scenes.random_ink(random))
    return scenes.shade(scene, random, random.uniform(0.3, 0.6), 1)


def under_a_hard_shadow(digits: Digits, random: Random) -> Scene:
    scene = scenes.write(digits, random, scenes.paper(random), scenes.random_ink(random))
    return scenes.shade(scene, random, random.uniform(0.3, 0.55), random.uniform(0.02, 0.15))


def in_faint_pencil(digits: Digits, random: Random) -> Scene:
    scene = scenes.write(digits, random, scenes.paper(random), (165, 165, 166))
    return scenes.shade(scene, random, 0.2, 1)


def in_chalk(digits: Digits, random: Random) -> Scene:
    scene = scenes.paper(random)
    board = scene._replace(colors=scene.colors * random.uniform(0.15, 0.3))
    return scenes.shade(scenes.write(digits, random, board, (225, 225, 220)), random, 0.3, 1)


def on_lined_paper(digits: Digits, random: Random) -> Scene:
    slope, pitch = random.uniform(-0.02, 0.02), int(random.uniform(35, 80))

    def lines(pencil: ImageDraw) -> None:
        for y in range(-pitch, scenes.HEIGHT + pitch, pitch):
            ends = [(0, y), (scenes.WIDTH, y + slope * scenes.WIDTH)]
            pencil.line(ends, fill=(150, 175, 215), width=2)

    ruled = scenes.draw_over(scenes.paper(random), lines)
    scene = scenes.write(digits, random, ruled, (PENCIL, (35, 50, 140))[random.integers(2)])
    return scenes.shade(scene, random, 0.25, 1)


def on_checkered_paper(digits: Digits, random: Random) -> Scene:
    pitch = int(random.uniform(25, 50))

    def lines(pencil: ImageDraw) -> None:
        for at in range(pitch // 2, scenes.WIDTH, pitch):
            pencil.line([(at, 0), (at, scenes.HEIGHT)], fill=(185, 195, 215), width=2)
            pencil.line([(0, at), (scenes.WIDTH, at)], fill=(185, 195, 215), width=2)

    ruled = scenes.draw_over(scenes.paper(random), lines)
    return scenes.shade(scenes.write(digits, random, ruled, (35, 50, 140)), random, 0.2, 1)


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
    color = ((250, 230, 110), (245, 160, 190), (160, 220, 150))[random.integers(3)]
    note = note._replace(colors=note.colors * 0 + np.array(color))
    note = scenes.write(digits, random, note, (35, 50, 140))
    return scenes.shade(scenes.lay_on(scenes.table(random), note, random, 15), random, 0.25, 1)


def at_the_edge_of_a_table(digits: Digits, random: Random) -> Scene:
    scene = scenes.write(digits, random, scenes.paper(random, 560, 640), (25, 25, 30))
    table = scenes.table(random, 640, 640)
    return scenes.shade(scenes.lay_on(table, scene, random, 4), random, 0.25, 1)


def held_by_a_finger(digits: Digits, random: Random) -> Scene:
    scene = scenes.write(digits, random, scenes.paper(random), (25, 25, 30))
    free = np.flatnonzero(scene.owner[-200:].any(axis=0))
    x = 20 if not free.size or free[0] > 160 else scenes.WIDTH - 140

    def finger(pencil: ImageDraw) -> None:
        ends = [x, scenes.HEIGHT - 110, x + 110, scenes.HEIGHT + 120]
        pencil.ellipse(ends, fill=(205, 160, 135))

    return scenes.shade(scenes.draw_over(scene, finger), random, 0.2, 1)


def on_a_screen(digits: Digits, random: Random) -> Scene:
    """Draw a white field on a dark, gray or light page."""
    field = scenes.paper(random, 420, 420)
    field = scenes.write(digits, random, field._replace(colors=field.colors * 0 + 255), (0, 0, 0))
    page = np.full((scenes.HEIGHT, scenes.WIDTH, 3), random.choice([25.0, 120.0, 244.0]))
    return scenes.lay_on(page, field, random, 0)


def in_a_row(digits: Digits, random: Random) -> Scene:
    scene = scenes.write(digits, random, scenes.paper(random), scenes.random_ink(random))
    return scenes.shade(scene, random, 0.4, 1)


def in_a_slanted_line(digits: Digits, random: Random) -> Scene:
    line = scenes.write(digits, random, scenes.paper(random, 300, 700), (25, 25, 30))
    paper = np.full((scenes.HEIGHT, scenes.WIDTH, 3), np.median(line.colors, axis=(0, 1)))
    return scenes.lay_on(paper, line, random, 12)


def of_unequal_heights(digits: Digits, random: Random) -> Scene:
    scene, left = scenes.paper(random, 320, 1_200), 20
    for digit in digits:
        side = int(random.uniform(130, 270))
        scenes.write_digit(
            scene, digit, (left, int(random.uniform(0, 320 - side)), side), (25, 25, 30)
        )
        left += side
    return scene


def in_two_lines(digits: Digits, random: Random) -> Scene:
    scene = scenes.paper(random)
    for number, digit in enumerate(digits):
        down, across = divmod(number, 3)
        left, top = (int(random.uniform(0, 30)) for _ in range(2))
        position = (30 + 240 * across + left, 30 + 300 * down + top, 230)
        scenes.write_digit(scene, digit, position, (35, 50, 140))
    return scene


def in_a_row_on_a_table(digits: Digits, random: Random) -> Scene:
    return _on_table(digits, random, scenes.table(random), 6)


def _within(digits: Digits, random: Random, shape: str) -> Scene:
    scene = scenes.paper(random, 400, 400)
    scenes.write_digit(scene, digits[0], (90, 90, 220), scenes.random_ink(random))
    edge, width = int(random.uniform(20, 55)), int(random.integers(2, 7))

    def draw(pencil: ImageDraw) -> None:
        around = getattr(pencil, shape)
        around([edge, edge, 400 - edge, 400 - edge], outline=(60, 60, 65), width=width)

    return scenes.draw_over(scene, draw)


def _on_table(
    digits: Digits, random: Random, background: scenes.Floats, max_degrees: float
) -> Scene:
    height, width = int(random.uniform(280, 440)), int(random.uniform(380, 600))
    sheet = scenes.write(digits, random, scenes.paper(random, height, width), (30, 30, 32))
    return scenes.shade(scenes.lay_on(background, sheet, random, max_degrees), random, 0.25, 1)


KINDS: dict[Callable[[Digits, Random], Scene], int] = {  # and the number of digits on one
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
            at_the_edge_of_a_table,
            held_by_a_finger,
            on_a_screen,
        ),
        1,
    ),
    in_a_row: 4,
    in_a_slanted_line: 4,
    of_unequal_heights: 4,
    in_two_lines: 6,
    in_a_row_on_a_table: 3,
}


if __name__ == "__main__":
    main()
