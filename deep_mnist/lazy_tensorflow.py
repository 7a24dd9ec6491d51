"""`tf` is tensorflow.compat.v1, imported when first used.

Importing TensorFlow takes seconds, so `--help` and a mistyped flag are answered without it.
Nothing else is special about it: `tf.placeholder` here is tensorflow.compat.v1's.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deep_mnist.errors import DeepMnistError

NOT_INSTALLED = (
    "TensorFlow is not installed: this command needs TensorFlow 2.16 or newer, "
    "on Python 3.10 to 3.13; pip install tensorflow"
)


class _TensorFlow:
    quiet = False

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._module(), name)
        setattr(self, name, value)
        return value

    def _module(self) -> Any:
        try:
            if self.quiet and "tensorflow" not in sys.modules:
                # 2 would let through that there is no GPU; real errors are exceptions anyway.
                os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
                with standard_error_held_back():
                    return importlib.import_module("tensorflow.compat.v1")
            return importlib.import_module("tensorflow.compat.v1")
        except ImportError as error:
            if error.name == "tensorflow":
                raise DeepMnistError(NOT_INSTALLED) from None
            reason = str(error).splitlines()[0]
            raise DeepMnistError(f"TensorFlow's installation is broken: {reason}") from None


tf: Any = _TensorFlow()


def import_quietly() -> None:
    """Keeps TensorFlow's start-up notices off standard error: for commands, not for importers.

    Raises:
      DeepMnistError: TensorFlow is not installed; said now, before data is loaded for nothing.
    """
    if importlib.util.find_spec("tensorflow") is None:
        raise DeepMnistError(NOT_INSTALLED)
    _TensorFlow.quiet = True


def load() -> None:
    """Imports TensorFlow, as quietly as was asked: before a module of it is imported by name."""
    tf._module()


@contextmanager
def standard_error_held_back() -> Iterator[None]:
    """Holds back file descriptor 2, where native code writes; replays it if the body fails.

    TF_CPP_MIN_LOG_LEVEL does not silence what is written before logging is set up.
    """
    if sys.stderr is None:  # as under pythonw
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except DeepMnistError:  # says all there is to say
            raise
        except Exception:
            sys.stderr.flush()
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
