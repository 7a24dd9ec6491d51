"""Test images as points for TensorBoard's embedding projector.

The vectors of an image are the input of the network's last layer and its logits.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from deep_mnist.data import Split, scale
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training.session import Session

IMAGES = 1_000  # the first: what a browser can still lay out by t-SNE
SPRITE, METADATA = "sprite.png", "metadata.tsv"
CONFIG = """embeddings {{
  tensor_name: "{name}"
  tensor_path: "{name}.tsv"
  metadata_path: "{metadata}"
  sprite {{ image_path: "{sprite}" single_image_dim: 28 single_image_dim: 28 }}
}}
"""


def write(directory: Path, sess: Session, test: Split) -> None:
    """Write projector_config.pbtxt and the vectors, labels and sprite image that it names.

    Args:
      directory: a directory of event files; an earlier embedding in it is replaced.
      sess: a session of a model whose logits are a product plus a bias.
      test: a split, of which the first images are used.

    Raises:
      OSError: the disk is full or the directory is not writable.
    """
    images, labels = (part[:IMAGES] for part in test)
    logits = sess.model.logits
    tensors = {"last_layer_input": logits.op.inputs[0].op.inputs[0], "logits": logits}
    vectors = sess.run(tensors, {sess.model.x: scale(images)})
    for name, rows in vectors.items():
        lines = ("\t".join(f"{value:.6g}" for value in row) for row in rows.tolist())
        _write(directory / f"{name}.tsv", "".join(f"{line}\n" for line in lines))
    predicted = vectors["logits"].argmax(axis=1)
    lines = (
        f"{index}\t{label}\t{prediction}\t{'correct' if label == prediction else 'misclassified'}\n"
        for index, (label, prediction) in enumerate(zip(labels, predicted, strict=True))
    )
    _write(directory / METADATA, "index\ttrue label\tpredicted\tresult\n" + "".join(lines))
    (directory / SPRITE).write_bytes(_png(_sprite(images)))
    configs = (CONFIG.format(name=name, metadata=METADATA, sprite=SPRITE) for name in vectors)
    _write(directory / "projector_config.pbtxt", "".join(configs))


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8", newline="\n")


def _sprite(images: Any) -> Any:
    """Return images [N, 784] as a square of tiles, dark on white, [S, S, 1] uint8."""
    side = math.ceil(math.sqrt(len(images)))
    tiles = np.zeros((side * side, 784), np.uint8)
    tiles[: len(images)] = images
    sprite = tiles.reshape(side, side, 28, 28).swapaxes(1, 2).reshape(28 * side, 28 * side, 1)
    return 255 - sprite


def _png(image: Any) -> bytes:
    with tf.Graph().as_default(), tf.Session() as encoder:
        png: bytes = encoder.run(tf.io.encode_png(image))
    return png
