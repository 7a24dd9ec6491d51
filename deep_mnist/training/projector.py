"""Test digits as points for TensorBoard's embedding projector: vectors, labels, a sheet of images.

Each digit is the vector that the network's last layer reads, and the one that it gives.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from deep_mnist.data import Split, scale
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training.session import Session

DIGITS = 1_000  # the first: what a browser can still lay out by t-SNE
SPRITE, METADATA = "sprite.png", "metadata.tsv"
CONFIG = """embeddings {{
  tensor_name: "{name}"
  tensor_path: "{name}.tsv"
  metadata_path: "{metadata}"
  sprite {{ image_path: "{sprite}" single_image_dim: 28 single_image_dim: 28 }}
}}
"""


def write(directory: Path, sess: Session, test: Split) -> None:
    """Writes projector_config.pbtxt and the files that it names, all beside each other.

    Args:
      directory: of event files; what is there of an earlier projection is replaced.
      sess: a session of a model whose logits are a sum, product plus bias.
      test: a split; its first DIGITS examples are shown.

    Raises:
      OSError: the disk is full or the directory can't be written to.
    """
    images, labels = (part[:DIGITS] for part in test)
    logits = sess.model.logits
    tensors = {"last_layer_input": logits.op.inputs[0].op.inputs[0], "logits": logits}
    vectors = sess.run(tensors, {sess.model.x: scale(images)})
    for name, rows in vectors.items():
        lines = ("\t".join(f"{value:.6g}" for value in row) for row in rows.tolist())
        _write(directory / f"{name}.tsv", "".join(f"{line}\n" for line in lines))
    answers = vectors["logits"].argmax(axis=1)
    lines = (
        f"{index}\t{label}\t{answer}\t{'right' if label == answer else 'wrong'}\n"
        for index, (label, answer) in enumerate(zip(labels, answers, strict=True))
    )
    _write(directory / METADATA, "number\tlabel\tread as\tis\n" + "".join(lines))
    (directory / SPRITE).write_bytes(_png(_sheet(images)))
    configs = (CONFIG.format(name=name, metadata=METADATA, sprite=SPRITE) for name in vectors)
    _write(directory / "projector_config.pbtxt", "".join(configs))


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8", newline="\n")


def _sheet(images: Any) -> Any:
    """Images [N, 784] in rows of a square of tiles, ink dark on white: [S, S, 1] uint8."""
    side = math.ceil(math.sqrt(len(images)))
    tiles = np.zeros((side * side, 784), np.uint8)
    tiles[: len(images)] = images
    sheet = tiles.reshape(side, side, 28, 28).swapaxes(1, 2).reshape(28 * side, 28 * side, 1)
    return 255 - sheet


def _png(sheet: Any) -> bytes:
    with tf.Graph().as_default(), tf.Session() as encoder:
        png: bytes = encoder.run(tf.io.encode_png(sheet))
    return png
