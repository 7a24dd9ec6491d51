"""The original libraries of TensorFlow 1's high-level APIs, imported when a script uses them.

tf_keras has tf.layers, tf.nn.rnn_cell and Keras; tf_slim has tf.contrib.slim, contrib.layers,
contrib.losses and contrib.metrics; tensorflow_estimator has tf.estimator; tensorflow_probability
has tf.contrib.distributions. Two of them need library_setup.py on today's TensorFlow.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
from typing import Any

from deep_mnist.errors import DeepMnistError
from deep_mnist.legacy import library_setup

__all__ = ["LIBRARIES", "load", "use_legacy_keras"]

NEWEST = "2.21"  # the newest TensorFlow that has a tf_keras
LIBRARIES = {
    "tf_keras": "tf.layers, tf.nn.rnn_cell and Keras",
    "tf_slim": "tf.contrib.slim, tf.contrib.layers and their relatives",
    "tensorflow_estimator": "tf.estimator and tf.contrib.learn",
    "tensorflow_probability": "tf.contrib.distributions",
}


def use_legacy_keras() -> None:
    """Make TensorFlow use tf_keras instead of Keras 3; call it before TensorFlow is imported."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"


def load(name: str) -> Any:
    """Return a module of one of LIBRARIES, or the attribute of a module.

    Args:
      name: dotted, starting with the library.

    Raises:
      DeepMnistError: the library is not installed.
    """
    library = name.partition(".")[0]
    try:
        if library == "tf_keras":
            _prepare_keras()
        elif library == "tf_slim":
            library_setup.prepare_slim()
        elif library == "tensorflow_estimator":
            library_setup.prepare_estimator()
        return import_by_name(name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in LIBRARIES:
            raise
        raise DeepMnistError(
            f"{LIBRARIES[library]} need {error.name}, which is not installed",
            hint=f'pip install "deep_mnist[legacy]"{_pin()}',
        ) from None
    except ImportError as error:
        if library != "tensorflow_probability":
            raise
        # Its releases do not require the TensorFlow that they were made for.
        raise DeepMnistError(
            f"{library} cannot be imported: {str(error).splitlines()[0]}",
            hint='for TensorFlow 2.16 and 2.17: pip install "tensorflow_probability==0.24.*"',
        ) from None


def _pin() -> str:
    """Return the requirement that keeps the installed TensorFlow, if it is not the newest.

    tf_keras requires the TensorFlow of its own release, and pip would rather upgrade TensorFlow
    than choose an earlier tf_keras.
    """
    release = importlib.metadata.version("tensorflow").rpartition(".")[0]
    return "" if release == NEWEST else f' "tensorflow=={release}.*"'


def import_by_name(name: str) -> Any:
    """Return the module `name`, or what its parent has under the last part of the name."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        package, _, attribute = name.rpartition(".")
        if error.name != name or not package:
            raise
        return getattr(import_by_name(package), attribute)


def _prepare_keras() -> None:
    """Save models and weights as the Keras of TensorFlow 1 did; the format of today is eager."""
    training: Any = importlib.import_module("tf_keras.src.engine.training")
    training.saving_api = importlib.import_module("tf_keras.src.saving.legacy.save")
