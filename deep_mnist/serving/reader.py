"""What the models say of images, as the answers of the API."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from deep_mnist.checkpoints import pretrained
from deep_mnist.inference import PROGRAMS, load_model

DEFAULT_MODEL = "cnn"  # whose answer is the answer
LAYERS = ("h_conv1", "h_conv2")

Images = npt.NDArray[np.float32]
Box = tuple[int, int, int, int]


class Reader:
    """The trained models, loaded once; any thread may ask at any time."""

    def __init__(self) -> None:
        self._models = {name: load_model(name) for name in PROGRAMS}
        # The first run of a graph is the slow one: it is not the first visitor's.
        self.read(np.zeros((1, 784), np.float32), [(0, 0, 28, 28)])
        self.feature_maps(np.zeros(784, np.float32))

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *error: object) -> None:
        for model in self._models.values():
            model.close()

    def read(self, images: Images, boxes: Sequence[Box]) -> list[dict[str, Any]]:
        """Digits as all models read them: images [N, 784] in [0, 1] -> N answers."""
        said = {name: model.predict_proba(images) for name, model in self._models.items()}
        return [
            {
                **_answer(said[DEFAULT_MODEL][index]),
                "box": list(box),
                "models": {
                    name: {
                        **_answer(probabilities[index]),
                        "probabilities": [
                            round(value, 6) for value in probabilities[index].tolist()
                        ],
                    }
                    for name, probabilities in said.items()
                },
            }
            for index, box in enumerate(boxes)
        ]

    def feature_maps(self, image: npt.NDArray[np.float32]) -> list[dict[str, Any]]:
        """What the CNN's two convolutions make of an image [784]: 32 maps 28x28, 64 maps 14x14.

        Values are 0..255, a layer's largest activation is 255.
        """
        layers = self._models[DEFAULT_MODEL].feature_maps(image)
        return [
            {
                "name": name,
                "size": layer.shape[1],
                "maps": np.rint(layer[0] * (255 / max(layer.max(), 1e-9)))
                .astype(int)
                .reshape(-1, layer.shape[3])
                .T.tolist(),
            }
            for name, layer in zip(LAYERS, layers, strict=True)
        ]

    def models(self) -> dict[str, Any]:
        """The models, with their size and how well they read MNIST's test set."""
        return {
            "default": DEFAULT_MODEL,
            "models": [
                {
                    "name": name,
                    "title": model.program.title.split()[0],  # fits a column of the page
                    "summary": model.program.description,
                    "parameters": sum(weight.size for weight in model.weights().values()),
                    "test_accuracy": _result(name)["test_accuracy"],
                }
                for name, model in self._models.items()
            ],
        }


def _answer(probabilities: npt.NDArray[np.float64]) -> dict[str, Any]:
    label = int(probabilities.argmax())
    return {"label": label, "probability": round(float(probabilities[label]), 6)}


def _result(name: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(
        (pretrained.directory(name) / "result.json").read_text("utf-8")
    )
    return result
