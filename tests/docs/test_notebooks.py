"""The tutorials: what their pages contain, and their notebooks, in sync and executed."""

import ast
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deep_mnist.data import idx

pytest.importorskip("jupytext", reason="needs the extra docs")
pytest.importorskip("sphinx", reason="needs the extra docs")

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "tutorials"
TUTORIALS = ["softmax", "cnn", "mlp", "fnn"]


def load(path):
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


notebooks = load(ROOT / "docs" / "notebooks.py")
NAMES = [page.stem for page in notebooks.pages()]


def read(name):
    import nbformat

    return nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)


def test_every_page_with_cells_is_a_notebook():
    assert sorted([*TUTORIALS, "tf1-book"]) == NAMES
    assert sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_is_that_of_its_page(name):
    written = (ROOT / "notebooks" / f"{name}.ipynb").read_text("utf-8")
    assert written == notebooks.notebook(PAGES / f"{name}.md"), "run: python docs/notebooks.py"


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_has_no_outputs_and_its_first_code_cell_installs(name):
    code = [cell for cell in read(name).cells if cell.cell_type == "code"]
    assert code[0].source.splitlines()[-1] == '%pip install --quiet "deep_mnist[plots]"'
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


@pytest.mark.parametrize("name", NAMES)
def test_links_of_a_notebook_lead_to_a_file(name):
    text = "\n".join(cell.source for cell in read(name).cells if cell.cell_type == "markdown")
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (ROOT / "notebooks" / link).resolve().exists(), link


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_has_only_markdown_that_jupyter_shows(name):
    text = "\n".join(cell.source for cell in read(name).cells if cell.cell_type == "markdown")
    assert not re.search(r"^(```\{|:::|\(.*\)=$)", text, re.MULTILINE)


@pytest.mark.parametrize("name", TUTORIALS)
def test_nothing_of_a_program_is_missing_from_its_notebook(name):
    program = (ROOT / "deep_mnist" / f"{name}.py").read_text("utf-8")
    code = "\n".join(cell.source for cell in read(name).cells if cell.cell_type == "code")
    statements = ast.parse(program).body[1:-1]  # without the docstring and the call of main
    assert len(statements) >= 15
    for statement in statements:
        assert ast.get_source_segment(program, statement) in code


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_page_asks_five_questions_and_has_three_exercises_with_solutions(name):
    text = (PAGES / f"{name}.md").read_text("utf-8")
    _, questions, exercises = re.split(r"^## (?:Questions|Exercises)$", text, flags=re.MULTILINE)
    assert re.findall(r"^\*\*(\d)\. ", questions, re.MULTILINE) == list("12345")
    assert questions.count("<details><summary>Answer</summary>\n\n") == 5
    assert re.findall(r"^\*\*(\d)\. ", exercises, re.MULTILINE) == list("123")
    assert exercises.count("<details><summary>Solution</summary>\n\n```{literalinclude} ") == 3
    assert text.count("\n\n</details>\n") == 8


# Executed in Jupyter ----------------------------------------------------------


EXPECTED = {
    "softmax": r"test accuracy 0\.[89]\d* \(\d+ of 2000 SYNTHETIC digits, not MNIST\)",
    "cnn": r"\d+ of 2000 test images of generated are misclassified",
    "mlp": r"predicted label \d, true label \d",
    "fnn": r"test loss \S+ ; accuracy 0\.\d+ \(\d+ of 2000 SYNTHETIC",
    "tf1-book": r"test accuracy 0\.[89]",
}


@pytest.mark.notebooks
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_on_synthetic_digits(name, digits):
    if name == "tf1-book":  # names a directory, which is read as it is
        Path("MNIST_data").mkdir()
        for prefix, split in (("train", digits.train), ("t10k", digits.test)):
            images = split.images.reshape(-1, 28, 28)
            idx.write(Path("MNIST_data", f"{prefix}-images-idx3-ubyte"), images)
            idx.write(Path("MNIST_data", f"{prefix}-labels-idx1-ubyte"), split.labels)
    path = Path(shutil.copy(ROOT / "notebooks" / f"{name}.ipynb", "."))
    command = [sys.executable, "-m", "jupyter", "execute", "--inplace", "--timeout=300", path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    cells = json.loads(path.read_text("utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    text = "".join("".join(output.get("text", "")) for output in outputs)
    assert re.search(EXPECTED[name], text)
    assert "error:" not in text
    figures = [
        output for output in outputs if {"text/html", "image/png"} & {*output.get("data", {})}
    ]
    assert len(figures) >= (1 if name == "tf1-book" else 3)
