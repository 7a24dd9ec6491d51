"""What all implementations start from: MNIST, the order of its images, initial weights, a recipe.

    python benchmarks/frameworks/shared_inputs.py DIRECTORY      write it, from deep_mnist

The weights are the initial ones of deep_mnist.cnn with seed 0; the order is that of its epoch 0.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import recipe

FILE = "inputs.npz"
SEED = 0


class Inputs(NamedTuple):
    """The same for every implementation."""

    images: Any  # [55,000, 784] uint8, for training
    labels: Any  # [55,000] uint8
    order: Any  # [55,000] int64: step k trains on the images order[50 k], ... order[50 k + 49]
    test_images: Any  # [10,000, 784] uint8
    test_labels: Any  # [10,000] uint8
    weights: dict[str, Any]  # float32 by the tutorial's names: W_conv1 [5, 5, 1, 32], b_conv1, ...


def read(directory: str) -> Inputs:
    """Read what `write` wrote."""
    with np.load(Path(directory, FILE)) as file:
        arrays = dict(file)
    names = [name for name in Inputs._fields if name != "weights"]
    inputs = {name: arrays.pop(name) for name in names}
    return Inputs(**inputs, weights=arrays)


def write(directory: str) -> None:
    """Initialize the weights, and write them with the images."""
    # Imported here: the other frameworks' environments do not have deep_mnist.
    from deep_mnist import cnn, data, training
    from deep_mnist.data.batches import epoch_order
    from deep_mnist.lazy_tensorflow import import_quietly, tf
    from deep_mnist.training import RunConfig

    import_quietly()
    mnist = data.load_data("mnist")
    with tf.Graph().as_default():
        tf.set_random_seed(SEED)
        model = cnn.build(cnn.Config())
        with training.Session(model, RunConfig(seed=SEED)) as session:
            session.initialize()
            weights = session.weights()
    np.savez(
        Path(directory, FILE),
        images=mnist.train.images,
        labels=mnist.train.labels,
        order=epoch_order(len(mnist.train.labels), SEED, epoch=0),
        test_images=mnist.test.images,
        test_labels=mnist.test.labels,
        **weights,
    )


if __name__ == "__main__":
    write(sys.argv[1])
    recipe.write(sys.argv[1])
