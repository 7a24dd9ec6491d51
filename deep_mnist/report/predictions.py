"""What a run's model predicts for the test images."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from deep_mnist import data
from deep_mnist.inference import load_model
from deep_mnist.report.runs import Run

Array = npt.NDArray[Any]


class Predictions(NamedTuple):
    """The predictions of a model, its first weights and its feature maps."""

    images: npt.NDArray[np.uint8]  # [N, 784], the test images
    labels: npt.NDArray[np.uint8]  # [N], true labels
    probabilities: Array  # [N, 10], rows sum to 1
    first_weights: Array  # [784, units], or [5, 5, 1, filters] of a convolution
    feature_maps: tuple[Array, ...]  # of the first image, [H, W, features] of each convolution

    @property
    def predicted(self) -> Array:
        """Predicted labels, [N]."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def correct(self) -> int:
        """Number of images that are classified correctly."""
        return int(np.sum(self.predicted == self.labels))

    def confusion_matrix(self) -> npt.NDArray[np.int64]:
        """Return the number of images by true label (row) and predicted label, [10, 10]."""
        matrix = np.zeros((10, 10), np.int64)
        np.add.at(matrix, (self.labels, self.predicted), 1)
        return matrix


def predict(run: Run, test: data.Split) -> Predictions:
    """Load the newest weights of a run and classify the test images.

    Raises:
      DeepMnistError: the run has no checkpoint, or a damaged one.
    """
    images = data.scale(test.images)
    with load_model(run.model, str(run.directory)) as classifier:
        probabilities = classifier.predict_proba(images)
        weights = np.asarray(classifier.weights()[classifier.program.first_weights])
        feature_maps = tuple(maps[0] for maps in classifier.feature_maps(images[:1]))
    # A 785th row, of fnn, is the bias.
    return Predictions(test.images, test.labels, probabilities, weights[:784], feature_maps)
