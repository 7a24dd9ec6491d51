"""MNIST's test digits as pictures: what is lost on the way through data/image.py.

    python benchmarks/pictures.py [--data-dir DIR] [--digits 10000] [--changed 200]

The shipped CNN reads test digits directly, and drawn large in black on white, 280 x 280, as files.
Then 200 of them are changed, each in every way below, and must be read as they were directly.
Writes results/pictures.json.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import report
from PIL import Image

from deep_mnist import data, inference
from deep_mnist.errors import ImageError
from deep_mnist.lazy_tensorflow import import_quietly
from deep_mnist.vision import image

SIDE = 280
Picture = Image.Image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data-dir")
    parser.add_argument("--digits", type=int, default=10_000)
    parser.add_argument("--changed", type=int, default=200)
    options = parser.parse_args()
    import_quietly()
    test = data.load_data("mnist", options.data_dir).test
    images, labels = test.images[: options.digits], test.labels[: options.digits]
    with inference.load_model("cnn") as cnn:
        direct = cnn.predict(images)
        begun = time.perf_counter()
        drawn = read(cnn, [encoded(large(pixels)) for pixels in images])
        seconds = (time.perf_counter() - begun) / len(images)
        kept = {}
        for name, change in CHANGES.items():
            files = [encoded(change(large(pixels))) for pixels in images[: options.changed]]
            kept[name] = int(np.sum(read(cnn, files) == direct[: options.changed]))
            print(f"{name}: {kept[name]} of {len(files)} keep their label", flush=True)
    accuracies = [float(np.mean(answers == labels)) for answers in (direct, drawn)]
    report.write(
        "pictures",
        {
            "digits": len(images),
            "accuracy_direct": accuracies[0],
            "accuracy_as_pictures": accuracies[1],
            "points_lost": 100 * (accuracies[0] - accuracies[1]),
            "seconds_per_picture": seconds,
            "changed": min(options.changed, len(images)),
            "label_kept": kept,
        },
    )


def read(cnn: inference.Classifier, files: list[bytes]) -> npt.NDArray[np.int64]:
    """The label of each file; -1 where not exactly one digit is found."""
    labels = np.full(len(files), -1)
    for number, file in enumerate(files):
        try:
            digits = image.digits(image.read(file))
        except ImageError:
            continue
        if len(digits) == 1:
            labels[number] = cnn.predict(digits[0].pixels)[0]
    return labels


def large(pixels: npt.NDArray[np.uint8]) -> Picture:
    """Black on white."""
    digit = Image.fromarray(255 - pixels.reshape(28, 28))
    return digit.resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def encoded(picture: Picture) -> bytes:
    file = io.BytesIO()
    kind = "TIFF" if picture.mode in ("F", "I", "CMYK") else "PNG"
    picture.save(file, kind)
    return file.getvalue()


def shifted(right: int, down: int) -> Callable[[Picture], Picture]:
    """By so many pixels of a canvas of 100 x 100, on which the digit is 28 pixels long."""

    def change(picture: Picture) -> Picture:
        canvas = Image.new("L", (1_000, 1_000), 255)
        canvas.paste(picture, (360 + 10 * right, 360 + 10 * down))
        return canvas

    return change


def scaled(by: float) -> Callable[[Picture], Picture]:
    side = round(SIDE * by)
    return lambda picture: picture.resize((side, side), Image.Resampling.LANCZOS)


def lit(picture: Picture) -> Picture:
    """From one corner to the other the light falls to a third."""
    light = np.linspace(1, 0.6, SIDE)[:, None] * np.linspace(1, 0.55, SIDE)[None, :]
    return Image.fromarray((np.asarray(picture) * light).astype(np.uint8))


def in_alpha_alone(picture: Picture) -> Picture:
    ink = Image.new("RGBA", picture.size)
    ink.putalpha(Image.eval(picture, lambda grey: 255 - grey))
    return ink


def on_canvas(width: int, height: int) -> Callable[[Picture], Picture]:
    def change(picture: Picture) -> Picture:
        canvas = Image.new("L", (width, height), 255)
        canvas.paste(picture, ((width - SIDE) // 2, (height - SIDE) // 2))
        return canvas

    return change


def in_16_bits(picture: Picture) -> Picture:
    return Image.fromarray(np.asarray(picture, np.uint16) * np.uint16(257))


CHANGES: dict[str, Callable[[Picture], Picture]] = {
    "white on black": lambda picture: Image.eval(picture, lambda grey: 255 - grey),
    "grey on grey": lambda picture: Image.eval(picture, lambda grey: 90 + grey // 3),
    **{f"shifted by {x}, {y}": shifted(x, y) for x, y in ((8, 8), (-8, 8), (8, -8), (-8, -8))},
    **{f"scaled by {by:g}": scaled(by) for by in (0.5, 0.75, 1.5, 2, 4)},
    "10 times smaller": scaled(0.1),
    "uneven light": lit,
    "on a wide canvas": on_canvas(900, 300),
    "on a tall canvas": on_canvas(300, 900),
    **{
        f"mode {mode}": lambda picture, mode=mode: picture.convert(mode)  # type: ignore[misc]
        for mode in ("1", "LA", "P", "RGB", "RGBA", "CMYK", "I", "F")
    },
    "16 bits": in_16_bits,
    "ink in alpha alone": in_alpha_alone,
}


if __name__ == "__main__":
    main()
