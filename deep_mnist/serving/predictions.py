"""Classify images with the four models. The results have the form of the classes in schemas.py."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from deep_mnist.checkpoints import pretrained
from deep_mnist.data import input_checks
from deep_mnist.errors import ImageError
from deep_mnist.inference import Classifier, as_images
from deep_mnist.vision import image

DEFAULT_MODEL = "cnn"
MIN_CONTRAST = 0.06  # of pixels that are not blank

Models = Mapping[str, Classifier]
Found = tuple[tuple[int, int], list[image.Digit]]  # width and height of an image, its digits


def find_digits(file: bytes) -> Found:
    """Return the digits in an image file; raise ImageError if there is none."""
    picture = image.read(file)
    return (picture.width, picture.height), image.digits(picture)


def single_digit(pixels: list[Any]) -> Found:
    """Return an image, [784] or [28, 28]; raise ImageError if it is blank or inverted."""
    images = as_images(pixels)
    if np.ptp(images) < MIN_CONTRAST:
        raise ImageError("pixels: expected a digit, found a blank image")
    if problem := input_checks.find_problem(images):
        raise ImageError(f"pixels: {problem}")
    return (28, 28), [image.Digit(images[0], (0, 0, 28, 28))]


def classify(models: Models, digits: list[image.Digit]) -> list[dict[str, Any]]:
    """Return the predictions of all models for each digit."""
    images = np.stack([digit.pixels for digit in digits])
    rows = {name: model.predict_proba(images).round(6).tolist() for name, model in models.items()}
    classified = []
    for i, digit in enumerate(digits):
        predictions = {name: _prediction(row[i]) for name, row in rows.items()}
        classified.append({**predictions[DEFAULT_MODEL], "box": digit.box, "models": predictions})
    return classified


def feature_maps(models: Models, pixels: list[Any]) -> dict[str, Any]:
    """Return the feature maps of the CNN for an image, [784] or [28, 28], scaled to 0..255."""
    layers = []
    for name, maps in zip(("h_conv1", "h_conv2"), models["cnn"].feature_maps(pixels), strict=True):
        values = np.rint(maps[0] * (255 / max(maps.max(), 1e-9))).astype(int)
        rows = values.reshape(-1, maps.shape[3]).T.tolist()
        layers.append({"name": name, "size": maps.shape[1], "maps": rows})
    return {"layers": layers}


def describe(models: Models) -> dict[str, Any]:
    """Return the models, with their size and their accuracy."""
    described = []
    for name, model in models.items():
        result = json.loads((pretrained.directory(name) / "result.json").read_text("utf-8"))
        size = sum(weight.size for weight in model.weights().values())
        title = model.program.title.split()[0]  # fits a column of the page
        row = {"name": name, "title": title, "summary": model.program.description}
        described.append({**row, "parameters": size, "test_accuracy": result["test_accuracy"]})
    return {"default": DEFAULT_MODEL, "models": described}


def _prediction(row: list[float]) -> dict[str, Any]:
    return {"label": row.index(max(row)), "probability": max(row), "probabilities": row}
