"""Download a dataset from its mirrors; a file appears verified and whole, or not at all."""

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
from deep_mnist.data.registry import DatasetFiles, IdxFile
from deep_mnist.errors import DatasetError, DatasetUnreachableError

__all__ = ["download", "download_from"]

OFFLINE = "DEEP_MNIST_OFFLINE"
TIMEOUT = 10.0  # seconds to connect, and between two packets
DEADLINE = 300.0  # seconds for one file from one mirror
STALE = 86_400.0  # seconds after which no process writes to a .part file any more
HEADROOM = 65_536  # bytes that a published file may be larger than its uncompressed pixels
CHUNK = 65_536  # bytes

T = TypeVar("T")


def download(
    dataset: DatasetFiles, files: list[IdxFile], directory: Path
) -> dict[str, npt.NDArray[np.uint8]]:
    """Download files of a dataset, as .gz.

    Each download and each mirror that fails is reported on standard error. The environment's
    proxy settings are used, and TLS certificates are verified. Several processes may do this at
    once. With DEEP_MNIST_OFFLINE=1 no socket is opened.

    Args:
      dataset: the dataset; its mirrors are tried in their order.
      files: the files of it to download.
      directory: where they are saved; created if needed.

    Returns:
      The arrays by file name, uint8: images [N, rows, columns], labels [N].

    Raises:
      DatasetUnreachableError: no mirror has a file, or it cannot be written.
    """
    if not files:
        return {}
    names = ", ".join(f"{file.name}.gz" for file in dataset.files)
    hint = (
        f"put {names} into {directory}, or name their directory with --data-dir, data_dir or "
        "DEEP_MNIST_DATA_DIR, or use synthetic digits: --dataset generated"
    )
    if _offline():
        raise DatasetUnreachableError(
            f"{dataset.title} is not on disk, and {OFFLINE} forbids downloading it", hint=hint
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _remove_stale(directory)
    except OSError as error:
        raise _unwritable(directory, error) from None
    arrays = {}
    mirrors = list(dataset.mirrors)
    for file in files:
        failures = []
        for mirror in mirrors:
            url = f"{mirror}{file.name}.gz"
            try:
                arrays[file.name] = _fetch(
                    url,
                    directory / f"{file.name}.gz",
                    math.prod(file.shape) + HEADROOM,
                    functools.partial(_verified, dataset, file),
                )
            except OSError as error:
                raise _unwritable(directory, error) from None
            except DatasetError as error:
                failures.append(f"{url}: {error}")
                print(f"warning: {failures[-1]}", file=sys.stderr)
                continue
            print(f"downloaded {url} into {directory}", file=sys.stderr)
            # The mirror that worked is the first one for the next file.
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
    """Download a file that is not in the registry.

    Args:
      url: the address.
      path: where it is saved; the directory is created if needed.
      check: is called with the path of the downloaded file before it is renamed to `path`, and
        raises DatasetError to reject it.

    Raises:
      DatasetUnreachableError: it cannot be downloaded, is rejected or cannot be written.
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


def _verified(dataset: DatasetFiles, file: IdxFile, part: Path) -> npt.NDArray[np.uint8]:
    array = verify.read_file(dataset, file, part)
    if file.payload_sha256 is None and verify.file_sha256(part) != file.gz_sha256:
        raise DatasetError(f"expected SHA-256 {file.gz_sha256}")
    return array


def _fetch(url: str, path: Path, max_bytes: int, check: Callable[[Path], T]) -> T:
    """Download one file and return what `check` returns.

    Raises:
      DatasetError: the download fails, with the reason alone as message.
      OSError: the directory cannot be written.
    """
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}.part")
    part.touch(exist_ok=False)
    try:
        _receive(url, part, max_bytes)
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
        raise DatasetError(error.message.removeprefix(f"{part}: ")) from None
    finally:
        part.unlink(missing_ok=True)


def _receive(url: str, part: Path, max_bytes: int) -> None:
    """Write the response of a URL to a file."""
    deadline = time.monotonic() + DEADLINE
    request = urllib.request.Request(url, headers={"User-Agent": "deep_mnist"})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response, part.open("wb") as target:
        expected = getattr(response, "length", None)  # if the server sends it
        received = 0
        # read1 returns as soon as something arrives, so that the deadline holds for slow servers.
        while chunk := response.read1(CHUNK):
            received += len(chunk)
            if received > max_bytes:
                raise DatasetError(f"expected at most {max_bytes} bytes, found more")
            if time.monotonic() > deadline:
                raise DatasetError(f"not finished after {DEADLINE:.0f} seconds")
            target.write(chunk)
        if expected is not None and received != expected:
            raise DatasetError(f"truncated, expected {expected} bytes, found {received}")
        target.flush()
        os.fsync(target.fileno())


def _offline() -> bool:
    return os.environ.get(OFFLINE, "0") not in ("", "0")


def _remove_stale(directory: Path) -> None:
    """Remove the temporary files of downloads that were killed."""
    for part in directory.glob("*.part"):
        try:
            if time.time() - part.stat().st_mtime > STALE:
                part.unlink()
        except FileNotFoundError:  # another process was quicker
            continue


def _unwritable(directory: Path, error: OSError) -> DatasetUnreachableError:
    return DatasetUnreachableError(
        f"the dataset is not on disk, and {directory} cannot be written "
        f"({error.strerror or error})",
        hint="set XDG_CACHE_HOME to a writable directory, or name the directory of the dataset "
        "with --data-dir, data_dir or DEEP_MNIST_DATA_DIR",
    )
