"""Accuracy lost when MNIST's test digits are read from image files by deep_mnist.vision.

    python benchmarks/image_files.py [--data-dir DIR] [--digits 10000] [--changed 200]

The pretrained CNN classifies test digits directly, and drawn 280x280 in black on white as image
files. Then 200 of the images are changed in each of the ways below: how many keep the label that
is predicted directly? Writes results/image_files.json.
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
PilImage = Image.Image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data-dir", help="directory with MNIST")
    parser.add_argument("--digits", type=int, default=10_000, help="test digits (default: 10000)")
    parser.add_argument("--changed", type=int, default=200, help="changed digits (default: 200)")
    options = parser.parse_args()
    import_quietly()
    test = data.load_data("mnist", options.data_dir).test
    images, labels = test.images[: options.digits], test.labels[: options.digits]
    with inference.load_model("cnn") as cnn:
        direct = cnn.predict(images)
        start = time.perf_counter()
        from_files = predict(cnn, [encode(enlarge(pixels)) for pixels in images])
        seconds = (time.perf_counter() - start) / len(images)
        kept = {}
        for name, change in CHANGES.items():
            files = [encode(change(enlarge(pixels))) for pixels in images[: options.changed]]
            kept[name] = int(np.sum(predict(cnn, files) == direct[: options.changed]))
            print(f"{name}: {kept[name]} of {len(files)} keep their label", flush=True)
    accuracies = [float(np.mean(predicted == labels)) for predicted in (direct, from_files)]
    report.write(
        "image_files",
        {
            "digits": len(images),
            "accuracy_direct": accuracies[0],
            "accuracy_from_files": accuracies[1],
            "points_lost": 100 * (accuracies[0] - accuracies[1]),
            "seconds_per_image": seconds,
            "changed": min(options.changed, len(images)),
            "label_kept": kept,
        },
    )


def predict(cnn: inference.Classifier, files: list[bytes]) -> npt.NDArray[np.int64]:
    """Return the predicted label of each file, -1 where not exactly one digit is found."""
    labels = np.full(len(files), -1)
    for number, file in enumerate(files):
        try:
            digits = image.digits(image.read(file))
        except ImageError:
            continue
        if len(digits) == 1:
            labels[number] = cnn.predict(digits[0].pixels)[0]
    return labels


def enlarge(pixels: npt.NDArray[np.uint8]) -> PilImage:
    """Return a digit as an image of 280x280, black on white."""
    digit = Image.fromarray(255 - pixels.reshape(28, 28))
    return digit.resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def encode(pil_image: PilImage) -> bytes:
    """Return an image as a file, in a format that has its mode."""
    file = io.BytesIO()
    pil_image.save(file, "TIFF" if pil_image.mode in ("F", "I", "CMYK") else "PNG")
    return file.getvalue()


def shifted(right: int, down: int) -> Callable[[PilImage], PilImage]:
    """Move the digit by pixels of a canvas of 100x100 on which it has 28x28."""

    def change(pil_image: PilImage) -> PilImage:
        canvas = Image.new("L", (1_000, 1_000), 255)
        canvas.paste(pil_image, (360 + 10 * right, 360 + 10 * down))
        return canvas

    return change


def scaled(by: float) -> Callable[[PilImage], PilImage]:
    side = round(SIDE * by)
    return lambda pil_image: pil_image.resize((side, side), Image.Resampling.LANCZOS)


def shade(pil_image: PilImage) -> PilImage:
    """Reduce the light from one corner to the other, to a third."""
    light = np.linspace(1, 0.6, SIDE)[:, None] * np.linspace(1, 0.55, SIDE)[None, :]
    return Image.fromarray((np.asarray(pil_image) * light).astype(np.uint8))


def alpha_only(pil_image: PilImage) -> PilImage:
    ink = Image.new("RGBA", pil_image.size)
    ink.putalpha(Image.eval(pil_image, lambda gray: 255 - gray))
    return ink


def on_canvas(width: int, height: int) -> Callable[[PilImage], PilImage]:
    def change(pil_image: PilImage) -> PilImage:
        canvas = Image.new("L", (width, height), 255)
        canvas.paste(pil_image, ((width - SIDE) // 2, (height - SIDE) // 2))
        return canvas

    return change


def to_16_bits(pil_image: PilImage) -> PilImage:
    return Image.fromarray(np.asarray(pil_image, np.uint16) * np.uint16(257))


CHANGES: dict[str, Callable[[PilImage], PilImage]] = {
    "white on black": lambda pil_image: Image.eval(pil_image, lambda gray: 255 - gray),
    "gray on gray": lambda pil_image: Image.eval(pil_image, lambda gray: 90 + gray // 3),
    **{f"shifted by {x}, {y}": shifted(x, y) for x, y in ((8, 8), (-8, 8), (8, -8), (-8, -8))},
    **{f"scaled by {by:g}": scaled(by) for by in (0.5, 0.75, 1.5, 2, 4)},
    "10 times smaller": scaled(0.1),
    "uneven light": shade,
    "on a wide canvas": on_canvas(900, 300),
    "on a tall canvas": on_canvas(300, 900),
    **{
        f"mode {mode}": lambda pil_image, mode=mode: pil_image.convert(mode)  # type: ignore[misc]
        for mode in ("1", "LA", "P", "RGB", "RGBA", "CMYK", "I", "F")
    },
    "16 bits": to_16_bits,
    "alpha channel only": alpha_only,
}


if __name__ == "__main__":
    main()
