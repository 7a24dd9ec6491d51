"""Downloads from mirrors in turn: a file appears in the cache verified and whole, or not at all."""

import functools
import http.client
import math
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from deep_mnist.data import idx, verify
from deep_mnist.data.registry import DataSet, IdxFile
from deep_mnist.errors import DatasetError, DatasetUnreachableError

OFFLINE = "DEEP_MNIST_OFFLINE"
TIMEOUT = 10.0  # seconds to connect, and between two arrivals of data
DEADLINE = 300.0  # seconds for one file from one mirror
STALE = 86_400.0  # seconds after which a .part file has no process any more
HEADROOM = 65_536  # bytes a published file may be larger than its uncompressed pixels
CHUNK = 65_536  # bytes

T = TypeVar("T")


def download(
    dataset: DataSet, files: list[IdxFile], folder: Path
) -> dict[str, npt.NDArray[np.uint8]]:
    """Downloads files of a set into a folder, as .gz, and returns their arrays by file name.

    Every mirror that fails and every file that arrives is told in one line on standard error. The
    proxy settings of the environment are honoured, TLS certificates are checked. Several
    processes may do this at once. With DEEP_MNIST_OFFLINE=1 no socket is opened.

    Raises DatasetUnreachableError if a file can't be had from any mirror, or can't be written.
    """
    if not files:
        return {}
    names = ", ".join(f"{file.name}.gz" for file in dataset.files)
    hint = (
        f"put {names} into {folder}, or name their directory with --data-dir, data_dir or "
        "DEEP_MNIST_DATA_DIR, or use synthetic digits: --dataset generated"
    )
    if _offline():
        raise DatasetUnreachableError(
            f"{dataset.title} is not on disk, and {OFFLINE} forbids downloading it", hint=hint
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_stale(folder)
    except OSError as error:
        raise _unwritable(folder, error) from None
    arrays = {}
    mirrors = list(dataset.mirrors)
    for file in files:
        failures = []
        for mirror in mirrors:
            url = f"{mirror}{file.name}.gz"
            try:
                arrays[file.name] = _fetch(
                    url,
                    folder / f"{file.name}.gz",
                    math.prod(file.shape) + HEADROOM,
                    functools.partial(_verified, dataset, file),
                )
            except OSError as error:
                raise _unwritable(folder, error) from None
            except DatasetError as error:
                failures.append(f"{url}: {error}")
                print(f"failed: {failures[-1]}", file=sys.stderr)
                continue
            print(f"downloaded {url} into {folder}", file=sys.stderr)
            # The mirror that worked is asked first from now on.
            mirrors.remove(mirror)
            mirrors.insert(0, mirror)
            break
        else:
            raise DatasetUnreachableError(
                f"{dataset.title} is not on disk and cannot be downloaded ({', '.join(failures)})",
                hint=hint,
            )
    return arrays


def download_from(url: str, path: Path, check: Callable[[Path], object]) -> None:
    """Downloads one file of no known set; it appears when `check(part)` has raised no DatasetError.

    Raises DatasetUnreachableError if it can't be had or can't be written.
    """
    if _offline():
        raise DatasetUnreachableError(
            f"{path} is not on disk, and {OFFLINE} forbids downloading it",
            hint=f"put the file there by hand, or unset {OFFLINE}",
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _fetch(url, path, idx.MAX_BYTES, check)
    except DatasetError as error:
        raise DatasetUnreachableError(
            f"{url}: cannot be downloaded ({error.message})",
            hint=f"download the file by hand, and save it as {path}",
        ) from None
    except OSError as error:
        raise DatasetUnreachableError(
            f"{path}: cannot be written ({error.strerror or error})"
        ) from None


def _verified(dataset: DataSet, file: IdxFile, part: Path) -> npt.NDArray[np.uint8]:
    array = verify.read_file(dataset, file, part)
    if file.payload_sha256 is None and verify.file_sha256(part) != file.gz_sha256:
        raise DatasetError(f"expected SHA-256 {file.gz_sha256}, found another")
    return array


def _fetch(url: str, path: Path, most: int, check: Callable[[Path], T]) -> T:
    """One file of `most` bytes at most from one address; returns what `check(part)` does.

    Raises DatasetError with the bare reason if the address hasn't got it, OSError if the folder can't
    be written.
    """
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}.part")
    part.touch(exist_ok=False)
    try:
        _receive(url, part, most)
        checked = check(part)
        part.replace(path)
        return checked
    except urllib.error.HTTPError as error:
        error.close()
        raise DatasetError(str(error)) from None
    except urllib.error.URLError as error:
        raise DatasetError(str(error.reason)) from None
    except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: no such scheme
        raise DatasetError(str(error) or type(error).__name__) from None
    except DatasetError as error:
        raise DatasetError(str(error).removeprefix(f"{part}: ")) from None
    finally:
        part.unlink(missing_ok=True)


def _receive(url: str, part: Path, most: int) -> None:
    """Writes what a URL sends, `most` bytes of it at most, to a file."""
    deadline = time.monotonic() + DEADLINE
    request = urllib.request.Request(url, headers={"User-Agent": "deep_mnist"})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response, part.open("wb") as target:
        announced = getattr(response, "length", None)  # where the server says
        received = 0
        # read1 returns as soon as something arrives, so that the deadline holds for a slow drip.
        while chunk := response.read1(CHUNK):
            received += len(chunk)
            if received > most:
                raise DatasetError(f"sends more than the {most} bytes the file can have")
            if time.monotonic() > deadline:
                raise DatasetError(f"takes longer than {DEADLINE:.0f} seconds")
            target.write(chunk)
        if announced is not None and received != announced:
            raise DatasetError(f"stopped after {received} of {announced} bytes")
        target.flush()
        os.fsync(target.fileno())


def _offline() -> bool:
    return os.environ.get(OFFLINE, "0") not in ("", "0")


def _remove_stale(folder: Path) -> None:
    """Removes what downloads that were killed left behind."""
    for part in folder.glob("*.part"):
        try:
            if time.time() - part.stat().st_mtime > STALE:
                part.unlink()
        except FileNotFoundError:  # another process was quicker
            continue


def _unwritable(folder: Path, error: OSError) -> DatasetUnreachableError:
    return DatasetUnreachableError(
        f"{folder}: cannot be written ({error.strerror or error}), and the dataset is not on disk",
        hint="set XDG_CACHE_HOME to a writable directory, or name the directory of the dataset "
        "with --data-dir, data_dir or DEEP_MNIST_DATA_DIR",
    )
