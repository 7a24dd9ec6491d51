"""`tf` is tensorflow.compat.v1, imported when first used.

Importing TensorFlow takes seconds, so `--help` and a mistyped flag are answered without it.
Nothing else is special about it: `tf.placeholder` here is tensorflow.compat.v1's.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deep_mnist.training.errors import UserError

SUPPORTED = "TensorFlow 2.16 or newer on Python 3.10 to 3.13"


class _TensorFlow:
    quiet = False

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._module(), name)
        setattr(self, name, value)
        return value

    def _module(self) -> Any:
        try:
            if self.quiet and "tensorflow" not in sys.modules:
                os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
                with _standard_error_held_back():
                    return importlib.import_module("tensorflow.compat.v1")
            return importlib.import_module("tensorflow.compat.v1")
        except ImportError as error:
            if error.name == "tensorflow":
                reason = "it is not installed: pip install tensorflow"
            else:
                reason = f"its installation is broken ({str(error).splitlines()[0]})"
            raise UserError(f"this command needs {SUPPORTED}; {reason}") from error


tf: Any = _TensorFlow()


def import_quietly() -> None:
    """Keeps TensorFlow's start-up notices off standard error: for commands, not for importers."""
    _TensorFlow.quiet = True


@contextmanager
def _standard_error_held_back() -> Iterator[None]:
    """Holds back file descriptor 2, where native code writes; replays it if the body fails.

    TF_CPP_MIN_LOG_LEVEL does not silence what is written before logging is set up.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
