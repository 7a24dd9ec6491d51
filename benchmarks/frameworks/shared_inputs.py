"""What all contenders start from: MNIST, the order of its images, and one set of weights.

    python benchmarks/peers/material.py DIRECTORY      writes it, from deep_mnist

The weights are those that deep_mnist.cnn starts from at seed 0, the order is that of its epoch 0.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from deep_mnist.lazy_tensorflow import import_quietly

FILE = "material.npz"


class Material(NamedTuple):
    """The same for every contender."""

    images: Any  # [55,000, 784] uint8, for training
    labels: Any  # [55,000] uint8
    order: Any  # [55,000] int64: step k takes images order[50 k], ... order[50 k + 49]
    test_images: Any  # [10,000, 784] uint8
    weights: dict[str, Any]  # float32 by the tutorial's names: W_conv1 [5, 5, 1, 32], b_conv1, ...


def read(directory: str) -> Material:
    """What `write` wrote there."""
    with np.load(Path(directory, FILE)) as file:
        arrays = dict(file)
    given = {name: arrays.pop(name) for name in ("images", "labels", "order", "test_images")}
    return Material(**given, weights=arrays)


def write(directory: str) -> None:
    """Draws the weights, and writes them with the images."""
    from deep_mnist import cnn, data, training
    from deep_mnist.data.batches import epoch_order
    from deep_mnist.lazy_tensorflow import tf

    import_quietly()
    config = cnn.Config()
    digits = data.load_data("mnist")
    with tf.Graph().as_default():
        model = cnn.build(config)
        with training.Session(model, config) as sess:
            sess.initialize()
            weights = sess.run({v.op.name: v for v in tf.trainable_variables()})
    np.savez(
        Path(directory, FILE),
        images=digits.train.images,
        labels=digits.train.labels,
        order=epoch_order(len(digits.train.labels), config.seed, epoch=0),
        test_images=digits.test.images,
        **weights,
    )


if __name__ == "__main__":
    write(sys.argv[1])
