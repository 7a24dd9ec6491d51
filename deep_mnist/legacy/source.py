"""The text of a script: any encoding, byte order mark, line ends, tabs and IPython syntax."""

from __future__ import annotations

import contextlib
import io
import re
import tokenize
import warnings
from collections.abc import Iterator
from pathlib import Path

from deep_mnist.errors import DeepMnistError
from deep_mnist.legacy import ipython_syntax

INDENT = re.compile(r"^[ ]*\t[ \t]*", re.M)


def read(path: Path) -> str:
    """Return the Python text of a .py file or of a notebook's code cells, with Unix line ends.

    Raises:
      DeepMnistError: the file is not found, or is not text.
    """
    if path.suffix == ".ipynb":
        from deep_mnist.legacy.notebook import Notebook

        return Notebook(path).text
    with parsing(str(path)):
        return ipython_syntax.translated(read_text(path)).text


@contextlib.contextmanager
def parsing(path: str) -> Iterator[None]:
    """Parse without Python's warnings; raise DeepMnistError for code that is nested too deeply."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (RecursionError, MemoryError):
        raise DeepMnistError(
            f"{path}: expected Python, found code that is nested too deeply"
        ) from None


def read_text(path: Path) -> str:
    """Return the text of a file with Unix line ends.

    Raises:
      DeepMnistError: the file is not found, or is not text.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DeepMnistError(f"{path}: expected a Python script, found no such file") from None
    except OSError as error:
        raise DeepMnistError(f"{path}: expected a Python script; {error.strerror}") from None
    if b"\0" in data and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DeepMnistError(f"{path}: expected a Python script, found a binary file")
    return decode(data)


def decode(data: bytes) -> str:
    """Decode bytes: by byte order mark, by coding cookie, else UTF-8, GB 18030 or Latin-1."""
    encodings = ["utf-8-sig", "gb18030", "latin-1"]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings.insert(0, "utf-16")
    else:
        with contextlib.suppress(SyntaxError):  # an unknown cookie, or bytes that are not UTF-8
            encodings.insert(0, tokenize.detect_encoding(io.BytesIO(data).readline)[0])
    for encoding in encodings:
        try:
            return unix(data.decode(encoding))
        except (UnicodeError, LookupError):
            continue
    raise AssertionError("Latin-1 decodes any bytes")


def with_spaces(text: str) -> str:
    """Replace tabs at the start of lines as Python 2 did: up to the next multiple of 8."""
    return INDENT.sub(lambda found: found[0].expandtabs(8), text)


def unix(text: str) -> str:
    """Replace the line ends of Windows and old Macs, and form feeds."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "")
