"""The names in the tables of the page about TensorFlow 1 and 2 exist."""

import re
from pathlib import Path

import tensorflow

PAGE = Path(__file__).parents[2] / "docs" / "tutorials" / "tf1-to-tf2.md"
ROWS = [line.split("|")[1:-1] for line in PAGE.read_text("utf-8").splitlines() if "| `" in line]


def missing(column, module):
    names = [name for row in ROWS for name in re.findall(r"\btf\.([\w.]+)", row[column])]
    assert len(names) >= 7
    found = []
    for name in names:
        value = module
        for part in name.rstrip(".").split("."):
            value = getattr(value, part, None)
        if value is None:
            found.append(name)
    return found


def test_the_names_in_these_programs_are_in_compat_v1():
    assert missing(1, tensorflow.compat.v1) == []


def test_the_names_of_tensorflow_2_exist():
    assert missing(2, tensorflow) == []
