"""Download the files of a dataset from its mirrors, with pooch."""

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pooch
import requests

from deep_mnist.data import verify
from deep_mnist.data.registry import DatasetFiles, IdxFile
from deep_mnist.errors import DatasetError, DatasetUnreachableError

__all__ = ["download", "download_from"]

OFFLINE = "DEEP_MNIST_OFFLINE"
TIMEOUT = 10.0  # seconds to connect, and between two packets
CHUNK = 65_536  # bytes


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
        failures = []
        for mirror in mirrors:
            url = f"{mirror}{file.name}.gz"
            try:
                _retrieve(
                    url,
                    directory / f"{file.name}.gz",
                    functools.partial(_check, dataset, file),
                )
            except DatasetError as error:
                failures.append(f"{url}: {error.message}")
                print(f"warning: {failures[-1]}", file=sys.stderr)
                continue
            except OSError as error:
                raise DatasetUnreachableError(
                    f"the dataset is not on disk, and {directory} cannot be written "
                    f"({error.strerror or error})",
                    hint="set XDG_CACHE_HOME to a writable directory, or name the directory of "
                    "the dataset with --data-dir, data_dir or DEEP_MNIST_DATA_DIR",
                ) from None
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
        _retrieve(url, path, check)
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


def _retrieve(url: str, path: Path, check: Callable[[Path], object]) -> None:
    """Download one file to a temporary file, check it, and rename it.

    Raises:
      DatasetError: the download fails, with the reason alone as message.
      OSError: the directory cannot be written.
    """
    pooch.get_logger().setLevel("WARNING")
    http = pooch.HTTPDownloader(timeout=TIMEOUT, chunk_size=CHUNK)

    def download_and_check(url: str, temporary: str, _: object) -> None:
        try:
            http(url, temporary, None)
            check(Path(temporary))
        except requests.RequestException as error:
            raise DatasetError(_reason(error)) from None
        except DatasetError as error:
            raise DatasetError(error.message.removeprefix(f"{temporary}: ")) from None

    # The checksum is that of the uncompressed file, which `check` compares.
    pooch.retrieve(url, None, path.name, path.parent, downloader=download_and_check)


def _reason(error: requests.RequestException) -> str:
    """Return why a request failed, without the URL and the layers of the HTTP library."""
    if error.response is not None:
        error.response.close()
        return f"HTTP {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "truncated"
    if isinstance(error, requests.Timeout):
        return "timed out"
    cause = error.args[0]
    return str(getattr(cause, "reason", cause))


def _offline() -> bool:
    return os.environ.get(OFFLINE, "0") not in ("", "0")
