"""Read the files of a dataset from one directory, and verify them against the registry."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from deep_mnist.data import idx, npz, registry
from deep_mnist.data.registry import DatasetFiles, IdxFile
from deep_mnist.errors import DatasetError

__all__ = ["Arrays", "assemble", "file_names", "file_sha256", "read", "read_file"]

NPZ_NAME = "mnist.npz"
NUM_CLASSES = 10
CHUNK = 1 << 20  # bytes

Uint8Array = npt.NDArray[np.uint8]


class Arrays(NamedTuple):
    """A dataset as it is published: pixels 0 (background) to 255 (ink), labels 0 to 9."""

    train_images: Uint8Array  # [60000, 784]
    train_labels: Uint8Array  # [60000]
    test_images: Uint8Array  # [10000, 784]
    test_labels: Uint8Array  # [10000]
    source: str  # the directory or .npz file


def read(dataset: DatasetFiles, path: Path) -> Arrays | None:
    """Read a dataset from a directory (four IDX files or `mnist.npz`) or from an .npz file.

    Returns:
      The dataset, or None if none of its files is there.

    Raises:
      DatasetError: a file is missing, damaged or of another dataset.
    """
    try:
        names = {entry.name for entry in path.iterdir() if entry.is_file()}
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        if path.suffix != ".npz":
            raise DatasetError(f"{path}: expected a directory or an .npz file") from None
        return _read_npz(dataset, path)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error})") from None
    paths = {}
    for file in dataset.files:
        for name in file_names(file):
            if name in names:
                paths[file.name] = path / name
                break
    missing = [file.name for file in dataset.files if file.name not in paths]
    if not missing:
        arrays = {
            file.name: read_file(dataset, file, paths[file.name])
            for file in _labels_first(dataset.files)
        }
        return assemble(dataset, arrays, path)
    if NPZ_NAME in names:
        return _read_npz(dataset, path / NPZ_NAME)
    if paths:
        raise DatasetError(f"{path}: missing {', '.join(missing)} (raw or .gz) of {dataset.title}")
    return None


def read_file(dataset: DatasetFiles, file: IdxFile, path: Path) -> Uint8Array:
    """Read and verify one IDX file of a dataset.

    Returns:
      Images [N, rows, columns] or labels [N], uint8.

    Raises:
      DatasetError: it is damaged or another file.
    """
    array = idx.read(path, idx.IMAGES if len(file.shape) == 3 else idx.LABELS)
    _verify(dataset, file, array, path)
    return array


def assemble(dataset: DatasetFiles, arrays: dict[str, Uint8Array], source: Path) -> Arrays:
    """Return the four arrays, given by file name, with each image as a row of pixels."""
    train_images, train_labels, test_images, test_labels = (
        arrays[file.name] for file in dataset.files
    )
    return Arrays(
        train_images.reshape(len(train_images), -1),
        train_labels,
        test_images.reshape(len(test_images), -1),
        test_labels,
        str(source),
    )


def file_names(file: IdxFile) -> tuple[str, ...]:
    """Return the names that an IDX file may have: raw or .gz, with "-idx" or 7-Zip's ".idx"."""
    dotted = file.name.replace("-idx", ".idx")
    return file.name, f"{file.name}.gz", dotted, f"{dotted}.gz"


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file as it is, in hex.

    Raises:
      DatasetError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error})") from None
    return digest.hexdigest()


def _read_npz(dataset: DatasetFiles, path: Path) -> Arrays:
    names = [file.name for file in dataset.files]
    arrays = dict(zip(names, npz.read_mnist(path).values(), strict=True))
    for file in _labels_first(dataset.files):
        _verify(dataset, file, arrays[file.name], path)
    return assemble(dataset, arrays, path)


def _labels_first(files: tuple[IdxFile, ...]) -> list[IdxFile]:
    """Sort the files: labels are small, and show best which other dataset it is."""
    return sorted(files, key=lambda file: len(file.shape))


def _verify(dataset: DatasetFiles, file: IdxFile, array: Uint8Array, path: Path) -> None:
    if array.shape != file.shape:
        raise DatasetError(
            f"{path}: expected {file.name} of {dataset.title}, {list(file.shape)}, "
            f"found {list(array.shape)}"
        )
    payload = idx.payload_sha256(array)
    if payload == file.payload_sha256:
        return
    published = file_sha256(path)
    if file.payload_sha256 is None and published == file.gz_sha256:
        return
    other = registry.title_by_sha256(payload) or registry.title_by_sha256(published)
    if other not in (None, dataset.title):
        raise DatasetError(f"{path}: expected {dataset.title}, found {other}")
    balanced = array.ndim == 1 and _is_balanced(array)
    if balanced and not dataset.balanced:
        raise DatasetError(
            f"{path}: expected {dataset.title}, found equally frequent classes, as in "
            "Fashion-MNIST and KMNIST"
        )
    if file.payload_sha256 is not None:
        raise DatasetError(
            f"{path}: expected {file.name} of {dataset.title} with SHA-256 {file.payload_sha256} "
            f"(uncompressed), found {payload}"
        )
    if array.ndim == 1 and not balanced:
        raise DatasetError(
            f"{path}: expected {file.name} of {dataset.title}, with equally frequent classes"
        )


def _is_balanced(labels: Uint8Array) -> bool:
    counts = np.bincount(labels, minlength=NUM_CLASSES)
    return np.array_equal(counts, np.full(NUM_CLASSES, len(labels) // NUM_CLASSES))
