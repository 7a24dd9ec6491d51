"""IDX files -> arrays: of the folder a script names, else of where the data room finds them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from deep_mnist.data import idx, registry, search, verify
from deep_mnist.errors import DatasetError, DatasetUnreachableError, IdxTypeError

DEFAULT_SOURCE_URL = "https://storage.googleapis.com/cvdf-datasets/mnist/"

StrPath = str | os.PathLike[str]


def read(train_dir: StrPath, one_hot: bool, source_url: str) -> tuple[npt.NDArray[Any], ...]:
    """Training images [N, rows, columns, 1] and labels, then those of the test set."""
    held = _held(train_dir)
    known = registry.served_at(source_url)
    if known is not None and len(held) < 4:
        return _read_elsewhere(train_dir, held, one_hot, known, source_url)

    def path(name: str) -> StrPath:
        return held.get(name) or maybe_download(f"{name}.gz", train_dir, source_url)

    try:
        return (
            extract_images(path(registry.TRAIN_IMAGES)),
            extract_labels(path(registry.TRAIN_LABELS), one_hot),
            extract_images(path(registry.TEST_IMAGES)),
            extract_labels(path(registry.TEST_LABELS), one_hot),
        )
    except DatasetUnreachableError:
        raise
    except DatasetError as error:
        raise DatasetError(f"{error}; replace it, or remove it to use another copy") from None


def extract_images(f: StrPath | BinaryIO) -> npt.NDArray[np.uint8]:
    """Images [N, rows, columns, 1], read-only, of an IDX file: its path, or open at its start.

    Raises ValueError if it is of another kind, DatasetError if it is broken.
    """
    return _extract(f, idx.IMAGES, "image")[..., np.newaxis]


def extract_labels(
    f: StrPath | BinaryIO, one_hot: bool = False, num_classes: int = 10
) -> npt.NDArray[Any]:
    """Labels [N], read-only, of an IDX file; one-hot, float64 [N, num_classes]. As the images."""
    labels = _extract(f, idx.LABELS, "label")
    return dense_to_one_hot(labels, num_classes) if one_hot else labels


def dense_to_one_hot(labels_dense: npt.NDArray[Any], num_classes: int = 10) -> npt.NDArray[Any]:
    """Labels [N] in 0..num_classes-1 -> rows [N, num_classes], float64 with a single 1."""
    rows = np.zeros((len(labels_dense), num_classes))
    rows[np.arange(len(labels_dense)), np.ravel(labels_dense)] = 1
    return rows


def maybe_download(
    filename: str, work_directory: StrPath, source_url: str = DEFAULT_SOURCE_URL
) -> str:
    """The path of a file in a folder; where it isn't there, it is downloaded from source_url.

    A file of a known set comes from whichever mirror has it, verified. Raises DatasetError if it
    can't be had.
    """
    path = Path(work_directory, filename)
    if os.path.exists(path):  # noqa: PTH110, pathlib's raises where access is denied
        return str(path)
    from deep_mnist.data import download  # here, because urllib takes 50 ms to import

    dataset = registry.SETS.get(registry.served_at(source_url) or "")
    asked = [file for file in dataset.files if filename == f"{file.name}.gz"] if dataset else []
    if dataset and asked:
        download.download(dataset, asked, path.parent)
    else:
        # A login page under the name of an IDX file would stand there for one ever after.
        check = idx.read if filename.endswith("-ubyte.gz") else Path.stat
        download.download_from(source_url + filename, path, check)
    print(f"Successfully downloaded {filename} {path.stat().st_size} bytes.")
    return str(path)


def _extract(f: StrPath | BinaryIO, magic: int, kind: str) -> npt.NDArray[np.uint8]:
    path = f if isinstance(f, (str, os.PathLike)) else getattr(f, "name", "the file")
    print("Extracting", path)
    try:
        if isinstance(f, (str, os.PathLike)):
            array = idx.read(Path(f), magic)
        else:
            array = idx.read_stream(f, str(path), magic)
    except IdxTypeError as error:
        raise ValueError(
            f"Invalid magic number {error.magic} in MNIST {kind} file: {path}"
        ) from None
    array.flags.writeable = False
    return array


def _held(train_dir: StrPath) -> dict[str, Path]:
    """The files of a set that a folder holds, by published name; of several spellings the .gz."""
    held = {}
    for file in registry.SETS["mnist"].files:
        for spelling in sorted(verify.spellings(file), key=lambda name: name.endswith(".gz")):
            path = Path(train_dir, spelling)
            if os.path.isfile(path):  # noqa: PTH113, pathlib's raises where access is denied
                held[file.name] = path
    return held


def _read_elsewhere(
    train_dir: StrPath, held: dict[str, Path], one_hot: bool, known: str, source_url: str
) -> tuple[npt.NDArray[Any], ...]:
    """Reads a known set from another place; what the folder holds must be a part of it."""
    dataset = registry.SETS[known]
    missing = ", ".join(file.name for file in dataset.files if file.name not in held)
    for file in dataset.files:
        if file.name in held:
            try:
                verify.read_file(dataset, file, held[file.name])
            except DatasetError as error:
                raise DatasetError(
                    f"{error}; put {missing} of the same set beside it, or remove it to use "
                    f"another copy of {dataset.title}"
                ) from None
    arrays = search.load_arrays(known, mirror=source_url)
    lacking = f"lacks {missing}" if held else f"has no {dataset.title}"
    print(f"{train_dir} {lacking}: read from {arrays.source}")
    for array in arrays[:4]:
        array.flags.writeable = False
    labels = arrays.train_labels, arrays.test_labels
    train_labels, test_labels = map(dense_to_one_hot, labels) if one_hot else labels
    return (
        arrays.train_images.reshape(-1, 28, 28, 1),
        train_labels,
        arrays.test_images.reshape(-1, 28, 28, 1),
        test_labels,
    )
