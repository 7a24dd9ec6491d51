"""Python 2 sources, read and translated without TensorFlow."""

import sys

import numpy as np
import pytest

from deep_mnist.errors import DeepMnistError
from deep_mnist.legacy import compiler, source
from deep_mnist.legacy.shims import python2


def code_of(text):
    return compiler.compiled(text, "a.py")[0]


def test_python_3_is_left_alone():
    text = "for i in range(3):\n    print(i, 3 / 2)\n"
    assert python2.translated(text, "a.py") == (text, False)


def test_without_fissix_the_error_of_python_2_has_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "fissix", None)
    with pytest.raises(DeepMnistError) as caught:
        python2.translated("print 'a'\n", "a.py")
    assert caught.value.message == "a.py: Python 2 is translated by fissix, which is not installed"
    assert caught.value.hint == "install it with: pip install fissix"


def test_python_2_is_translated_line_by_line():
    pytest.importorskip("fissix")
    text = (
        "import urllib\n"
        "try:\n"
        "    print 'a', {1: 2}.has_key(1)\n"
        "except ValueError, e:\n"
        "    raise ValueError, 'b'\n"
        "names = map(str, xrange(2))\n"
    )
    result, two = python2.translated(text, "a.py")
    assert two
    assert result.count("\n") == text.count("\n")
    assert "print('a', 1 in {1: 2})" in result
    assert "except ValueError as e:" in result


def test_whole_numbers_divide_as_python_2_divided_them(capsys):
    pytest.importorskip("fissix")
    scope = {
        "__divide__": python2.divide,
        "__idivide__": python2.divide_in_place,
        "__range__": python2.whole_range,
    }
    exec(code_of("n = 7\nn /= 2\nprint n, 7 / 2, 7 / 2.0, -7 / 2\n"), scope)
    assert capsys.readouterr().out == "3 3 3.5 -4\n"


def test_division_of_the_future_is_kept(capsys):
    pytest.importorskip("fissix")
    code = code_of("from __future__ import division\nprint 7 / 2\n")
    exec(code, {"__divide__": python2.divide})
    assert capsys.readouterr().out == "3.5\n"


def test_a_range_takes_what_a_division_gave():
    scope = {"__range__": python2.whole_range}
    exec(code_of("seen = list(range(7 / 2))\n"), scope)
    assert scope["seen"] == [0, 1, 2]


def test_tabs_count_as_python_2_counted_them(capsys):
    text = "if True:\n        print(1)\n\tprint(2)\n"
    exec(code_of(text), {})
    assert capsys.readouterr().out == "1\n2\n"


def test_an_error_names_the_line_of_what_is_not_python():
    pytest.importorskip("fissix")
    with pytest.raises(DeepMnistError, match=r"^a\.py:1: expected Python, found what neither"):
        code_of("<html>no\n")


@pytest.mark.parametrize(
    "data",
    [
        "# 数字\nx = 1\n".encode("utf-8-sig"),
        "# -*- coding: gbk -*-\n# 数字\nx = 1\n".encode("gbk"),
        "# 数字\nx = 1\n".encode("gb18030"),
        b"# caf\xe9\nx = 1\n",
        b"x = 1\r\n",
    ],
)
def test_any_encoding_is_read(data, tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(data)
    assert source.read(path).endswith("x = 1\n")


def test_a_notebook_and_its_magics_are_read(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text(
        '{"cells": [{"cell_type": "markdown", "source": "no"},'
        ' {"cell_type": "code", "source": ["%matplotlib inline\\n", "x = 1"]}]}'
    )
    assert source.read(path) == "pass\nx = 1\n"


@pytest.mark.parametrize(
    ("content", "message"), [(None, "found no such file"), (b"\0\1\2", "found a binary file")]
)
def test_an_error_states_what_is_not_a_script(content, message, tmp_path):
    path = tmp_path / "a.py"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DeepMnistError, match=message):
        source.read(path)


def test_division_in_place_stays_in_place_and_reaches_every_target():
    pytest.importorskip("fissix")
    scope = {"__idivide__": python2.divide_in_place, "a": np.array([510.0]), "l": [5]}
    exec(code_of("print 'Python 2'\nb = a\nb /= 255.0\nl[0] /= 2\n"), scope)
    assert scope["a"].tolist() == [2]
    assert scope["l"] == [2]


@pytest.mark.parametrize(
    "line",
    [
        "first = list(zip([1, 2], [3, 4]))[0]",
        "# for i in xrange(3): raw_input()",
        "words = 'xrange( and .has_key('",
        "try:\n    import cPickle\nexcept ImportError:\n    import pickle",
        "print(list({}.items())[:1], end='')",
        "def xrange(n): return range(n)\nxrange(3)",
    ],
)
def test_python_3_is_not_detected_as_python_2(line):
    text = f"{line}\nhalf = 97 / 100\n"
    assert python2.translated(text, "a.py") == (text, False)
