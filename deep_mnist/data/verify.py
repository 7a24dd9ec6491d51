"""What one place holds of a data set, read and held against the catalogue."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from deep_mnist.data import idx, npz, registry
from deep_mnist.data.registry import DataSet, IdxFile
from deep_mnist.errors import DatasetError

NPZ_NAME = "mnist.npz"
CLASSES = 10


class Arrays(NamedTuple):
    """A whole data set as it is published: pixels 0 (background) to 255, labels 0 to 9."""

    train_images: npt.NDArray[np.uint8]  # [60000, 784]
    train_labels: npt.NDArray[np.uint8]  # [60000]
    test_images: npt.NDArray[np.uint8]  # [10000, 784]
    test_labels: npt.NDArray[np.uint8]  # [10000]
    source: str  # the place they were read from


def read_place(dataset: DataSet, place: Path) -> Arrays | None:
    """Reads a set from a folder (four IDX files or `mnist.npz`) or from an .npz file.

    Returns None if nothing of the set is there. Raises DatasetError if some of it is, but not all, or
    if a file is broken or of another set.
    """
    try:
        names = {path.name for path in place.iterdir() if path.is_file()}
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        if place.suffix != ".npz":
            raise DatasetError(
                f"{place}: expected a folder or an .npz file, found a file"
            ) from None
        return read_npz(dataset, place)
    except OSError as error:
        raise DatasetError(f"{place}: cannot be read ({error.strerror or error})") from None
    paths = {}
    for file in dataset.files:
        for spelling in spellings(file):
            if spelling in names:
                paths[file.name] = place / spelling
                break
    missing = [file.name for file in dataset.files if file.name not in paths]
    if not missing:
        read = {file.name: read_file(dataset, file, paths[file.name]) for file in _order(dataset)}
        return assemble(dataset, read, place)
    if NPZ_NAME in names:
        return read_npz(dataset, place / NPZ_NAME)
    if paths:
        raise DatasetError(f"{place}: lacks {', '.join(missing)} (raw or .gz) of {dataset.title}")
    return None


def read_file(dataset: DataSet, file: IdxFile, path: Path) -> npt.NDArray[np.uint8]:
    """Reads one IDX file of a set, of the catalogue's shape, and verifies it.

    Raises DatasetError if it is broken or is not that file.
    """
    array = idx.read(path, idx.IMAGES if len(file.shape) == 3 else idx.LABELS)
    _verify(dataset, file, array, path)
    return array


def read_npz(dataset: DataSet, path: Path) -> Arrays:
    """Reads and verifies a whole set from an .npz file; DatasetError if it is broken or another."""
    read = {
        file.name: array
        for file, array in zip(dataset.files, npz.read_mnist(path).values(), strict=True)
    }
    for file in _order(dataset):
        _verify(dataset, file, read[file.name], path)
    return assemble(dataset, read, path)


def assemble(dataset: DataSet, read: dict[str, npt.NDArray[np.uint8]], source: Path) -> Arrays:
    """The set's four arrays by file name -> Arrays, each image as one row of pixels."""
    train_images, train_labels, test_images, test_labels = (
        read[file.name] for file in dataset.files
    )
    return Arrays(
        train_images.reshape(len(train_images), -1),
        train_labels,
        test_images.reshape(len(test_images), -1),
        test_labels,
        str(source),
    )


def spellings(file: IdxFile) -> tuple[str, ...]:
    """The names an IDX file goes by: raw or .gz, with "-idx" or, as 7-Zip unpacks it, ".idx"."""
    dotted = file.name.replace("-idx", ".idx")
    return file.name, f"{file.name}.gz", dotted, f"{dotted}.gz"


def file_sha256(path: Path) -> str:
    """SHA-256, in hex, of a file as it is, compressed or not; DatasetError if it can't be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error})") from None
    return digest.hexdigest()


def _order(dataset: DataSet) -> list[IdxFile]:
    """Labels first: they are small, and tell best which other set it is."""
    return sorted(dataset.files, key=lambda file: len(file.shape))


def _verify(dataset: DataSet, file: IdxFile, array: npt.NDArray[np.uint8], path: Path) -> None:
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
    other = registry.publisher(payload) or registry.publisher(published)
    if other is not None and other.files != dataset.files:
        raise DatasetError(f"{path}: expected {dataset.title}, but these are {other.title} files")
    balanced = array.ndim == 1 and _balanced(array)
    if balanced and not dataset.balanced:
        raise DatasetError(
            f"{path}: expected {dataset.title}, but these look like Fashion-MNIST or KMNIST "
            "files, every class is equally frequent"
        )
    if file.payload_sha256 is not None:
        raise DatasetError(
            f"{path}: is not {file.name} of {dataset.title}, expected SHA-256 "
            f"{file.payload_sha256} of the uncompressed file, found {payload}"
        )
    if array.ndim == 1 and not balanced:
        raise DatasetError(
            f"{path}: is not {file.name} of {dataset.title}, expected every class equally often"
        )


def _balanced(labels: npt.NDArray[np.uint8]) -> bool:
    counts = np.bincount(labels, minlength=CLASSES)
    return np.array_equal(counts, np.full(CLASSES, len(labels) // CLASSES))
