"""Download the files of a dataset from its mirrors, with pooch."""

import functools
import math
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import requests
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from deep_mnist.data import idx, verify
from deep_mnist.data.registry import DatasetFiles, IdxFile
from deep_mnist.errors import DatasetError, DatasetUnreachableError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # tqdm's, in Jupyter without ipywidgets
    import pooch

__all__ = ["download", "download_from"]

OFFLINE = "DEEP_MNIST_OFFLINE"
TIMEOUT = 10.0  # seconds to connect, and between two packets
DEADLINE = 300.0  # seconds for one file from one mirror
HEADROOM = 65_536  # bytes that a published file may be larger than its uncompressed pixels
CHUNK = 8_192  # bytes, after each of which the deadline is checked


def download(dataset: DatasetFiles, files: list[IdxFile], directory: Path) -> None:
    """Download files of a dataset, as .gz, and verify them.

    A file appears whole and verified, or not at all; several processes may do this at once. The
    environment's proxy settings are used. With DEEP_MNIST_OFFLINE=1 no socket is opened.

    Args:
      dataset: the dataset; its mirrors are tried in their order.
      files: the files of it to download.
      directory: where they are saved; created if needed.

    Raises:
      DatasetUnreachableError: no mirror has a file, or it cannot be written.
    """
    if not files:
        return
    names = ", ".join(f"{file.name}.gz" for file in dataset.files)
    hint = (
        f"put {names} into {directory}, or name their directory with --data-dir, data_dir or "
        "DEEP_MNIST_DATA_DIR, or use synthetic digits: --dataset generated"
    )
    if _offline():
        raise DatasetUnreachableError(
            f"{dataset.title} is not on disk, and {OFFLINE} forbids downloading it", hint=hint
        )
    mirrors = list(dataset.mirrors)
    for file in files:
        failure = ""
        for mirror in mirrors:
            url = f"{mirror}{file.name}.gz"
            try:
                _retrieve(
                    url,
                    directory / f"{file.name}.gz",
                    math.prod(file.shape) + HEADROOM,
                    functools.partial(_check, dataset, file),
                )
            except DatasetError as error:
                failure = error.message
                print(f"warning: {url}: {failure}", file=sys.stderr)
                continue
            except OSError as error:
                raise DatasetUnreachableError(
                    f"the dataset is not on disk, and {directory} cannot be written "
                    f"({error.strerror or error})",
                    hint="name the directory of the dataset with --data-dir, data_dir or "
                    "DEEP_MNIST_DATA_DIR",
                ) from None
            print(f"downloaded {url} into {directory}", file=sys.stderr)
            # The mirror that worked is the first one for the next file.
            mirrors.remove(mirror)
            mirrors.insert(0, mirror)
            break
        else:
            raise DatasetUnreachableError(
                f"{dataset.title} is not on disk, and {file.name}.gz cannot be downloaded from any "
                f"of {len(mirrors)} mirrors ({failure})",
                hint=hint,
            )


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
        _retrieve(url, path, idx.MAX_BYTES, check)
    except DatasetError as error:
        raise DatasetUnreachableError(
            f"{url}: cannot be downloaded ({error.message})",
            hint=f"download the file by hand, and save it as {path}",
        ) from None
    except OSError as error:
        raise DatasetUnreachableError(
            f"{path}: cannot be written ({error.strerror or error})"
        ) from None


def _check(dataset: DatasetFiles, file: IdxFile, path: Path) -> None:
    verify.read_file(dataset, file, path)
    if file.payload_sha256 is None and verify.file_sha256(path) != file.gz_sha256:
        raise DatasetError(f"expected SHA-256 {file.gz_sha256}")


def _retrieve(url: str, path: Path, max_bytes: int, check: Callable[[Path], object]) -> None:
    """Download one file to a temporary file, check it, and rename it.

    Raises:
      DatasetError: the download fails, with the reason alone as message.
      OSError: the directory cannot be written.
    """

    def receive(url: str, temporary: str, _: object) -> None:
        _receive(url, Path(temporary), max_bytes)
        try:
            check(Path(temporary))
        except DatasetError as error:
            raise DatasetError(error.message.removeprefix(f"{temporary}: ")) from None

    # No checksum is given, because `check` compares that of the uncompressed file; pooch would log
    # an advice to give one.
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")
    try:
        pooch.retrieve(url, None, path.name, path.parent, downloader=receive)
    finally:
        logger.setLevel(level)


def _receive(url: str, path: Path, max_bytes: int) -> None:
    """Write the response of a URL to a file."""
    deadline = time.monotonic() + DEADLINE
    path.unlink()  # only its owner could read pooch's temporary file, and so the dataset
    try:
        response = requests.get(url, stream=True, timeout=TIMEOUT)
    except OSError as error:  # also of a missing bundle of certificates
        raise DatasetError(_reason(error)) from None
    with response, path.open("xb") as file:
        try:
            response.raise_for_status()
            for chunk in response.iter_content(CHUNK):
                if file.tell() + len(chunk) > max_bytes:
                    raise DatasetError(f"expected at most {max_bytes} bytes, found more")
                if time.monotonic() > deadline:
                    raise DatasetError(f"not finished after {DEADLINE:.0f} seconds")
                file.write(chunk)
        except requests.RequestException as error:
            raise DatasetError(_reason(error)) from None


def _reason(error: OSError) -> str:
    """Return why a request failed, without the URL and the layers of the HTTP library."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code} {error.response.reason}"
    cause: object = error.args[0] if error.args else error
    if isinstance(error, requests.Timeout) or isinstance(cause, ReadTimeoutError):
        return "timed out"
    if isinstance(cause, ProtocolError):
        return "the connection was closed before the end"
    return str(getattr(cause, "reason", cause)) or type(error).__name__


def _offline() -> bool:
    return os.environ.get(OFFLINE, "0") not in ("", "0")
