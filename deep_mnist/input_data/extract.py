"""Read the IDX files that a script names; find or download them if they are missing."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from deep_mnist.data import idx, registry, search, verify
from deep_mnist.errors import DatasetError, DatasetUnreachableError, IdxTypeError

DEFAULT_SOURCE_URL = "https://storage.googleapis.com/cvdf-datasets/mnist/"

StrPath = str | os.PathLike[str]


def read_arrays(train_dir: StrPath, one_hot: bool, source_url: str) -> tuple[npt.NDArray[Any], ...]:
    """Return training images [N, rows, columns, 1], training labels, test images, test labels."""
    paths = _existing_files(train_dir)
    name = registry.name_by_url(source_url)
    if name is not None and len(paths) < 4:
        return _read_elsewhere(train_dir, paths, one_hot, name, source_url)

    def path(name: str) -> StrPath:
        return paths.get(name) or maybe_download(f"{name}.gz", train_dir, source_url)

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
        raise DatasetError(
            error.message, hint="replace the file, or remove it to use another copy"
        ) from None


def extract_images(f: StrPath | BinaryIO) -> npt.NDArray[np.uint8]:
    """Read the images of an IDX file.

    Args:
      f: its path, or an open binary file at its start.

    Returns:
      [N, rows, columns, 1] uint8, read-only.

    Raises:
      ValueError: the magic number is wrong.
      DatasetError: the file is damaged.
    """
    return _extract(f, idx.IMAGES, "image")[..., np.newaxis]


def extract_labels(
    f: StrPath | BinaryIO, one_hot: bool = False, num_classes: int = 10
) -> npt.NDArray[Any]:
    """Read the labels of an IDX file.

    Args:
      f: its path, or an open binary file at its start.
      one_hot: whether to return one-hot rows.
      num_classes: their length.

    Returns:
      [N] uint8, read-only, or [N, num_classes] float64.

    Raises:
      ValueError: the magic number is wrong.
      DatasetError: the file is damaged.
    """
    labels = _extract(f, idx.LABELS, "label")
    return dense_to_one_hot(labels, num_classes) if one_hot else labels


def dense_to_one_hot(labels_dense: npt.NDArray[Any], num_classes: int = 10) -> npt.NDArray[Any]:
    """Convert labels [N] in 0..num_classes-1 to one-hot rows [N, num_classes], float64."""
    rows = np.zeros((len(labels_dense), num_classes))
    rows[np.arange(len(labels_dense)), np.ravel(labels_dense)] = 1
    return rows


def maybe_download(
    filename: str, work_directory: StrPath, source_url: str = DEFAULT_SOURCE_URL
) -> str:
    """Return the path of a file in a directory, after downloading it if it is not there.

    A file of a known dataset is downloaded from whichever mirror has it, and verified.

    Raises:
      DatasetUnreachableError: the file cannot be downloaded.
    """
    path = Path(work_directory, filename)
    if os.path.exists(path):  # noqa: PTH110 - pathlib raises where access is denied
        return str(path)
    from deep_mnist.data import download  # not at the top: pooch takes 60 ms to import

    dataset = registry.DATASETS.get(registry.name_by_url(source_url) or "")
    files = [file for file in dataset.files if filename == f"{file.name}.gz"] if dataset else []
    if dataset and files:
        download.download(dataset, files, path.parent)
    else:
        # Without the check a login page could be saved under the name of an IDX file.
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


def _existing_files(train_dir: StrPath) -> dict[str, Path]:
    """Return the IDX files in a directory by published name, .gz rather than raw."""
    paths = {}
    for file in registry.DATASETS["mnist"].files:
        for name in sorted(verify.file_names(file), key=lambda name: name.endswith(".gz")):
            path = Path(train_dir, name)
            if os.path.isfile(path):  # noqa: PTH113 - pathlib raises where access is denied
                paths[file.name] = path
    return paths


def _read_elsewhere(
    train_dir: StrPath, paths: dict[str, Path], one_hot: bool, name: str, source_url: str
) -> tuple[npt.NDArray[Any], ...]:
    """Read a known dataset from another directory; the files in `train_dir` must be part of it."""
    dataset = registry.DATASETS[name]
    missing = ", ".join(file.name for file in dataset.files if file.name not in paths)
    for file in dataset.files:
        if file.name in paths:
            try:
                verify.read_file(dataset, file, paths[file.name])
            except DatasetError as error:
                raise DatasetError(
                    error.message,
                    hint=f"put {missing} of the same dataset next to it, or remove it to use "
                    f"another copy of {dataset.title}",
                ) from None
    arrays = search.load_arrays(name, mirror=source_url)
    print(f"{train_dir}: {missing} not found, using {arrays.source}", file=sys.stderr)
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
