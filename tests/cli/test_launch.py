"""What a program checks before it trains: settings, paths, the cluster and TensorFlow."""

import dataclasses
import json
import os
import sys
from pathlib import Path

import pytest

from deep_mnist import cnn, fnn, mlp, softmax
from deep_mnist.cli import launch
from deep_mnist.training import RunConfig, mixed_precision, run_directory

PROGRAMS = {"softmax": softmax.main, "cnn": cnn.main, "mlp": mlp.main, "fnn": fnn.main}
QUICK = ["--dataset", "generated", "--steps", "3", "--batch-size", "5", "--quiet"]


@pytest.fixture
def fails(capsys):
    """Calls a program that must fail with exit code 2, and returns what it printed."""

    def call(program, *arguments):
        assert PROGRAMS[program](list(arguments)) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith(f"error: {program}: ")
        hints = printed.err.splitlines()[1:]
        assert [line.partition(" ")[0] for line in hints] in ([], ["hint:"])
        return printed.err

    return call


def settings_of(*arguments):
    """What `train` is called with."""
    calls = []

    def train(config, run):
        calls.append((config, run))

    code = launch("cnn", cnn.Config, train, cnn.__doc__, arguments)
    ((config, run),) = calls
    assert code == 0
    return config, run


def test_train_gets_the_tutorials_settings_by_default():
    config, run = settings_of()
    assert config == cnn.Config()
    assert run.run_config == RunConfig(optimizer="adam", save_every=2_000)
    assert run.program == "cnn"
    assert run.log_every == 100


def test_flags_override_the_recipe():
    config, run = settings_of("--recipe", "fast", "--steps", "7", "--augmentation", "none")
    assert config == cnn.Config(steps=7, batch_size=100, learning_rate=3e-3, keep_prob=0.8)
    assert (run.run_config.recipe, run.run_config.schedule) == ("fast", "one-cycle")
    assert run.run_config.augmentation == "none"


def test_a_checkpoint_is_found_before_training_starts():
    softmax.main([*QUICK, "--run-dir", "run"])
    calls = []
    arguments = ["--restore", "run", "--steps", "2"]
    launch("softmax", softmax.Config, lambda _, run: calls.append(run), "", arguments)
    assert calls[0].options.restore == os.path.join("run", "model.ckpt-3")  # noqa: PTH118


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "--batch-size 0",
            "--batch-size: expected an integer of at least 1 and at most 60000, found 0",
        ),
        ("--steps -1", "--steps: expected an integer of at least 1, found -1"),
        ("--keep-prob 0", "--keep-prob: expected a number above 0 and at most 1, found 0.0"),
        ("--keep-prob 1.5", "--keep-prob: expected a number above 0 and at most 1, found 1.5"),
        ("--learning-rate nan", "--learning-rate: expected a number above 0, found nan"),
        (
            "--dataset cifar",
            "--dataset: expected one of auto, mnist, fashion-mnist, kmnist, generated, "
            "found 'cifar'",
        ),
        (
            "--optimizer adams",
            "--optimizer: expected one of gradient-descent, adam, found 'adams'\n"
            "hint: did you mean adam?",
        ),
        ("--recipe slow", "--recipe: expected one of tutorial, fast, best, found 'slow'"),
        (
            "--seed 3000000000",
            "--seed: expected an integer of at least 0 and at most 2147483647, found 3000000000",
        ),
        (
            "--intra-op-threads 3000000000",
            "--intra-op-threads: expected an integer of at least 1 and at most 1024, "
            "found 3000000000",
        ),
        (
            "--recipe best --steps 40",
            "--plain-steps: expected less than --steps 40, found 2000\n"
            "hint: add --plain-steps 0, or more --steps",
        ),
        (
            "--restore nowhere",
            "nowhere is not a checkpoint: expected a directory, a prefix or a file of a checkpoint",
        ),
        (
            "--restore .",
            ". has no checkpoint: expected PREFIX.index and PREFIX.data-00000-of-00001, "
            "found an empty directory",
        ),
        ("--resume nowhere", "--resume: expected the directory of a run, found nowhere"),
        ("--resume .", ". is not a run directory: no config.json"),
    ],
)
def test_wrong_values_and_paths_are_errors(fails, arguments, message):
    assert fails("cnn", *arguments.split()) == f"error: cnn: {message}\n"


@pytest.mark.parametrize(
    ("flag", "message"),
    [("--restore", "cannot be read: File name too long"), ("--resume", "expected the directory")],
)
def test_a_path_that_is_too_long_is_an_error(fails, flag, message):
    assert message in fails("cnn", flag, "x" * 300)


def test_control_characters_in_a_path_are_escaped(fails):
    assert fails("softmax", "--restore", "a\nb\x1b[2J").startswith(
        "error: softmax: a\\nb\\x1b[2J is not a checkpoint"
    )


def test_bfloat16_is_an_error_where_the_cpu_does_not_have_it(fails, monkeypatch):
    monkeypatch.setattr(mixed_precision, "FEATURES", {"no such feature"})
    assert fails("cnn", "--precision", "bfloat16") == (
        "error: cnn: --precision bfloat16: expected a CPU with avx512_bf16 or amx_bf16, "
        "found neither in /proc/cpuinfo\n"
        "hint: use --precision float32 or auto; resume a run on a CPU like the one it started on\n"
    )


def test_a_directory_that_is_not_empty_is_an_error_and_stays_as_it_is(fails):
    Path("run").mkdir()
    Path("run/notes.txt").write_text("mine")
    assert fails("softmax", *QUICK, "--run-dir", "run") == (
        "error: softmax: --run-dir: run is not empty\nhint: choose a new directory\n"
    )
    assert [path.name for path in Path("run").iterdir()] == ["notes.txt"]


def test_the_hint_of_a_directory_with_a_run_is_to_resume_it(fails, capsys):
    softmax.main([*QUICK, "--run-dir", "my run"])
    capsys.readouterr()
    assert fails("softmax", *QUICK, "--run-dir", "my run") == (
        "error: softmax: --run-dir: my run is not empty\n"
        "hint: choose a new directory, or resume the run in it with --resume 'my run'\n"
    )


def test_a_directory_that_cannot_be_created_is_an_error(fails):
    Path("file").touch()
    assert fails("softmax", *QUICK, "--run-dir", "file/run").startswith(
        "error: softmax: --run-dir: expected a directory, found the file file\n"
    )
    assert fails("softmax", *QUICK, "--run-dir", "file") == (
        "error: softmax: --run-dir: file is a file\nhint: choose a new directory\n"
    )


def test_only_fnn_takes_a_path_that_is_not_utf8(fails):
    name = os.fsdecode(b"run\xff")
    arguments = ["--dataset", "generated", "--steps", "1", "--batch-size", "9000", "--quiet"]
    assert fnn.main([*arguments, "--run-dir", name]) == 0
    assert Path(name, "result.json").exists()


def test_tensorflow_programs_refuse_a_path_that_is_not_utf8(fails):
    name = os.fsdecode(b"run\xff")
    assert fails("softmax", *QUICK, "--run-dir", name) == (
        "error: softmax: run\\udcff: TensorFlow supports only paths in UTF-8\n"
        "hint: use a path in UTF-8\n"
    )
    assert not Path(name).exists()


# Resuming ---------------------------------------------------------------------


def test_without_an_interrupted_run_there_is_nothing_to_resume(fails):
    assert fails("cnn", "--resume") == (
        f"error: cnn: --resume: no interrupted run in {Path.cwd()}/saved/runs/cnn\n"
        "hint: start a run with: python -m deep_mnist.cnn, or name one: --resume RUN\n"
    )


def test_a_run_of_another_program_is_not_resumed(fails, capsys):
    softmax.main([*QUICK, "--run-dir", "run"])
    capsys.readouterr()
    assert fails("cnn", "--resume", "run") == (
        "error: cnn: run is a run of softmax\n"
        "hint: resume it with: python -m deep_mnist.softmax --resume run\n"
    )
    Path("run/result.json").unlink()
    assert fails("cnn", "--resume", "run") == (
        "error: cnn: run is a run of softmax\n"
        "hint: resume it with: python -m deep_mnist.softmax --resume run\n"
    )


def test_a_run_is_evaluated_on_the_dataset_that_it_was_trained_on(capsys):
    softmax.main([*QUICK, "--run-dir", "run"])  # on the synthetic digits
    trained = capsys.readouterr().out.splitlines()[-1]
    assert softmax.main(["--restore", "run"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("generated: 9000 training, 1000 validation, 2000 test examples")
    assert printed[-1] == trained


def test_weights_are_evaluated_in_a_pod_of_a_cluster(monkeypatch, capsys):
    softmax.main([*QUICK, "--run-dir", "run"])
    cluster = {"worker": ["a:1", "b:1"]}
    monkeypatch.setenv(
        "TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": "worker", "index": 0}})
    )
    assert softmax.main(["--restore", "run"]) == 0


def test_a_run_in_use_is_not_resumed(fails):
    directory = run_directory.create("softmax", None)
    (directory / "config.json").write_text(json.dumps(dataclasses.asdict(RunConfig())))
    lock = run_directory.lock(directory)
    assert "no interrupted run in" in fails("softmax", "--resume")
    in_use = (
        f"error: softmax: {directory} is in use by another process\n"
        "hint: wait until it ends, or choose another directory with --run-dir\n"
    )
    assert fails("softmax", "--resume", str(directory)) == in_use
    assert fails("softmax", "--run-dir", str(directory)) == in_use
    lock.release()


@pytest.mark.parametrize("changed", [{"test_accuracy": 73.5}, {"steps": -3}, {"steps": "\x1b[2J"}])
def test_an_invalid_result_is_an_error(changed, fails, capsys):
    softmax.main([*QUICK, "--run-dir", "run"])
    result = json.loads(Path("run/result.json").read_text())
    del result["sha256"]
    Path("run/result.json").write_text(json.dumps({**result, **changed}))
    capsys.readouterr()
    printed = fails("softmax", "--resume", "run")
    assert printed.startswith("error: softmax: run/result.json is not a valid result: ")
    assert "\x1b" not in printed


# Processes --------------------------------------------------------------------


def test_without_tensorflow_the_error_says_how_to_install_it(monkeypatch, fails):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    assert fails("softmax") == (
        "error: softmax: TensorFlow is not installed: expected TensorFlow 2.16 or newer, "
        "on Python 3.10 to 3.13\n"
        "hint: install it with: pip install tensorflow\n"
    )


@pytest.mark.parametrize(
    ("program", "hint"),
    [
        ("softmax", "train on the cluster with: python -m deep_mnist.distributed softmax"),
        ("cnn", "train on the cluster with: python -m deep_mnist.distributed cnn"),
        ("mlp", "unset TF_CONFIG"),
    ],
)
def test_a_task_of_a_cluster_does_not_train_by_itself(program, hint, fails, monkeypatch):
    cluster = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster}))
    assert fails(program, *QUICK) == (
        f"error: {program}: TF_CONFIG lists a cluster of 3 tasks, "
        f"and this command trains in one process\nhint: {hint}\n"
    )


@pytest.mark.parametrize("value", ["", "{}", "text", '{"cluster": {"chief": ["a:1"]}}', "[1]"])
def test_other_values_of_tf_config_are_ignored(value, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", value)
    assert settings_of()[0] == cnn.Config()
