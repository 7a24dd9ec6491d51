"""Checkpoints in .npz files: data/npz.py, with the errors of a checkpoint."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from deep_mnist.checkpoints.paths import damaged, unreadable
from deep_mnist.checkpoints.variables import Spec
from deep_mnist.data import npz
from deep_mnist.errors import DatasetError


def read_specs(path: Path) -> dict[str, Spec]:
    """Return the shape and dtype of each array, after verifying all checksums.

    Raises:
      DamagedCheckpointError: the file is truncated, altered, too large, or has Python objects.
      CheckpointError: it cannot be read.
    """
    with _open(path) as archive:
        npz.verify(archive)  # a flipped bit in a header would look like another model
        headers = {name: npz.read_header(archive, name) for name in npz.array_names(archive)}
    return {name: Spec(header.shape, header.dtype.name) for name, header in headers.items()}


def read(path: Path, name: str) -> np.ndarray:
    """Return one array.

    Raises:
      DamagedCheckpointError: the file is truncated or altered.
      CheckpointError: it cannot be read.
    """
    with _open(path) as archive:
        return npz.read_array(archive, name)


@contextmanager
def _open(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with npz.open_zip(path) as archive:
            yield archive
    except npz.ZIP_ERRORS as error:
        raise damaged(path, str(error)) from None
    except DatasetError as error:
        raise damaged(path, error.message.removeprefix(f"{path}: ")) from None
    except OSError as error:
        raise unreadable(path, error) from None
