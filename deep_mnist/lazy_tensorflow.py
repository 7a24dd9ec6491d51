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

__all__ = ["import_quietly", "load", "suppress_stderr", "tf"]


class _TensorFlow:
    quiet = False

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._module(), name)
        setattr(self, name, value)
        return value

    def _module(self) -> Any:
        try:
            if self.quiet and "tensorflow" not in sys.modules:
                # At level 2 TensorFlow would still report that no GPU was found. Errors are also
                # raised as exceptions.
                os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
                with suppress_stderr():
                    return importlib.import_module("tensorflow.compat.v1")
            return importlib.import_module("tensorflow.compat.v1")
        except Exception as error:  # not only ImportError: NumPy or protobuf may not fit
            if isinstance(error, ImportError) and error.name == "tensorflow":
                raise _not_installed() from None
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise DeepMnistError(
                f"TensorFlow cannot be imported: {reason}",
                hint="reinstall it with: pip install --force-reinstall tensorflow",
            ) from None


tf: Any = _TensorFlow()


def import_quietly() -> None:
    """Keep TensorFlow's start-up notices off standard error, for commands.

    Raises:
      DeepMnistError: TensorFlow is not installed. Commands call this before they load data.
    """
    if importlib.util.find_spec("tensorflow") is None:
        raise _not_installed()
    _TensorFlow.quiet = True


def load() -> None:
    """Import TensorFlow now, before a module of it is imported by name."""
    tf._module()


@contextmanager
def suppress_stderr() -> Iterator[None]:
    """Discard what is written to file descriptor 2, unless the body raises an exception.

    TF_CPP_MIN_LOG_LEVEL does not silence what native code writes before logging is set up. An
    exception that is not a DeepMnistError lets everything through.
    """
    if sys.stderr is None:  # as under pythonw
        yield
        return
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            yield
        except DeepMnistError:  # its message is complete
            raise
        except Exception:
            sys.stderr.flush()
            captured.seek(0)
            os.write(saved, captured.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)


def _not_installed() -> DeepMnistError:
    return DeepMnistError(
        "TensorFlow is not installed: expected TensorFlow 2.16 or newer, on Python 3.10 to 3.13",
        hint="install it with: pip install tensorflow",
    )
