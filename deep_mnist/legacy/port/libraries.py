"""What TensorFlow 1's high-level APIs are called today, for `port`.

tf.layers, tf.nn.rnn_cell and tf.keras stay what they are, with tf_keras instead of Keras 3.
tf.contrib, tf.estimator and private modules become names of tensorflow.compat.v1, tf_slim,
tensorflow_estimator and tensorflow_probability, looked up in symbol_table.py as `run` does.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any, NamedTuple

from deep_mnist.errors import DeepMnistError
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.legacy import libraries, library_setup, symbol_table, tf1_module
from deep_mnist.legacy.port.helpers import TF, Helpers

__all__ = ["Names", "Today", "has_name", "importable", "preamble", "today"]

V1 = symbol_table.V1
HERE = symbol_table.HERE
# Modules of today -> what they are written as after `tf.`.
BELOW_TF = {
    symbol_table.LAYERS: "layers",
    symbol_table.CELLS: "nn.rnn_cell",
    symbol_table.KERAS: "keras",
    V1: "",
}
# Modules of the bridge that accept more arguments than the originals. A port gets the originals,
# and arguments.py rewrites the calls.
LENIENT = ("arguments", "cells", "flags", "image", "keras_backend", "nn", "summaries")
# The bridge reads these from disk; Keras downloads them.
DATASETS = ("keras.datasets.mnist", "keras.datasets.fashion_mnist")
# Packages -> the name that they are given and the statement that imports them so.
PACKAGES = {
    symbol_table.ESTIMATOR: (
        "tf_estimator",
        "from tensorflow_estimator import estimator as tf_estimator",
    ),
    symbol_table.SLIM: ("tf_slim", "import tf_slim"),
    "tensorflow_probability": ("tfp", "import tensorflow_probability as tfp"),
    "deep_mnist.input_data": ("input_data", "from deep_mnist import input_data"),
}
PIP = {
    "tensorflow_estimator": '--no-deps "tensorflow_estimator==2.15.*"',
}
# What has to be called before a library is imported.
SETUP = {
    "tensorflow_estimator": library_setup.prepare_estimator,
    "tf_slim": library_setup.prepare_slim,
}


class Today(NamedTuple):
    """Where an object of TensorFlow 1 is today.

    Attributes:
      module: a module that can be imported.
      name: the object's name in it, "" for the module itself.
    """

    module: str
    name: str


def today(path: str) -> Today | None:
    """Return where `tensorflow.<path>` is today, None if it is nowhere.

    What only the bridge has is in a module of deep_mnist.legacy.tf1.
    """
    parent, _, name = path.rpartition(".")
    try:
        path = symbol_table.RENAMED.get(path, path)
        parent, _, name = path.rpartition(".")
        home = tf1_module.find(parent) if parent else tf1_module.root()
        value = getattr(home, name)
    except (DeepMnistError, AttributeError, ImportError):
        return None
    if not isinstance(home, tf1_module.TF1Module):
        return None
    if isinstance(value, tf1_module.TF1Module):
        return None if tf1_module.is_guessed(value) else _module(value)
    home_path = tf1_module.path_of(home)
    renamed = symbol_table.RENAMED.get(f"{home_path}.{name}".lstrip("."))
    if renamed is not None:
        return today(renamed)
    if home_path in DATASETS:
        return Today(f"{symbol_table.KERAS}{home_path.removeprefix('keras')}", name)
    if name == "__version__" and home_path == "keras":
        return Today("tf_keras", name)
    ours = [
        source
        for source in _ours(home)
        if name in tf1_module.public_names(tf1_module.load_source(source))
    ]
    if ours and ours[0].rpartition(".")[2] not in LENIENT:
        return Today(ours[0], name)
    paths = symbol_table.PUBLIC_KERAS if home_path == "keras" else symbol_table.PUBLIC
    for candidate in (home, *map(tf1_module.module, paths)):
        for source in _sources(candidate):
            if name in dir(tf1_module.load_source(source)):
                return Today(source, name)
    return Today(ours[0], name) if ours else None


def _module(module: tf1_module.TF1Module) -> Today | None:
    sources = _sources(module)
    return Today(sources[0], "") if sources else None


def _ours(module: tf1_module.TF1Module) -> list[str]:
    """Return the names of a module's sources that are of the bridge."""
    return [name for name in tf1_module.source_names(module) if name.startswith(HERE)]


def _sources(module: tf1_module.TF1Module) -> list[str]:
    """Return the names of a module's sources that are not of the bridge."""
    names = tf1_module.source_names(module)
    names = [name.replace("tensorflow._api.v2.compat.v1", V1) for name in names]
    # `tf_slim.layers` is a module of the package of that name; tf_slim has all of the package.
    names = [symbol_table.SLIM if name == f"{symbol_table.SLIM}.layers" else name for name in names]
    return [name for name in names if not name.startswith(HERE)]


class Names:
    """The expressions of a program for objects of today, and the imports that they need.

    Args:
      helpers: what the program needs of the bridge.
      head: what the program calls TensorFlow.
    """

    def __init__(self, helpers: Helpers, head: str = "tf") -> None:
        self.head = head
        self.helpers = helpers
        self.imports: set[str] = set()
        self.packages: set[str] = set()

    def expression(self, found: Today) -> str | None:
        """Return the expression for an object, None for one that cannot leave the bridge."""
        module = found.module
        if module.startswith(HERE):
            return self.helpers.use(module, found.name)
        below = self.below_tensorflow(found)
        if below is not None:
            return below
        for prefix, (written, statement) in PACKAGES.items():
            if module == prefix or module.startswith(f"{prefix}."):
                self.use(prefix.partition(".")[0])
                self.imports.add(statement)
                rest = module.removeprefix(prefix).lstrip(".")
                if prefix == symbol_table.SLIM and rest.startswith("nets"):
                    self.imports.add("import tf_slim.nets")
                return ".".join(filter(None, (written, rest, found.name)))
        package, _, last = module.rpartition(".")
        self.use(module.partition(".")[0])
        self.imports.add(f"from {package} import {last}" if package else f"import {last}")
        return ".".join(filter(None, (last, found.name)))

    def below_tensorflow(self, found: Today) -> str | None:
        """Return the expression for an object of TensorFlow or Keras, None for any other."""
        for prefix, below in BELOW_TF.items():
            if found.module == prefix or found.module.startswith(f"{prefix}."):
                self.use(prefix.partition(".")[0] if prefix != V1 else "tensorflow")
                rest = found.module.removeprefix(prefix).lstrip(".")
                return ".".join(filter(None, (self.head, below, rest, found.name)))
        return None

    def use(self, package: str) -> None:
        """Note that the program needs a package."""
        if package in libraries.LIBRARIES:
            self.packages.add(package)
        if package == "tf_slim":
            self.packages.add("tf_keras")


def preamble(names: Names) -> str:
    """Return the lines that a program needs above its first import, "" if none."""
    own = Names(names.helpers)  # the expressions of the helpers
    helpers = names.helpers.source(lambda path: str(own.expression(Today(path, ""))))
    packages, imports = names.packages | own.packages, names.imports | own.imports
    if own.packages:
        imports.add(TF)
    text = ""
    if packages:
        text += f"# pip install {' '.join(['tensorflow', *sorted(packages - set(PIP))])}\n"
        for package in sorted(packages & set(PIP)):
            text += f"# pip install {PIP[package]}\n"
        text += 'import os\n\nos.environ["TF_USE_LEGACY_KERAS"] = "1"  # before TensorFlow is'
        text += " imported\n\n"
    for package in sorted(packages & SETUP.keys()):
        setup = SETUP[package]
        text += f"\n{inspect.getsource(setup)}\n\n{setup.__name__}()\n\n"
    if imports or text:
        text += "".join(f"{statement}\n" for statement in sorted(imports)) + "\n"
    return text + helpers


def has_name(path: str) -> bool:
    """Whether tensorflow.compat.v1 has `path`."""
    value: Any = tf
    for part in path.split("."):
        try:
            value = getattr(value, part)
        except Exception:  # Keras's lazy modules raise errors of several kinds
            return False
    return True


def importable(module: str, names: list[str]) -> bool:
    """Whether a module can be imported and has some names."""
    try:
        found = importlib.import_module(module)
    except ImportError:
        return False
    return all(name == "*" or hasattr(found, name) for name in names)
