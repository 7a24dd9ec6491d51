"""Show an image and what a model predicts for it, in a terminal and as a PNG file."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

from deep_mnist.data import Split, ascii_art
from deep_mnist.data.io import check_new_path
from deep_mnist.errors import DeepMnistError, printable
from deep_mnist.training.config import option


@dataclasses.dataclass(frozen=True)
class PictureOptions:
    """Flags of a program that classifies one training image at the end."""

    picture: int | None = option(
        None,
        "index of a training image to classify at the end",
        minimum=0,
        maximum=59_999,
        advanced=True,
        evaluation=True,
    )
    save_picture: str | None = option(
        None, "new PNG file for that image (needs Pillow)", advanced=True, evaluation=True
    )


def check_picture(index: int | None, save_as: str | None, split: Split) -> None:
    """Check --picture and --save-picture before training starts.

    Args:
      index: number of the image, or None.
      save_as: the PNG file to write, or None.
      split: the images that `index` counts.

    Raises:
      DeepMnistError: the index is out of range, or the file cannot be written.
    """
    if index is not None and index >= len(split.labels):
        raise DeepMnistError(
            f"--picture: expected less than {len(split.labels)}, the number of training images, "
            f"found {index}"
        )
    if save_as is not None:
        _writer()
        check_new_path(Path(save_as), "--save-picture")
        if not Path(save_as).parent.is_dir():
            raise DeepMnistError(f"--save-picture: no directory {Path(save_as).parent}")


def prediction_text(
    image: Any, outputs: Any, true_label: int | None = None, *, is_sure: bool = True
) -> str:
    """Return an image as text, the ten outputs of a model for it, and the predicted label.

    Args:
      image: [784] uint8, 0 (background) to 255.
      outputs: [10] float, such as logits or probabilities.
      true_label: 0 to 9, if it is known.
      is_sure: False for "not sure" instead of the predicted label.
    """
    values = " ".join(f"{digit}:{output:.3f}" for digit, output in enumerate(outputs))
    label = f"predicted label {outputs.argmax()}" if is_sure else "not sure"
    if true_label is not None:
        label += f", true label {true_label}"
    return f"{ascii_art(image)}\noutputs: {values}\n{label}"


def save_picture(path: str, image: Any) -> None:
    """Write an image, [784] uint8, as a new PNG file of 28x28 pixels.

    A failure is only a warning, because the result of the training is not saved yet.
    """
    try:
        with Path(path).open("xb") as file:
            _writer()(file, image)
    except OSError as error:
        message = printable(f"--save-picture: cannot write {path} ({error.strerror})")
        print(f"warning: mlp: {message}", file=sys.stderr)


def _writer() -> Any:
    """Return the function that writes PNG files; it needs Pillow."""
    from deep_mnist.vision import image  # here, because only --save-picture needs it

    image.check_installed()
    return image.write_png
