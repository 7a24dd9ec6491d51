"""The original libraries of TensorFlow 1's high-level APIs, imported when a script uses them.

tf_keras has tf.layers, tf.nn.rnn_cell and Keras; tf_slim has tf.contrib.slim, contrib.layers,
contrib.losses and contrib.metrics; tensorflow_estimator has tf.estimator; tensorflow_probability
has tf.contrib.distributions. Two of them need modules that today's TensorFlow no longer has.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import sys
from types import ModuleType
from typing import Any

from deep_mnist.errors import DeepMnistError
from deep_mnist.lazy_tensorflow import tf

__all__ = ["LIBRARIES", "load", "use_legacy_keras"]

NEWEST = "2.21"  # the newest TensorFlow that has a tf_keras
LIBRARIES = {
    "tf_keras": "tf.layers, tf.nn.rnn_cell and Keras",
    "tf_slim": "tf.contrib.slim, tf.contrib.layers and their relatives",
    "tensorflow_estimator": "tf.estimator and tf.contrib.learn",
    "tensorflow_probability": "tf.contrib.distributions",
}

# Names of private modules that tf_slim uses, which are now in other modules.
MOVED = {
    "tensorflow.python.framework.ops": ("IndexedSlices", "Tensor"),
    "tensorflow.python.ops.array_ops": ("stack", "unstack"),
    "tensorflow.python.ops.control_flow_ops": ("Assert", "case", "cond", "while_loop"),
    "tensorflow.python.ops.variable_scope": ("Variable",),
}
# Names of TensorFlow 1's TPU embedding, which tensorflow_estimator imports.
EMBEDDING_PARAMETERS = [
    f"{optimizer}Parameters"
    for optimizer in (
        *("Adagrad", "Adam", "Ftrl", "Momentum", "ProximalAdagrad", "RMSProp"),
        "StochasticGradientDescent",
    )
]


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
            _prepare_slim()
        elif library == "tensorflow_estimator":
            _prepare_estimator()
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


def _prepare_slim() -> None:
    """tf_slim imports tf_keras.legacy_tf_layers, now in tf_keras.src, and uses MOVED."""
    if "tf_keras.legacy_tf_layers" in sys.modules:
        return
    for name, members in MOVED.items():
        module: Any = importlib.import_module(name)
        for member in members:
            old = member.replace("V", "v")  # variable_scope.variable
            if not hasattr(module, old):
                setattr(module, old, getattr(tf, member))
    for part in ("", ".base", ".core", ".convolutional", ".normalization", ".pooling"):
        sys.modules[f"tf_keras.legacy_tf_layers{part}"] = importlib.import_module(
            f"tf_keras.src.legacy_tf_layers{part}"
        )


def _prepare_estimator() -> None:
    """tensorflow_estimator 2.15 uses parts of TensorFlow that 2.16 removed with it."""
    if "tensorflow.python.distribute.estimator_training" in sys.modules:
        return
    tf_export: Any = importlib.import_module("tensorflow.python.util.tf_export")
    tf_export.ESTIMATOR_API_NAME = "estimator"
    importlib.import_module("tensorflow.python.distribute")
    _module(
        "tensorflow.python.distribute.estimator_training",
        should_run_distribute_coordinator=lambda config: False,
        init_run_config=lambda config, tf_config: None,
    )
    _module(
        "tensorflow_estimator.python.estimator.estimator_export",
        estimator_export=lambda *names, **options: lambda function: function,
    )
    package = "tensorflow.python.tpu"
    importlib.import_module(package)
    for name in ("session_support", "tpu_embedding", "tpu_embedding_gradient"):
        if importlib.util.find_spec(f"{package}.{name}") is None:
            _module(f"{package}.{name}", **dict.fromkeys(EMBEDDING_PARAMETERS))


def _module(name: str, **members: Any) -> None:
    """Register a module in sys.modules and in its parent package."""
    module = ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module
    package, _, last = name.rpartition(".")
    if package in sys.modules:
        setattr(sys.modules[package], last, module)
