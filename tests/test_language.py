"""Code, messages and documentation use the field's words: the table in CONTRIBUTING.md."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
ROW = re.compile(r"^\|(?P<say>[^|]*)\|(?P<instead_of>[^|]*)\|$", re.MULTILINE)

PATTERNS = [
    "deep_mnist/**/*.py",
    "deep_mnist/report/*.{html.jinja,json,mplstyle}",
    "deep_mnist/serving/static/*",
    "tests/**/*.py",
    "benchmarks/**/*.py",
    "benchmarks/*.md",
    "*.{md,py,toml}",
    ".ci/run",
    "docs/*.{md,py,rst}",
    "docs/{_static,kubernetes}/*",
    "docs/tutorials/**/*.{md,py}",
    "saved/*/README.md",
]
# Names of TensorFlow's input_data.
TENSORFLOW_NAMES = re.compile(r"\b(read_data_sets|data_set)\b")


def expand(pattern):
    """Expand one {a,b,c}."""
    before, brace, rest = pattern.partition("{")
    names, _, after = rest.partition("}")
    return [f"{before}{name}{after}" for name in names.split(",")] if brace else [pattern]


FILES = sorted(
    path
    for pattern in PATTERNS
    for glob in expand(pattern)
    for path in ROOT.glob(glob)
    if ".venvs" not in path.parts  # of benchmarks/compare.py
)


def phrases():
    """The phrases of the second column."""
    text = CONTRIBUTING.read_text("utf-8").partition("\n## Words\n")[2].partition("\n## ")[0]
    _, _, *rows = ROW.finditer(text)  # without the two lines of the header
    return [phrase.strip() for row in rows for phrase in row["instead_of"].split(",")]


def found_in(text):
    """The phrases in a text, with the number of the line.

    Words may be joined by an underscore, as in names, or separated by a line break, also within
    comments and strings.
    """
    found = []
    text = TENSORFLOW_NAMES.sub("", text)
    for phrase in phrases():
        words = r"[\s_#\"*`]+".join(map(re.escape, phrase.split()))
        for match in re.finditer(rf"(?<![^\W_]){words}(?![^\W_])", text, re.IGNORECASE):
            found.append((text.count("\n", 0, match.start()) + 1, phrase))
    return sorted(found)


def test_the_table_is_read():
    assert len(phrases()) >= 30
    assert {"beside", "told in", "read right"} <= set(phrases())


@pytest.mark.parametrize(
    "text",
    [
        "Beside it",
        "a message is told in one line",
        "def test_an_error_is_told_in_one_line():",
        "# it is told\n    # in one line",
        '"it is told "\n"in one line"',
    ],
)
def test_phrases_are_found_in_prose_names_and_across_lines(text):
    assert found_in(text)


def test_parts_of_words_are_not_found():
    assert found_in("recommended, besides, alongside, sealing") == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_fields_words_are_used(path):
    text = path.read_text("utf-8")
    if path == CONTRIBUTING:
        text = ROW.sub("", text)
    if path == Path(__file__):
        text = text.partition("def test_the_table_is_read")[0]
    assert found_in(text) == []
    assert found_in(path.name) == []
