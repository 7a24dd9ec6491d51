"""Scripts and notebooks that no Python can read are errors, not tracebacks."""

import json
from pathlib import Path

import pytest

from deep_mnist.errors import DeepMnistError
from deep_mnist.legacy import compiler, source
from deep_mnist.legacy.port.script import port_script


def notebook(cell):
    cells = [{"cell_type": "code", "source": cell}]
    return json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}).encode()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("nested.ipynb", b"[" * 100_000, "expected a Jupyter notebook, found other JSON or text"),
        ("minus.ipynb", notebook("-" * 100_000 + "1"), "code that is nested too deeply"),
        ("nul.ipynb", notebook("x = '\0'"), "expected Python, found what neither Python 3 nor 2"),
        ("minus.py", b"-" * 100_000 + b"1", "code that is nested too deeply"),
        ("sum.py", b"+".join([b"x"] * 30_000), "code that is nested too deeply"),
        ("print.py", b"print " + b"(" * 3000 + b")" * 3000, "expected Python, found "),
        ("fissix.py", b"async 0xL)not", "expected Python, found what neither Python 3 nor 2"),
        ("cookie.py", b"# coding: undefined\nprint 1 +", "expected Python, found what neither"),
        ("surrogate.ipynb", notebook("%time\nx = '\udc80'"), "expected Python, found what neither"),
        ("truncated.py", "x = 1".encode("utf-16")[:-1], "expected Python, found what neither"),
    ],
)
@pytest.mark.parametrize("read", ["run", "port"])
def test_malformed_input_is_an_error(read, name, content, message):
    path = Path(name)
    path.write_bytes(content)
    with pytest.raises(DeepMnistError) as raised:
        if read == "run":
            compiler.compiled(source.read(path), name)
        else:
            port_script(path)
    assert raised.value.message.startswith(name)
    assert message in raised.value.message


@pytest.mark.parametrize("text", ["x = '\\d'\n", "print '\\d'\n", "x = 1 is 1\n"])
def test_warnings_about_a_script_are_not_printed(text):
    path = Path("script.py")
    path.write_text(text)
    compiler.compiled(source.read(path), "script.py")
    port_script(path)


def test_number_that_cannot_be_written_again_is_an_error():
    path = Path("script.py")
    path.write_text(f"import tensorflow as tf\nx = 0x{'f' * 5000}\n")
    with pytest.raises(DeepMnistError, match=r"script\.py: cannot be rewritten; Exceeds the limit"):
        port_script(path)
