"""From command lines to settings: which flags there are, what they accept, and their help."""

import os
import re
import subprocess
import sys

import pytest

from deep_mnist import cnn, fnn, mlp, softmax
from deep_mnist.cli import Parser, flags
from deep_mnist.errors import DeepMnistError
from deep_mnist.training.config import Options

PROGRAMS = {"softmax": softmax, "cnn": cnn, "mlp": mlp, "fnn": fnn}


def parse(program, *arguments):
    module = PROGRAMS[program]
    return flags.parse(
        program, module.Config, module.__doc__, arguments, numpy_only=program == "fnn"
    )


def help_of(program, flag, capsys):
    """The text of --help or --help-all, and the flags that it lists."""
    with pytest.raises(SystemExit) as stopped:
        parse(program, flag)
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    return text, re.findall(r"^  (?:-h, )?(--[\w-]+)", text, re.MULTILINE)


def error_of(program, *arguments):
    with pytest.raises(DeepMnistError) as raised:
        parse(program, *arguments)
    return raised.value


# Help -------------------------------------------------------------------------


SHOWN = {
    "softmax": "--steps --batch-size --learning-rate --dataset --seed --recipe",
    "cnn": "--steps --batch-size --learning-rate --keep-prob --dataset --seed --recipe",
    "mlp": "--steps --batch-size --learning-rate --variant --dataset --seed",
    "fnn": "--steps --batch-size --learning-rate --dtype --dataset --seed",
}
ADVANCED = {
    "softmax": "--loss --log-every --save-every --keep --intra-op-threads --inter-op-threads "
    "--initialization --optimizer --schedule --beta2 --weight-decay --label-smoothing "
    "--augmentation --plain-steps --precision --quiet --summaries --trace-every",
    "cnn": "--loss --log-every --save-every --keep --intra-op-threads --inter-op-threads "
    "--initialization --optimizer --schedule --beta2 --weight-decay --label-smoothing "
    "--augmentation --plain-steps --precision --quiet --summaries --trace-every",
    "mlp": "--picture --save-picture --log-every --save-every --keep --intra-op-threads "
    "--inter-op-threads --quiet --summaries --trace-every",
    "fnn": "--log-every --save-every --keep --quiet",
}
PATHS = ["--data-dir", "--run-dir", "--restore", "--resume"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_lists_the_flags_that_a_learner_needs(program, capsys):
    text, listed = help_of(program, "--help", capsys)
    assert listed == ["--help", "--help-all", *SHOWN[program].split(), *PATHS]
    assert len(text.splitlines()) <= 40
    assert max(map(len, text.splitlines())) <= 100


def test_help_of_softmax_has_at_most_12_flags(capsys):
    _, listed = help_of("softmax", "--help", capsys)
    assert len(listed) <= 12


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_all_lists_every_flag(program, capsys):
    text, listed = help_of(program, "--help-all", capsys)
    assert sorted(listed) == sorted(
        ["--help", "--help-all", *SHOWN[program].split(), *ADVANCED[program].split(), *PATHS]
    )
    assert max(map(len, text.splitlines())) <= 100


def test_help_shows_the_tutorials_defaults_and_the_choices(capsys):
    text, _ = help_of("cnn", "--help-all", capsys)
    recipes = "named set of settings: tutorial, fast, best (default: tutorial)"
    for line in (
        "  --steps N               number of training steps (default: 20000)\n",
        "  --learning-rate X       step size of Adam (default: 0.0001)\n",
        "  --save-every N          steps between checkpoints (default: 2000)\n",
        "  --optimizer NAME        optimizer: gradient-descent, adam (default: adam)\n",
        f"  --recipe NAME           {recipes}\n",
    ):
        assert line in text
    text, _ = help_of("softmax", "--help-all", capsys)
    assert (
        "  --optimizer NAME        optimizer: gradient-descent, adam (default: gradient-descent)\n"
    ) in text
    assert "named set of settings: tutorial, best (default: tutorial)\n" in text


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_answers_quickly_and_loads_no_tensorflow(program):
    code = (
        "import runpy, sys; sys.argv = ['x', '--help']\n"
        f"try: runpy.run_module('deep_mnist.{program}', run_name='__main__')\n"
        "except SystemExit as done: print('exit', done.code, 'tensorflow' in sys.modules)"
    )
    before = os.times()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    after = os.times()
    assert done.stdout.endswith("exit 0 False\n")
    # Processor time, because other tests run at the same time.
    assert sum(after[2:4]) - sum(before[2:4]) < 0.5


# Values -----------------------------------------------------------------------


def test_flags_become_settings_and_options():
    options, given = parse(
        "cnn",
        *("--steps", "7", "--learning-rate", "2e-3", "--keep-prob", "1", "--loss", "textbook"),
        *("--run-dir", "run", "--quiet", "--data-dir", "data"),
    )
    assert given == {"steps": 7, "learning_rate": 2e-3, "keep_prob": 1.0, "loss": "textbook"}
    assert options == Options(data_dir="data", run_dir="run", quiet=True)


def test_no_flags_are_no_settings():
    assert parse("softmax") == (Options(), {})


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--restore"], Options(restore=True, eval_only=True)),
        (["--restore", "run"], Options(restore="run", eval_only=True)),
        (["--restore", "run", "--steps", "5"], Options(restore="run")),
        (["--resume"], Options(resume=True)),
        (["--resume", "run", "--quiet"], Options(resume="run", quiet=True)),
        (["--summaries", "--trace-every", "50"], Options(summaries=True, trace_every=50)),
    ],
)
def test_restoring_without_steps_only_evaluates(arguments, expected):
    assert parse("softmax", *arguments)[0] == expected


@pytest.mark.parametrize(
    "arguments",
    [
        ["--dataset", "generated"],
        ["--precision", "auto"],
        ["--intra-op-threads", "1", "--inter-op-threads", "1"],
    ],
)
def test_settings_that_matter_for_an_evaluation_are_accepted_with_restore(arguments):
    options, given = parse("cnn", "--restore", *arguments)
    assert options.eval_only
    assert len(given) == len(arguments) / 2


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        ("--steps many", "--steps: expected an integer of at least 1, found 'many'", None),
        ("--steps 1.5", "--steps: expected an integer of at least 1, found '1.5'", None),
        (
            "--keep-prob half",
            "--keep-prob: expected a number above 0 and at most 1, found 'half'",
            None,
        ),
        ("--steps", "--steps: expected one argument", None),
        ("--xyz 3", "unrecognized arguments: --xyz 3", "list the flags with: PROGRAM --help"),
        ("--stepz 3", "unrecognized arguments: --stepz 3", "did you mean --steps?"),
        ("--stepz=3", "unrecognized arguments: --stepz=3", "did you mean --steps?"),
        (
            "--lerning-rate 1",
            "unrecognized arguments: --lerning-rate 1",
            "did you mean --learning-rate?",
        ),
        ("train", "unrecognized arguments: train", "list the flags with: PROGRAM --help"),
        ("--restore=", "--restore: the path is empty", None),
        ("--run-dir=", "--run-dir: the path is empty", None),
        ("--data-dir=", "--data-dir: the path is empty", None),
        (
            "--restore --recipe best",
            "--restore without --steps only evaluates, found --recipe",
            "add --steps N to train from the checkpoint",
        ),
        (
            "--restore --learning-rate 1 --run-dir x",
            "--restore without --steps only evaluates, found --learning-rate, --run-dir",
            "add --steps N to train from the checkpoint",
        ),
        (
            "--restore --summaries",
            "--restore without --steps only evaluates, found --summaries",
            "add --steps N to train from the checkpoint",
        ),
        (
            "--resume . --steps 5 --seed 1",
            "--resume uses the run's own settings, found --steps, --seed",
            "to train on with other settings, use --restore RUN --steps N",
        ),
        (
            "--resume . --restore",
            "--resume excludes --restore and --run-dir: a run continues in its own directory",
            None,
        ),
        (
            "--resume . --run-dir x",
            "--resume excludes --restore and --run-dir: a run continues in its own directory",
            None,
        ),
        ("--trace-every 5", "--trace-every needs --summaries", None),
        (
            "--summaries --trace-every 0",
            "--trace-every: expected an integer of at least 1, found '0'",
            None,
        ),
    ],
)
def test_a_wrong_flag_is_an_error_with_a_hint(arguments, message, hint):
    error = error_of("cnn", *arguments.split())
    assert error.message == message
    assert error.hint == (
        None if hint is None else hint.replace("PROGRAM", "python -m deep_mnist.cnn")
    )


def test_flags_are_not_abbreviated():
    assert error_of("cnn", "--learn", "1").message == "unrecognized arguments: --learn 1"


@pytest.mark.parametrize(
    ("program", "flag"),
    [
        ("softmax", "--keep-prob=1"),
        ("mlp", "--recipe=tutorial"),
        ("mlp", "--optimizer=adam"),
        ("fnn", "--summaries"),
        ("fnn", "--intra-op-threads=1"),
    ],
)
def test_a_program_has_only_the_flags_that_it_uses(program, flag):
    assert error_of(program, flag).message == f"unrecognized arguments: {flag}"


def test_a_parser_of_another_command_names_the_command():
    parser = Parser(prog="python -m deep_mnist.report")
    parser.add_argument("run")
    with pytest.raises(DeepMnistError) as raised:
        parser.parse_args([])
    assert raised.value.message == "the following arguments are required: run"
    assert raised.value.hint == "list the flags with: python -m deep_mnist.report --help"
