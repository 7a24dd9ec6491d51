"""The arrays of an .npz file: names, shapes and dtypes first, values when asked; none unpickled."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from deep_mnist.checkpoints.shapes import Spec
from deep_mnist.data import npz
from deep_mnist.errors import DamagedCheckpointError, DatasetError, DeepMnistError

MAX_BYTES = 1 << 28  # unpacked: twenty times the largest model here
CHUNK = 1 << 20  # bytes decompressed at a time
ZIP_FAULTS = (*npz.ZIP_FAULTS, KeyError)


def read_specs(path: Path) -> dict[str, Spec]:
    """What the headers of the arrays say, by name, after every checksum; little memory is taken.

    Raises:
      DamagedCheckpointError: the file is cut short or altered, or holds Python objects.
      DeepMnistError: it can't be opened, or is absurdly large.
    """
    with _opened(path) as archive:
        _check(archive, path)
        specs = {}
        for name in archive.namelist():
            array = name.removesuffix(".npy")
            with npz.open_member(archive, array, path) as stream:
                shape, _, dtype = npz.read_header(stream, f"{path}: {array}")
            specs[array] = Spec(tuple(map(int, shape)), dtype.name)
        return specs


def read(path: Path, name: str) -> np.ndarray:
    """An array, as large as its header says and no larger; `read_specs` tells that beforehand.

    Raises:
      DamagedCheckpointError: its bytes are cut short or altered.
      DeepMnistError: the file can't be opened.
    """
    with _opened(path) as archive, npz.open_member(archive, name, path) as stream:
        shape, fortran_order, dtype = npz.read_header(stream, f"{path}: {name}")
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        data = stream.read(size + 1)  # reading to the end checks the checksum
        if len(data) != size:
            raise DatasetError(f"{name} has {len(data)} bytes of data where its header says {size}")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran_order else "C")


def _check(archive: zipfile.ZipFile, path: Path) -> None:
    """Reads everything: a flipped bit in a header would pass for another model's."""
    size = sum(member.file_size for member in archive.infolist())
    if size > MAX_BYTES:
        raise DatasetError(f"it expands to {size} bytes, expected at most {MAX_BYTES}")
    for name in archive.namelist():
        with npz.open_member(archive, name.removesuffix(".npy"), path) as stream:
            while stream.read(CHUNK):
                pass


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with npz.opened(path) as archive:
            yield archive
    except ZIP_FAULTS as error:
        raise _damaged(path, str(error)) from None
    except DatasetError as error:
        raise _damaged(path, str(error).removeprefix(f"{path}: ")) from None
    except OSError as error:
        raise DeepMnistError(f"{path} can't be read: {error.strerror}") from None


def _damaged(path: Path, reason: str) -> DamagedCheckpointError:
    return DamagedCheckpointError(
        f"checkpoint {path} is damaged ({reason[:200]}): take another one"
    )
