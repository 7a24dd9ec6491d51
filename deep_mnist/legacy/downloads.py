"""Scripts that fetch MNIST themselves get the copy that the project finds.

The addresses of the time have moved or answer no more. What is asked for by one of the four
file names, or as mnist.npz, is written where the script wants it; any other address is fetched.
"""

from __future__ import annotations

import gzip
import io
import re
import struct
import sys
import tempfile
import urllib.request
import urllib.response
from email.message import Message
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from deep_mnist.data import registry, search

NPZ = "mnist.npz"
# Other sets have other names, kmnist and emnist, for files of the same names.
ADDRESS = re.compile(r"(?<![a-z])mnist(?![a-z])|tf-keras-datasets|img-datasets")


def serve_mnist_from_disk() -> None:
    """Makes urllib's urlretrieve and urlopen of this process answer for MNIST's files."""
    retrieve, opened = urllib.request.urlretrieve, urllib.request.urlopen

    def urlretrieve(url: str, filename: Any = None, *args: Any, **kwargs: Any) -> Any:
        data = None if _is_ours() else content(url)
        if data is None:
            return retrieve(url, filename, *args, **kwargs)
        if filename is None:
            with tempfile.NamedTemporaryFile(delete=False) as file:
                filename = file.name
        Path(filename).write_bytes(data)
        return filename, {}

    def urlopen(url: Any, *args: Any, **kwargs: Any) -> Any:
        address = url.full_url if isinstance(url, urllib.request.Request) else url
        data = None if _is_ours() else content(address)
        return opened(url, *args, **kwargs) if data is None else _answer(address, data)

    urllib.request.urlretrieve = urlretrieve
    urllib.request.urlopen = urlopen


def _answer(address: str, data: bytes) -> urllib.response.addinfourl:
    """What urlopen returns: a file that knows its headers, address and status."""
    headers = Message()
    headers["Content-Length"] = str(len(data))
    return urllib.response.addinfourl(io.BytesIO(data), headers, address, 200)


def _is_ours() -> bool:
    """Whether it is the project's own downloader that asks."""
    return str(sys._getframe(2).f_globals.get("__name__", "")).startswith("deep_mnist.")


def content(url: str) -> bytes | None:
    """The bytes of a file of MNIST or Fashion-MNIST; None if the address is of something else.

    Raises:
      DatasetError: the set is neither on disk nor downloadable.
    """
    name = PurePosixPath(urlsplit(str(url)).path).name
    which = set_at(str(url)[: -len(name)] if name else "")
    if which is None:
        return None
    stem = name.removesuffix(".gz")
    known = [file.name for file in registry.DATASETS[which].files]
    if stem in known:
        payload = _idx(_shaped(search.load_arrays(which)[known.index(stem)]))
        return gzip.compress(payload, 1) if name.endswith(".gz") else payload
    if name == NPZ:
        train_images, train_labels, test_images, test_labels, *_ = search.load_arrays("mnist")
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            x_train=_shaped(train_images),
            y_train=train_labels,
            x_test=_shaped(test_images),
            y_test=test_labels,
        )
        return buffer.getvalue()
    return None


def set_at(folder: str) -> str | None:
    """The set that an address serves: a known one, or one that has MNIST's name as a word."""
    words = folder.lower()
    if "fashion" in words:
        return "fashion-mnist"
    known = registry.name_by_url(folder)
    if known is not None or "notmnist" in words:
        return known
    return "mnist" if ADDRESS.search(words) else None


def _shaped(array: Any) -> Any:
    """Images [N, 784] -> [N, 28, 28]; labels as they are."""
    return array.reshape(-1, 28, 28) if array.ndim == 2 else array


def _idx(array: Any) -> bytes:
    """uint8 [N, ...] -> the IDX format: magic number, sizes, values."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return header + bytes(array.tobytes())
