"""The two classic TensorFlow MNIST tutorials as graph-mode programs for today's TensorFlow.

    import deep_mnist

    mnist = deep_mnist.load_data()
    with deep_mnist.load_model("cnn") as cnn:
        cnn.predict(mnist.test.images[:5])

The tutorials, in reading order, are deep_mnist.softmax, cnn, mlp and fnn. Importing the package
loads neither TensorFlow nor NumPy, and changes nothing in TensorFlow.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deep_mnist.data import Dataset, load_data
    from deep_mnist.errors import DeepMnistError
    from deep_mnist.inference import Classifier, load_model

__version__ = "0.1.0"

_started = "".join(sys.argv[:1])
if _started.endswith(("deep-mnist", "deep-mnist.exe")) or (
    _started == "-m" and any("deep_mnist" in argument for argument in sys.orig_argv)
):
    # Until the command can handle Ctrl-C (cli/exit_codes.py), Ctrl-C ends the process without a
    # traceback of its imports.
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)

__all__ = [
    "Classifier",
    "Dataset",
    "DeepMnistError",
    "__version__",
    "load_data",
    "load_model",
]

_MODULES = {
    "Classifier": "deep_mnist.inference",
    "Dataset": "deep_mnist.data",
    "DeepMnistError": "deep_mnist.errors",
    "load_data": "deep_mnist.data",
    "load_model": "deep_mnist.inference",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module 'deep_mnist' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted({*globals(), *__all__})
