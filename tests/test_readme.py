"""The README and docs/ show what there is."""

import argparse
import importlib
import re
import shlex
import textwrap
from pathlib import Path

import pytest

from deep_mnist import __main__ as deep_mnist_main
from deep_mnist import fnn, softmax
from deep_mnist.cli import flags
from deep_mnist.legacy import __main__ as legacy

ROOT = Path(__file__).parents[1]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text("utf-8")
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
}
README = PAGES["README.md"]
BLOCKS = [
    (name, block)
    for name, text in PAGES.items()
    for block in re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
]
COMMANDS = sorted(
    {
        (program, arguments.split("#")[0].strip())
        for text in PAGES.values()
        for program, arguments in re.findall(r"python -m deep_mnist\.(\w+)([^`'\n]*)", text)
        if arguments.strip() != "--gradient-check"  # tested below
        if "|" not in arguments  # an overview of choices
    }
)
PROGRAMS = ("softmax", "cnn", "mlp", "fnn")


def block_with(text):
    """The only code block of all pages that contains a text."""
    (block,) = [block for _, block in BLOCKS if text in block]
    return block


def test_the_readme_has_at_most_150_lines():
    assert len(README.splitlines()) <= 150


def test_installing_testing_and_building_the_documentation_are_one_command_each():
    lines = [block.strip() for name, block in BLOCKS if name == "README.md"]
    assert "pip install -e . && python -m deep_mnist.softmax" in lines
    assert 'pip install -e ".[test]" && python -m pytest' in lines
    assert 'pip install -e ".[docs]" && sphinx-build -W docs docs/_build' in lines


@pytest.mark.parametrize(("program", "arguments"), [c for c in COMMANDS if c[0] in PROGRAMS])
def test_every_training_command_parses(program, arguments):
    config = importlib.import_module(f"deep_mnist.{program}").Config
    flags.parse(program, config, "", shlex.split(arguments), numpy_only=program == "fnn")


@pytest.mark.parametrize(("program", "arguments"), [c for c in COMMANDS if c[0] not in PROGRAMS])
def test_every_other_command_parses(program, arguments, monkeypatch):
    class Parsed(BaseException):
        pass

    def parse_args(self, *args):
        original(self, *args)
        raise Parsed

    original = argparse.ArgumentParser.parse_args
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_args)
    with pytest.raises(Parsed):
        deep_mnist_main.main([program, *shlex.split(arguments)])


@pytest.mark.mnist
def test_the_output_shown_is_that_of_the_first_command(mnist_dir, monkeypatch, capsys):
    monkeypatch.setenv("DEEP_MNIST_DATA_DIR", mnist_dir)
    assert softmax.main([]) == 0
    printed = capsys.readouterr().out.replace(mnist_dir, "MNIST_data").splitlines()
    shown = block_with("step 0, training accuracy").splitlines()
    (gap,) = (number for number, line in enumerate(shown) if line == "...")
    printed[gap : len(printed) - (len(shown) - gap - 1)] = ["..."]
    assert [re.sub(r"\d\S*", "N", line) for line in printed] == [
        re.sub(r"\d\S*", "N", line) for line in shown
    ]
    accuracies = [float(lines[-1].split()[2]) for lines in (printed, shown)]
    assert accuracies[0] == pytest.approx(accuracies[1], abs=0.002)  # on other processors


def test_every_legacy_command_is_shown():
    assert set(re.findall(r"python -m deep_mnist\.legacy (\w+)", README)) == set(legacy.COMMANDS)


@pytest.mark.mnist
def test_the_input_data_example_gives_batches(mnist_dir, monkeypatch, capsys):
    monkeypatch.setenv("DEEP_MNIST_DATA_DIR", mnist_dir)
    names = {}
    exec(block_with("import input_data  # was"), names)
    assert (names["images"].shape, names["labels"].shape) == ((50, 784), (50, 10))
    assert names["mnist"].train.num_examples == 55_000
    assert "not found, using" in capsys.readouterr().err


@pytest.mark.mnist
def test_the_restore_example_prints_the_first_test_label(mnist_dir, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("DEEP_MNIST_DATA_DIR", mnist_dir)
    exec(block_with("tf.train.Saver(tf.trainable_variables())"), {})
    assert capsys.readouterr().out == "7\n"


@pytest.mark.mnist
def test_the_classifier_example_prints_the_first_test_labels(mnist_dir, monkeypatch, capsys):
    monkeypatch.setenv("DEEP_MNIST_DATA_DIR", mnist_dir)
    exec(block_with("print(cnn.predict(mnist.test.images[:5]))"), {})
    assert capsys.readouterr().out == "[7 2 1 0 4]\n"


@pytest.mark.mnist
def test_the_api_example_predicts_labels_and_probabilities(mnist_dir, monkeypatch):
    monkeypatch.setenv("DEEP_MNIST_DATA_DIR", mnist_dir)
    names = {}
    exec(block_with("probabilities = cnn.predict_proba"), names)
    assert names["labels"].tolist() == [7, 2, 1, 0, 4]
    assert names["probabilities"].shape == (5, 10)


def test_the_graph_example_prints_the_names_of_the_variables(capsys):
    exec(block_with("for v in tf.trainable_variables()"), {})
    assert capsys.readouterr().out.startswith("['W_conv1', 'b_conv1', 'W_conv2',")


def test_the_gradient_check_example_passes_and_finds_a_wrong_rule():
    example = block_with("import Operation, gradient_check")
    exec(example, {})
    with pytest.raises(AssertionError, match="Square, input 0"):
        exec(example.replace("2 * g * x", "g * x"), {})


def test_the_gradient_check_command_agrees_with_tensorflow(capsys):
    assert "python -m deep_mnist.fnn --gradient-check" in README
    assert fnn.main(["--gradient-check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[:5]] == ["1e-12"] * 5


def test_the_loop_shown_is_the_cnns():
    loop = block_with("run.batches(mnist.train, config.batch_size)")
    program = (ROOT / "deep_mnist" / "cnn.py").read_text("utf-8")
    assert textwrap.indent(loop, " " * 12) in program


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_a_file(page):
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", PAGES[page]):
        assert ((ROOT / page).parent / link).exists(), link
