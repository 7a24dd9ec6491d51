"""What a run's weights say of the test digits."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from deep_mnist import data, inference
from deep_mnist.report.runs import Run

Array = npt.NDArray[Any]


class Answers(NamedTuple):
    """A model's answers, and its insides as far as they are pictures."""

    images: npt.NDArray[np.uint8]  # [N, 784], of the test set
    labels: npt.NDArray[np.uint8]  # [N]
    probabilities: Array  # [N, 10], rows sum to 1
    first_weights: Array  # [784, units], or the CNN's [5, 5, 1, 32]
    feature_maps: tuple[Array, ...]  # of the first test digit, [H, W, features]; the CNN's alone

    @property
    def answers(self) -> Array:
        """[N] the digit that is said."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def correct(self) -> int:
        return int(np.sum(self.answers == self.labels))


def read(run: Run, test: data.Split) -> Answers:
    """Loads the run's newest weights and puts the test digits before them.

    Raises:
      DeepMnistError: the run has no checkpoint, or a damaged one; TensorFlow is not installed.
    """
    images = data.scale(test.images)
    with inference.load_model(run.model, str(run.directory)) as classifier:
        probabilities = classifier.predict_proba(images)
        weights = np.asarray(classifier.weights()[classifier.program.first_weights])
        if len(weights) == 785:
            weights = weights[:784]  # the last row is the bias
        feature_maps = tuple(layer[0] for layer in classifier.feature_maps(images[:1]))
    return Answers(test.images, test.labels, probabilities, weights, feature_maps)


def confusion(answers: Answers) -> npt.NDArray[np.int64]:
    """[10, 10]: how many digits of a row's label are read as the column's."""
    table = np.zeros((10, 10), np.int64)
    np.add.at(table, (answers.labels, answers.answers), 1)
    return table
