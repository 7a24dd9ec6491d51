"""A script's text, whatever it was saved as: coding cookies, BOM, CRLF, tabs, notebooks."""

from __future__ import annotations

import contextlib
import io
import json
import re
import tokenize
import warnings
from pathlib import Path

from deep_mnist.errors import DeepMnistError

MAGIC = re.compile(r"^(\s*)(%{1,2}[A-Za-z]\w*|!|\?)(.*)$")
INDENT = re.compile(r"^[ ]*\t[ \t]*", re.M)


def read(path: Path) -> str:
    """The Python text of a .py file or of a notebook's code cells, with Unix line ends.

    Raises:
      DeepMnistError: there is no such file, or it is no text.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DeepMnistError(f"{path}: expected a Python script, found no such file") from None
    except OSError as error:
        raise DeepMnistError(f"{path}: expected a Python script; {error.strerror}") from None
    if b"\0" in data and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DeepMnistError(f"{path}: expected a Python script, found a binary file")
    text = decode(data)
    if path.suffix == ".ipynb":
        text = _notebook(path, text)
    return _without_magics(text)


def decode(data: bytes) -> str:
    """Bytes -> text: by BOM, by coding cookie, else UTF-8, else Chinese, else Latin-1."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _unix(data.decode("utf-16"))
    encodings = ["utf-8-sig", "gb18030", "latin-1"]
    with contextlib.suppress(SyntaxError):  # an unknown cookie, or bytes that are not UTF-8
        encodings.insert(0, tokenize.detect_encoding(io.BytesIO(data).readline)[0])
    for encoding in encodings:
        try:
            return _unix(data.decode(encoding))
        except (UnicodeDecodeError, LookupError):
            continue
    raise AssertionError("latin-1 reads anything")


def with_spaces(text: str) -> str:
    """Tabs at the start of a line as Python 2 counted them: up to the next multiple of 8."""
    return INDENT.sub(lambda found: found[0].expandtabs(8), text)


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "")


def _notebook(path: Path, text: str) -> str:
    try:
        book = json.loads(text)
        cells = book["cells"] if "cells" in book else book["worksheets"][0]["cells"]
        found = [c.get("source", c.get("input")) for c in cells if c["cell_type"] == "code"]
        codes = ["".join(code or "") for code in found]
    except (ValueError, LookupError, TypeError):
        raise DeepMnistError(
            f"{path}: expected a Jupyter notebook, found other JSON or text"
        ) from None
    return "\n\n".join(codes) + "\n"


def _without_magics(text: str) -> str:
    """Blanks IPython's lines (`%matplotlib inline`, `!pip ...`), which are no Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "script", "exec", dont_inherit=True)
    except SyntaxError:
        pass
    except ValueError:
        return text
    else:
        return text
    lines = text.split("\n")
    for number, line in enumerate(lines):
        magic = MAGIC.match(line)
        before = lines[number - 1].rstrip() if number else ""
        if magic and not before.endswith(("\\", "(", ",", "%", '"', "'")):
            lines[number] = f"{magic[1]}pass"
    return "\n".join(lines)
