"""TensorFlow 1 programs and checkpoints on today's TensorFlow.

    python -m deep_mnist.legacy run SCRIPT           run a script or notebook unchanged
    python -m deep_mnist.legacy port SCRIPT          rewrite it for tensorflow.compat.v1
    python -m deep_mnist.legacy checkpoint PATH      describe a checkpoint and convert it

In Jupyter, before TensorFlow is imported:

    %load_ext deep_mnist.legacy

In a script or in Python's prompt:

    import deep_mnist.legacy
    deep_mnist.legacy.enable()
    import tensorflow as tf             # TensorFlow 1

The modules behind these commands are called the bridge: a compatibility layer that gives a program
TensorFlow 1's names and behavior on today's TensorFlow. In reading order:

    run.py              run a script, from its file to its exit code
    source.py           its text, in any encoding; notebook.py and ipython_*.py for notebooks
    compiler.py         its code; shims/python2.py translates Python 2
    imports.py          which TensorFlow an import returns
    project_modules.py  how the modules of the script's project are found and compiled
    tf1_module.py       `tensorflow` as the script sees it, looked up in symbol_table.py
    libraries.py, tf1/  the code behind it: the original libraries, and what none of them has
    library_setup.py    what two of these libraries need to be imported
    tf1_mode.py, session_errors.py    TensorFlow's behavior
    unsupported.py, install_hints.py  what is reported about names and modules that are missing
    downloads.py, plots.py, shims/    MNIST, figures, names that NumPy and others dropped
    port/                             the same table written into the script
    checkpoint.py                     checkpoints, described and converted
"""

from __future__ import annotations

import sys
from typing import Any

from deep_mnist.errors import DeepMnistError

__all__ = ["enable", "load_ipython_extension"]


def enable() -> None:
    """Make `import tensorflow` return TensorFlow 1 in this process, from now on.

    Call it before TensorFlow is imported. The user's own modules, and libraries that import
    TensorFlow themselves, get TensorFlow 1; TensorFlow's own libraries do not.

    Raises:
      DeepMnistError: TensorFlow was imported before.
    """
    from deep_mnist.legacy import imports

    if imports.is_installed():
        return
    if "tensorflow" in sys.modules:
        raise DeepMnistError(
            "TensorFlow was imported before deep_mnist.legacy.enable() was called",
            hint="restart the kernel or process, and call enable() or "
            "%load_ext deep_mnist.legacy before TensorFlow is imported",
        )
    from deep_mnist.lazy_tensorflow import import_quietly
    from deep_mnist.legacy import downloads
    from deep_mnist.legacy.shims import numpy_compat, python2

    import_quietly()
    python2.install()
    numpy_compat.install()
    downloads.serve_mnist_from_disk()
    imports.install()


def load_ipython_extension(ipython: Any) -> None:
    """Call `enable()`: `%load_ext deep_mnist.legacy`."""
    enable()
