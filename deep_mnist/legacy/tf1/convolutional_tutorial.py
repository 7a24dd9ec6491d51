"""tensorflow.models.image.mnist.convolutional: its functions, which scripts imported."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np

from deep_mnist.errors import DeepMnistError
from deep_mnist.legacy import downloads

__all__ = [
    "BATCH_SIZE",
    "EVAL_BATCH_SIZE",
    "EVAL_FREQUENCY",
    "IMAGE_SIZE",
    "NUM_CHANNELS",
    "NUM_EPOCHS",
    "NUM_LABELS",
    "PIXEL_DEPTH",
    "SEED",
    "SOURCE_URL",
    "VALIDATION_SIZE",
    "WORK_DIRECTORY",
    "error_rate",
    "extract_data",
    "extract_labels",
    "maybe_download",
]

SOURCE_URL = "http://yann.lecun.com/exdb/mnist/"
WORK_DIRECTORY = "data"
IMAGE_SIZE = 28
NUM_CHANNELS = 1
PIXEL_DEPTH = 255
NUM_LABELS = 10
VALIDATION_SIZE = 5000
SEED = 66478
BATCH_SIZE = 64
NUM_EPOCHS = 10
EVAL_BATCH_SIZE = 64
EVAL_FREQUENCY = 100


def maybe_download(filename: str) -> str:
    """Return the path of one of MNIST's four files in WORK_DIRECTORY, written if missing.

    Raises:
      DeepMnistError: it is not one of the four.
    """
    path = Path(WORK_DIRECTORY, filename)
    if not path.exists():
        data = downloads.content(SOURCE_URL + filename)
        if data is None:
            raise DeepMnistError(f"{filename}: expected the name of one of MNIST's four files")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return str(path)


def extract_data(filename: str, num_images: int) -> Any:
    """Return the images of a file, float32 [num_images, 28, 28, 1] in [-0.5, 0.5]."""
    with gzip.open(filename) as file:
        file.read(16)
        pixels = np.frombuffer(file.read(IMAGE_SIZE * IMAGE_SIZE * num_images), np.uint8)
    scaled = (pixels.astype(np.float32) - PIXEL_DEPTH / 2) / PIXEL_DEPTH
    return scaled.reshape(num_images, IMAGE_SIZE, IMAGE_SIZE, NUM_CHANNELS)


def extract_labels(filename: str, num_images: int) -> Any:
    """Return the labels of a file, int64 [num_images]."""
    with gzip.open(filename) as file:
        file.read(8)
        return np.frombuffer(file.read(num_images), np.uint8).astype(np.int64)


def error_rate(predictions: Any, labels: Any) -> float:
    """Return the percentage of errors of predictions [B, 10] for labels [B]."""
    return 100.0 - 100.0 * float(np.mean(np.argmax(predictions, 1) == labels))
