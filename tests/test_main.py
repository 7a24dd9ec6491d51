"""`deep-mnist` and `python -m deep_mnist`: the list of commands, and running them."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import deep_mnist
from deep_mnist import __main__ as deep_mnist_main

COMMANDS = [
    "softmax",
    "cnn",
    "mlp",
    "fnn",
    "distributed",
    "predict",
    "serve",
    "export",
    "report",
    "legacy",
]


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_the_commands_are_listed(arguments, capsys):
    try:
        assert deep_mnist_main.main(arguments) == 0
    except SystemExit as stopped:
        assert stopped.code == 0
    printed = capsys.readouterr().out
    assert printed.startswith("usage: deep-mnist COMMAND [flags]\n")
    assert re.findall(r"^(\w+):$", printed, re.MULTILINE) == [
        "train",
        "use",
        "inspect",
        "migrate",
        "options",
    ]
    names = re.findall(r"^  (\w+) ", printed, re.MULTILINE)
    assert list(dict.fromkeys(names)) == COMMANDS
    assert "    deep-mnist legacy run script.py\n" in printed


def test_version(capsys):
    with pytest.raises(SystemExit) as stopped:
        deep_mnist_main.main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"{deep_mnist.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train"], "no command 'train'\nhint: list the commands with: deep-mnist\n"),
        (["sofmax"], "no command 'sofmax'\nhint: did you mean softmax?\n"),
        (
            ["--quick"],
            "unrecognized arguments: --quick\nhint: list the flags with: deep-mnist --help\n",
        ),
    ],
)
def test_an_unknown_command_is_an_error(arguments, message, capsys):
    assert deep_mnist_main.main(arguments) == 2
    assert capsys.readouterr().err == f"error: deep-mnist: {message}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_prints_its_help(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        deep_mnist_main.main([command, "--help"])
    assert stopped.value.code == 0
    assert f"deep_mnist.{command}" in capsys.readouterr().out


def test_a_command_gets_the_arguments_after_it_and_its_exit_code_is_returned(capsys):
    assert deep_mnist_main.main(["cnn", "--steps", "0"]) == 2
    assert capsys.readouterr().err == (
        "error: cnn: --steps: expected an integer of at least 1, found 0\n"
    )
    quick = ["--dataset", "generated", "--steps", "1", "--batch-size", "5", "--quiet"]
    assert deep_mnist_main.main(["fnn", *quick, "--run-dir", "run"]) == 0
    assert capsys.readouterr().out.startswith("test loss ")
    assert Path("run/result.json").exists()


@pytest.mark.parametrize(
    "command",
    [[sys.executable, "-m", "deep_mnist"], [str(Path(sys.executable).with_name("deep-mnist"))]],
)
def test_the_console_script_and_the_module_are_the_same(command):
    if not Path(command[0]).exists():
        pytest.skip("the console script is not installed")
    done = subprocess.run([*command, "cnn", "--steps", "0"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "error: cnn: --steps: expected an integer of at least 1, found 0\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize(
    "command",
    [
        ["-m", "deep_mnist.fnn"],
        ["-m", "deep_mnist", "fnn"],
        [str(Path(sys.executable).with_name("deep-mnist")), "fnn"],
    ],
)
@pytest.mark.parametrize("moment", ["numpy", "filelock"])  # among the first, and in the command
def test_ctrl_c_while_a_command_is_starting_gives_no_traceback(command, moment):
    """Ctrl-C at the import of a library."""
    Path("libraries").mkdir()
    Path("libraries", f"{moment}.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n"
    )
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # if it is ignored
    try:
        done = subprocess.run(
            [sys.executable, *command, "--dataset", "generated", "--run-dir", "run"],
            env={**os.environ, "PYTHONPATH": "libraries"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    assert done.returncode in (130, -signal.SIGINT)
    assert done.stderr in ("", "fnn: stopped before the first step\n")
