"""What the README shows is what there is."""

import importlib
import re
import shlex
import textwrap
from pathlib import Path

import pytest

from deep_mnist import fnn
from deep_mnist.cli import flags
from deep_mnist.legacy import __main__ as legacy

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
COMMANDS = [
    command
    for command in re.findall(r"python -m deep_mnist\.(\w+)([^`\n]*)", README)
    if command != ("fnn", " --gradient-check")  # not a run, and tested by itself
    and command[0] in ("softmax", "cnn", "mlp", "fnn")
]
LEGACY = re.findall(r"python -m deep_mnist\.legacy (\w+)", README)


def test_set_up_is_two_commands():
    lines = [text.strip() for _, text in BLOCKS]
    assert "pip install -e . && python -m deep_mnist.softmax" in lines
    assert 'pip install -e ".[test]" && python -m pytest' in lines


@pytest.mark.parametrize(("program", "arguments"), COMMANDS)
def test_every_command_shown_parses(program, arguments):
    config = importlib.import_module(f"deep_mnist.{program}").Config
    distributed = program in ("softmax", "cnn")
    flags.parse(program, config, "", shlex.split(arguments), distributed=distributed)


def test_every_command_of_the_bridge_is_shown():
    assert set(LEGACY) == set(legacy.COMMANDS)


@pytest.mark.mnist
def test_the_data_module_shown_gives_batches(mnist_dir, monkeypatch, capsys):
    (snippet,) = [text for _, text in BLOCKS if "import input_data  # was" in text]
    monkeypatch.setenv("DEEP_MNIST_DATA_DIR", mnist_dir)
    shown = {}
    exec(compile(snippet, "README.md", "exec"), shown)
    assert (shown["images"].shape, shown["labels"].shape) == ((50, 784), (50, 10))
    assert shown["mnist"].train.num_examples == 55_000
    assert "not found, using" in capsys.readouterr().err


@pytest.mark.mnist
def test_the_python_shown_reads_the_first_test_digit(mnist_dir, monkeypatch, capsys):
    (snippet,) = [text for language, text in BLOCKS if "import tensorflow" in text]
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("DEEP_MNIST_DATA_DIR", mnist_dir)
    exec(compile(snippet, "README.md", "exec"), {})
    assert capsys.readouterr().out == "7\n"


def test_the_check_shown_passes_and_finds_a_wrong_rule():
    (snippet,) = [text for language, text in BLOCKS if "import Operation" in text]
    exec(compile(snippet, "README.md", "exec"), {})
    with pytest.raises(AssertionError, match="Square, input 0"):
        exec(compile(snippet.replace("2 * g * x", "g * x"), "README.md", "exec"), {})


def test_the_gradients_shown_are_those_that_are_printed(capsys):
    (shown,) = [text for _, text in BLOCKS if text.startswith("epsilon 1e-12")]
    assert fnn.main(["--gradient-check"]) == 0
    printed = capsys.readouterr().out
    for line in shown.splitlines()[:-1]:
        # The last digits of a difference are the processor's.
        assert line.split("relative")[0] in printed


def test_the_loop_shown_is_the_programs():
    (loop,) = [text for language, text in BLOCKS if "run.steps(batches)" in text]
    program = (ROOT / "deep_mnist" / "cnn.py").read_text("utf-8")
    assert textwrap.indent(loop, " " * 12) in program


def test_links_and_paths_lead_somewhere():
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / link).exists(), link
    for path in re.findall(r"^  (\w+(?:\.py|/)) ", README, re.MULTILINE):
        assert (ROOT / "deep_mnist" / path).exists(), path
