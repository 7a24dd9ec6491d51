"""cPickle: pickles of Python 2 are read with strings as Latin-1, which NumPy's arrays need."""

from __future__ import annotations

import pickle
from typing import IO, Any

__all__ = ["HIGHEST_PROTOCOL", "PickleError", "UnpicklingError", "dump", "dumps", "load", "loads"]

HIGHEST_PROTOCOL = pickle.HIGHEST_PROTOCOL
PickleError = pickle.PickleError
UnpicklingError = pickle.UnpicklingError
dump = pickle.dump
dumps = pickle.dumps


def load(file: IO[bytes], **options: Any) -> Any:
    """Return one object from a file."""
    return pickle.load(file, **{"encoding": "latin1", **options})


def loads(data: bytes, **options: Any) -> Any:
    """Return one object from bytes."""
    return pickle.loads(data, **{"encoding": "latin1", **options})
