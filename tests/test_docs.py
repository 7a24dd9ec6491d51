"""The documentation in docs/ and in docstrings: links, examples, file formats."""

import doctest
import importlib
import json
import math
import re
from pathlib import Path

import pytest

from deep_mnist import predict, softmax
from deep_mnist.inference import PROGRAMS

DOCS = Path(__file__).parents[1] / "docs"


def test_links_lead_somewhere():
    for page in DOCS.glob("*.md"):
        for link in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text("utf-8")):
            assert (DOCS / link).exists(), link


@pytest.mark.parametrize(
    "module",
    [
        "autodiff.gradient_check",
        "autodiff.operation",
        "autodiff.tape",
        "data.dataset",
        "errors",
        "inference",
        "input_data.data_set",
    ],
)
def test_the_examples_of_the_public_api_run(module):
    module = importlib.import_module(f"deep_mnist.{module}")
    results = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert results.attempted > 0
    assert results.failed == 0


def keys(section):
    """The names in the first column of the table of a section of file_formats.md."""
    text = (DOCS / "file_formats.md").read_text("utf-8").partition(f"## {section}\n")[2]
    rows = text.partition("\n## ")[0].split("\n")
    cells = [row.split("|")[1] for row in rows if row.startswith("| `")]
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def test_the_files_of_a_run_have_the_keys_of_the_documentation():
    quick = ["--dataset", "generated", "--steps", "1", "--batch-size", "5", "--quiet"]
    assert softmax.main([*quick, "--run-dir", "run"]) == 0
    result = json.loads(Path("run/result.json").read_text())
    (line,) = Path("run/metrics.jsonl").read_text().splitlines()
    assert keys("result.json") == list(result)
    assert keys("metrics.jsonl") == list(json.loads(line))


@pytest.mark.parametrize("program", ["softmax", "cnn", "mlp", "fnn"])
def test_the_variables_of_the_documentation_are_those_of_the_checkpoints(program):
    text = (DOCS / "file_formats.md").read_text("utf-8")
    (row,) = re.findall(rf"^\| {program} \| (.*) \| ([\d,]+) \|$", text, re.MULTILINE)
    shown = {name: json.loads(shape) for name, shape in re.findall(r"`(\w+)` (\[.*?\])", row[0])}
    shapes = PROGRAMS[program].variable_shapes()
    assert {name: tuple(shape) for name, shape in shown.items()} == shapes
    assert f"{sum(map(math.prod, shapes.values())):,}" == row[1]


def test_the_columns_of_predictions_are_those_of_the_documentation():
    columns = [name for name in keys("Predictions as CSV") if not name.startswith("--")]
    assert columns == list(predict.COLUMNS)
