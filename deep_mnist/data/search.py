"""Where the files of a data set are looked for, and in what order.

1. the folder or .npz file asked for: `data_dir`, else the environment's DEEP_MNIST_DATA_DIR;
   nothing else is tried then, and nothing is written there
2. where other programs leave the set: `MNIST_data/`, the Keras cache
3. the user's cache directory
4. the mirrors, into the cache directory
"""

import os
import sys
from pathlib import Path

from deep_mnist.data import registry, verify
from deep_mnist.data.registry import DataSet
from deep_mnist.data.verify import Arrays
from deep_mnist.errors import DatasetError, DatasetUnreachableError

ENVIRONMENT = "DEEP_MNIST_DATA_DIR"


def load_arrays(name: str, data_dir: str | None = None, mirror: str | None = None) -> Arrays:
    """Finds (or downloads), reads and verifies a set of the catalogue.

    Args:
      name: "mnist", "fashion-mnist" or "kmnist".
      data_dir: the only place to look in, if given: a folder with the four IDX files (raw or
        .gz) or `mnist.npz`, or an .npz file itself.
      mirror: which of the set's mirrors is asked first, if not the best.

    Raises:
      DatasetUnreachableError: no place was asked for, and the set is neither on disk nor downloadable.
      DatasetError: the set can't be had as asked, for any other reason.
    """
    if name not in registry.SETS:
        raise DatasetError(f"expected a data set of {', '.join(registry.SETS)}, found {name!r}")
    dataset = registry.SETS[name]
    mirrors = sorted(dataset.mirrors, key=lambda known: known != mirror)
    dataset = dataset._replace(mirrors=tuple(mirrors))
    if data_dir is not None:
        return _asked_for(dataset, _expand(data_dir), "--data-dir")
    if os.environ.get(ENVIRONMENT):
        return _asked_for(dataset, _expand(os.environ[ENVIRONMENT]), ENVIRONMENT)
    for place in dataset.usual_places:
        try:
            arrays = verify.read_place(dataset, _expand(place))
        except DatasetError as error:
            print(f"{error}; looking elsewhere", file=sys.stderr)
            continue
        if arrays is not None:
            return arrays
    return _cached(dataset, cache_dir() / name)


def cache_dir() -> Path:
    """The user's cache directory for this project; it need not exist."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = os.environ.get("XDG_CACHE_HOME") or "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return _expand(base) / "deep_mnist"


def _asked_for(dataset: DataSet, place: Path, origin: str) -> Arrays:
    """Reads the set from the place the user named: it must be there."""
    try:
        arrays = verify.read_place(dataset, place)
    except DatasetError as error:
        raise DatasetError(
            f"{error}; put the right file there, or leave out {origin} to use another copy"
        ) from None
    if arrays is not None:
        return arrays
    expected = ", ".join(file.name for file in dataset.files)
    found = "none of them" if place.exists() else "no such folder"
    raise DatasetError(
        f"{place}: expected {expected} (raw or .gz) or {verify.NPZ_NAME}, found {found}; "
        f"correct {origin}, or leave it out to use another copy"
    )


def _cached(dataset: DataSet, folder: Path) -> Arrays:
    """Reads the set from our own cache; what is broken there is moved aside and fetched again."""
    try:
        arrays = verify.read_place(dataset, folder)
    except DatasetError:
        arrays = None  # incomplete or broken: mended file by file below
    if arrays is not None:
        return arrays
    read = {}
    for file in dataset.files:
        for spelling in verify.spellings(file):
            path = folder / spelling
            if not os.path.isfile(path):  # noqa: PTH113, pathlib's raises where access is denied
                continue
            try:
                read[file.name] = verify.read_file(dataset, file, path)
                break
            except DatasetError as error:
                _move_aside(path, error)
    from deep_mnist.data import download  # here, because urllib takes 50 ms to import

    missing = [file for file in dataset.files if file.name not in read]
    read |= download.download(dataset, missing, folder)
    return verify.assemble(dataset, read, folder)


def _move_aside(path: Path, error: DatasetError) -> None:
    aside = path.with_name(f"{path.name}.corrupt")
    try:
        path.replace(aside)
    except FileNotFoundError:  # another process was quicker
        return
    except OSError as reason:
        raise DatasetUnreachableError(
            f"{error}; it cannot be moved aside ({reason.strerror}), remove it by hand"
        ) from None
    print(f"{error}; moved aside to {aside.name}", file=sys.stderr)


def _expand(path: str) -> Path:
    return Path(os.path.expanduser(path))  # noqa: PTH111, pathlib's raises where there is no home
