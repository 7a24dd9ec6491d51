"""cPickle: what Python 2 pickled is read with its strings as Latin-1, as NumPy's arrays need."""

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
    """Reads one object from a file."""
    return pickle.load(file, **{"encoding": "latin1", **options})


def loads(data: bytes, **options: Any) -> Any:
    """Reads one object from bytes."""
    return pickle.loads(data, **{"encoding": "latin1", **options})
