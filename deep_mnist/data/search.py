"""Where the files of a dataset are searched for.

1. The directory or .npz file that the user named: `data_dir`, else $DEEP_MNIST_DATA_DIR. Then
   nothing else is tried, and nothing is written there.
2. Where other programs store the dataset: `MNIST_data/`, Keras's cache.
3. The user's cache directory.
4. The mirrors, from which it is downloaded into the cache directory.
"""

import os
import sys
from pathlib import Path

from deep_mnist.data import io, registry, verify
from deep_mnist.data.registry import DatasetFiles, IdxFile
from deep_mnist.data.verify import Arrays
from deep_mnist.errors import DatasetError, DatasetUnreachableError

__all__ = ["Arrays", "cache_dir", "load_arrays"]

DATA_DIR_VARIABLE = "DEEP_MNIST_DATA_DIR"


def load_arrays(name: str, data_dir: str | None = None, mirror: str | None = None) -> Arrays:
    """Find or download a dataset, read it and verify it.

    Args:
      name: "mnist", "fashion-mnist" or "kmnist".
      data_dir: the only path that is searched, if given: a directory with the four IDX files (raw
        or .gz) or with `mnist.npz`, or an .npz file.
      mirror: the base URL of the mirror to try first.

    Returns:
      The four arrays and where they come from.

    Raises:
      DatasetUnreachableError: no directory was named, and the dataset is neither on disk nor can
        it be downloaded.
      DatasetError: the files are missing from the named directory, damaged or of another dataset.
    """
    if name not in registry.DATASETS:
        raise DatasetError(
            f"dataset: expected one of {', '.join(registry.DATASETS)}, found {name!r}"
        )
    dataset = registry.DATASETS[name]
    mirrors = sorted(dataset.mirrors, key=lambda known: known != mirror)
    dataset = dataset._replace(mirrors=tuple(mirrors))
    if data_dir is not None:
        return _read_named(dataset, _expand(data_dir), "omit --data-dir")
    if os.environ.get(DATA_DIR_VARIABLE):
        path = _expand(os.environ[DATA_DIR_VARIABLE])
        return _read_named(dataset, path, f"unset {DATA_DIR_VARIABLE}")
    for search_path in dataset.search_paths:
        try:
            arrays = verify.read(dataset, _expand(search_path))
        except DatasetError as error:
            print(f"warning: ignored {error.message}", file=sys.stderr)
            continue
        if arrays is not None:
            return arrays
    return _read_cached(dataset, cache_dir() / name)


def cache_dir() -> Path:
    """Return the user's cache directory for this project, which need not exist."""
    import platformdirs  # not at the top: a dataset that is found elsewhere does not need it

    return platformdirs.user_cache_path("deep_mnist", appauthor=False, opinion=False)


def _read_named(dataset: DatasetFiles, path: Path, alternative: str) -> Arrays:
    """Read the dataset from the path that the user named; it must be there."""
    try:
        arrays = verify.read(dataset, path)
    except DatasetError as error:
        raise DatasetError(
            error.message, hint=f"replace the file, or {alternative} to use another copy"
        ) from None
    if arrays is not None:
        return arrays
    expected = ", ".join(file.name for file in dataset.files)
    found = "none of them" if path.exists() else "no such directory"
    raise DatasetError(
        f"{path}: expected {expected} (raw or .gz) or {verify.NPZ_NAME}, found {found}",
        hint=f"name the directory of the files, or {alternative} to use another copy",
    )


def _read_cached(dataset: DatasetFiles, directory: Path) -> Arrays:
    """Read the dataset from the cache; missing files are downloaded, damaged ones replaced."""
    try:
        arrays = verify.read(dataset, directory)
    except DatasetError:
        arrays = None
    if arrays is None:
        from deep_mnist.data import download  # not at the top: pooch takes 60 ms to import

        download.download(dataset, _missing_files(dataset, directory), directory)
        arrays = verify.read(dataset, directory)
    assert arrays is not None
    return arrays


def _missing_files(dataset: DatasetFiles, directory: Path) -> list[IdxFile]:
    """Return the files of the dataset that a directory lacks, and rename the damaged ones."""
    missing = []
    for file in dataset.files:
        for name in verify.file_names(file):
            path = directory / name
            if not os.path.isfile(path):  # noqa: PTH113 - pathlib raises where access is denied
                continue
            try:
                verify.read_file(dataset, file, path)
                break
            except DatasetError as error:
                _rename_damaged(path, error)
        else:
            missing.append(file)
    return missing


def _rename_damaged(path: Path, damage: DatasetError) -> None:
    try:
        renamed = io.rename_damaged(path)
    except FileNotFoundError:  # another process was quicker
        return
    except OSError as error:
        raise DatasetUnreachableError(
            f"{damage.message}, and it cannot be renamed ({error.strerror})", hint=f"remove {path}"
        ) from None
    print(f"warning: {damage.message}; renamed to {renamed.name}", file=sys.stderr)


def _expand(path: str) -> Path:
    return Path(os.path.expanduser(path))  # noqa: PTH111 - pathlib raises without a home
