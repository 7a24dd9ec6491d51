"""Commands as people type them: what is printed, what is left on disk, the exit code."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deep_mnist import __main__ as listing
from deep_mnist import cnn, data, fnn, mlp, softmax
from deep_mnist.data import idx, registry
from deep_mnist.training import mixed_precision

PROGRAMS = {"softmax": softmax.main, "cnn": cnn.main, "mlp": mlp.main, "fnn": fnn.main}
QUICK = ["--dataset", "generated", "--steps", "3", "--batch-size", "5", "--log-every", "1"]


@pytest.fixture
def fails(capsys):
    """Calls a command that must fail: exit code 2, one line, nothing else printed."""

    def call(program, *arguments):
        assert PROGRAMS[program](list(arguments)) == 2
        printed = capsys.readouterr()
        assert printed.err.startswith(f"{program}: ")
        assert printed.err.count("\n") == 1
        return printed.err

    return call


def test_a_run_leaves_what_the_readme_promises(capsys):
    assert softmax.main([*QUICK, "--save-every", "2", "--run-dir", "run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "generated: 9000 training, 1000 validation, 2000 test examples, drawn from strokes"
    )
    assert re.fullmatch(r"step 0, training accuracy 0(\.\d)? \(GENERATED digits\)", lines[1])
    assert re.fullmatch(
        r"test accuracy 0\.\d+ \(\d+ of 2000 GENERATED digits, not MNIST\)", lines[-1]
    )
    assert sorted(path.name for path in Path("run").iterdir()) == [
        "checkpoint",
        "config.json",
        "metrics.jsonl",
        "model.ckpt-2.data-00000-of-00001",
        "model.ckpt-2.index",
        "model.ckpt-3.data-00000-of-00001",
        "model.ckpt-3.index",
        "result.json",
    ]
    result = json.loads(Path("run/result.json").read_text())
    assert list(result) == [
        "model",
        "dataset",
        "train_examples",
        "validation_examples",
        "test_examples",
        "steps",
        "test_accuracy",
        "validation_accuracy",
        "loss",
        "seconds",
        "ms_per_step",
        "seed",
        "versions",
        "device",
        "weights_sha256",
        "sha256",
    ]
    assert (result["model"], result["dataset"], result["steps"]) == ("softmax", "generated", 3)
    assert result["test_accuracy"] * 2000 == pytest.approx(int(lines[-1].split("(")[1].split()[0]))
    metrics = [json.loads(line) for line in Path("run/metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in metrics] == [0, 1, 2]
    assert metrics[0]["loss"] == pytest.approx(5 * np.log(10), rel=1e-5)
    config = json.loads(Path("run/config.json").read_text())
    assert (config["dataset"], config["batch_size"]) == ("generated", 5)


@pytest.mark.parametrize(("program", "seeds"), [(cnn, "11"), (softmax, "12")])
def test_two_runs_of_one_seed_agree_in_bits_and_two_seeds_do_not(program, seeds):
    fingerprints = set()
    for number, seed in enumerate(seeds):
        program.main([*QUICK, "--seed", seed, "--run-dir", f"run{number}"])
        result = json.loads(Path(f"run{number}/result.json").read_text())
        fingerprints.add(result["weights_sha256"])
    assert len(fingerprints) == len(set(seeds))


def test_a_recipe_is_recorded_with_all_that_it_sets_and_flags_go_over_it():
    assert softmax.main(["--recipe", "best", *QUICK, "--run-dir", "softmax"]) == 0
    config = json.loads(Path("softmax/config.json").read_text())
    assert {name: config[name] for name in ("recipe", "steps", "schedule", "optimizer")} == {
        "recipe": "best",
        "steps": 3,
        "schedule": "one-cycle",
        "optimizer": "adam",
    }


def test_quiet_prints_the_test_accuracy_alone(capsys):
    softmax.main([*QUICK, "--quiet"])
    assert re.fullmatch(r"test accuracy .*\n", capsys.readouterr().out)


def test_restore_evaluates_and_writes_nothing(capsys):
    softmax.main([*QUICK, "--run-dir", "run"])
    trained = capsys.readouterr().out.splitlines()[-1]
    before = sorted(Path().rglob("*"))
    assert softmax.main(["--restore", "run", "--dataset", "generated"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == trained
    assert sorted(Path().rglob("*")) == before


def test_restore_with_steps_trains_on_in_a_new_run(capsys):
    softmax.main([*QUICK, "--run-dir", "first"])
    softmax.main([*QUICK, "--restore", "first", "--run-dir", "second"])
    metrics = Path("second/metrics.jsonl").read_text().splitlines()
    assert json.loads(metrics[0])["step"] == 0
    assert json.loads(metrics[0])["loss"] != pytest.approx(5 * np.log(10), rel=1e-5)
    assert "restored first/model.ckpt-3\n" in capsys.readouterr().out


@pytest.mark.parametrize("program", PROGRAMS)
def test_shipped_weights_restore_from_anywhere(program, capsys):
    assert PROGRAMS[program](["--restore", "--dataset", "generated", "--quiet"]) == 0
    assert re.match(r"test .*accuracy 0\.[3-9]", capsys.readouterr().out)


@pytest.mark.mnist
@pytest.mark.parametrize(
    ("program", "floor"), [("softmax", 0.91), ("cnn", 0.9955), ("mlp", 0.5), ("fnn", 0.8)]
)
def test_shipped_weights_have_the_accuracy_they_are_said_to_have(program, floor, mnist_dir, capsys):
    assert PROGRAMS[program](["--restore", "--data-dir", mnist_dir, "--quiet"]) == 0
    accuracy = float(capsys.readouterr().out.split("accuracy ")[1].split()[0])
    shipped = Path(softmax.__file__).parents[1] / "saved" / program / "result.json"
    assert accuracy >= floor
    assert accuracy == pytest.approx(json.loads(shipped.read_text())["test_accuracy"], abs=2e-4)


def test_ctrl_c_while_data_is_read_exits_130(monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(data, "load", interrupt)
    assert softmax.main([]) == 130
    assert capsys.readouterr().err == "softmax: stopped; no run was under way\n"


# Mistakes ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--batch-size", "0"],
            "--batch-size: expected a whole number from 1 up to 60000, found 0",
        ),
        (["--steps", "-1"], "--steps: expected a whole number from 1, found -1"),
        (["--steps", "many"], "argument --steps: expected a whole number from 1, found 'many'"),
        (["--keep-prob", "0"], "--keep-prob: expected a number above 0 up to 1, found 0.0"),
        (["--keep-prob", "1.5"], "--keep-prob: expected a number above 0 up to 1, found 1.5"),
        (["--learning-rate", "nan"], "--learning-rate: expected a number above 0, found nan"),
        (["--dataset", "cifar"], "--dataset: expected one of auto, mnist, fashion-mnist, kmnist"),
        (["--optimizer", "adams"], "expected one of gradient-descent, adam, found 'adams'"),
        (["--recipe", "slow"], "--recipe: expected one of tutorial, fast, best, found 'slow'"),
        (["--restore", "--recipe", "best"], "evaluates: leave out --recipe"),
        (["--xyz", "3"], "unrecognized arguments: --xyz 3; --help lists the flags"),
        (["--stepz", "3"], "unrecognized arguments: --stepz 3; did you mean --steps? --help lists"),
        (["--seed", "3000000000"], "--seed: expected a whole number from 0 up to 2147483647"),
        (["--intra-op-threads", "3000000000"], "expected a whole number from 1 up to 1024"),
        (["--restore", ""], "argument --restore: expected a path, found an empty word"),
        (["--restore", "x" * 300], "cannot be read: File name too long"),
        (["--resume", "x" * 300], "expected the directory of a run"),
        (["--run-dir", "run[1]"], "TensorFlow expands [ ] in the path of a checkpoint"),
        (["--restore", "nowhere"], "nowhere is not a checkpoint: expected a directory"),
        (["--restore", "."], "has no checkpoint: expected PREFIX.index"),
        (["--restore", "--learning-rate", "1"], "evaluates: leave out --learning-rate"),
        (["--restore", "--run-dir", "x"], "evaluates: leave out --run-dir"),
        (["--eval-only"], "add --restore [CHECKPOINT]"),
        (["--resume"], "there is no interrupted run in "),
        (["--resume", "nowhere"], "--resume nowhere: expected the directory of a run"),
        (["--resume", "."], "config.json is missing: . is not a run directory"),
        (["--resume", ".", "--steps", "5"], "keeps the run's own settings: leave out --steps"),
        (["--resume", ".", "--restore"], "leave out --restore and --run-dir"),
        (["--data-dir", "nowhere"], "nowhere: expected train-images-idx3-ubyte"),
        (["--dataset", "mnist"], "DEEP_MNIST_OFFLINE"),
    ],
)
def test_a_mistake_is_told_in_one_line(fails, arguments, message):
    assert message in fails("cnn", *arguments)


def test_bfloat16_is_refused_where_the_processor_has_none(fails, monkeypatch):
    monkeypatch.setattr(mixed_precision, "FEATURES", {"of no processor"})
    message = fails("cnn", "--precision", "bfloat16")
    assert "expected a processor with avx512_bf16 or amx_bf16" in message


def test_a_run_directory_that_is_used_is_refused_and_left_alone(fails):
    Path("run").mkdir()
    Path("run/notes.txt").write_text("mine")
    assert "run exists and is not empty" in fails("softmax", *QUICK, "--run-dir", "run")
    assert [path.name for path in Path("run").iterdir()] == ["notes.txt"]


def test_a_run_directory_that_cannot_be_made_is_refused(fails):
    Path("file").touch()
    assert "file/run can't be used: Not a directory" in fails(
        "softmax", *QUICK, "--run-dir", "file/run"
    )


def test_the_other_models_checkpoint_is_refused(capfd):
    softmax.main([*QUICK, "--run-dir", "run"])
    capfd.readouterr()  # and what TensorFlow's native code says to the file descriptor
    assert cnn.main(["--restore", "run", "--dataset", "generated"]) == 2
    assert capfd.readouterr().err == (
        "error: cnn: checkpoint run/model.ckpt-3 has no variable W_conv1 [5, 5, 1, 32], "
        "b_conv1 [32], W_conv2 [5, 5, 32, 64], b_conv2 [64], W_fc1 [3136, 1024], b_fc1 [1024], "
        "W_fc2 [1024, 10], found W float32[784, 10]\n"
        "hint: it is a checkpoint of softmax; restore it with: "
        "python -m deep_mnist.softmax --restore run\n"
    )


def test_the_other_models_run_is_not_resumed(capsys):
    softmax.main([*QUICK, "--run-dir", "run"])
    capsys.readouterr()
    assert cnn.main(["--resume", "run"]) == 2
    assert capsys.readouterr().err == (
        "cnn: run is a run of softmax: python -m deep_mnist.softmax --resume\n"
    )
    Path("run/result.json").unlink()
    assert cnn.main(["--resume", "run"]) == 2
    assert capsys.readouterr().err == (
        "cnn: run/config.json is not of a run of this program: "
        "augmentation, average_decay, beta2, keep_prob, plain_steps, precision missing, "
        "nothing unexpected\n"
    )


def test_a_checkpoint_without_its_data_is_refused(capsys):
    softmax.main([*QUICK, "--run-dir", "run"])
    Path("run/model.ckpt-3.data-00000-of-00001").unlink()
    capsys.readouterr()
    assert softmax.main(["--restore", "run", "--dataset", "generated"]) == 2
    assert "model.ckpt-3.data-00000-of-00001 is missing" in capsys.readouterr().err


def test_a_loss_that_is_no_number_stops_the_run(capsys):
    arguments = [*QUICK, "--learning-rate", "1e38", "--run-dir", "run"]
    assert softmax.main(arguments) == 2
    said = capsys.readouterr().err
    assert re.match(r"softmax: the loss is (nan|inf) at step \d, with --learning-rate 1e\+38", said)


def test_weights_that_are_no_numbers_are_not_saved(capsys):
    arguments = [*QUICK, "--log-every", "100", "--learning-rate", "1e38", "--save-every", "1"]
    assert softmax.main([*arguments, "--steps", "40", "--run-dir", "run"]) == 2
    match = re.match(
        r"softmax: the weights are not finite after step (\d+), with "
        r"--learning-rate 1e\+38 and --loss stable: what was learnt is lost; start again with",
        capsys.readouterr().err,
    )
    assert match
    saved = {int(path.stem.split("-")[1]) for path in Path("run").glob("model.ckpt-*.index")}
    assert max(saved, default=0) < int(match.group(1))


def test_a_model_that_answers_the_same_to_everything_is_told(capsys):
    weights = {"W": np.zeros((784, 10), np.float32), "b": np.eye(10, dtype=np.float32)[7]}
    np.savez("sevens.npz", **weights)
    assert softmax.main(["--restore", "sevens.npz", "--dataset", "generated"]) == 0
    assert capsys.readouterr().err == (
        "softmax: the model answers only 7, whatever it is shown: "
        "it has not learnt to tell the digits apart\n"
    )


def test_a_loss_that_is_no_number_is_no_result_either(capsys):
    arguments = [*QUICK, "--steps", "1", "--learning-rate", "1e36", "--run-dir", "run"]
    assert softmax.main(arguments) == 2
    assert re.match(r"softmax: the loss is (nan|inf) at the end, with", capsys.readouterr().err)
    assert not Path("run/result.json").exists()


@pytest.fixture
def tiny_mnist(tmp_path, monkeypatch):
    """A folder with a set of ten digits that passes for MNIST in this test."""
    arrays = {
        "train-images-idx3-ubyte": np.zeros((6, 28, 28), np.uint8),
        "train-labels-idx1-ubyte": np.arange(6, dtype=np.uint8),
        "t10k-images-idx3-ubyte": np.zeros((4, 28, 28), np.uint8),
        "t10k-labels-idx1-ubyte": np.arange(4, dtype=np.uint8),
    }
    mnist = registry.DATASETS["mnist"]
    known = [
        file._replace(shape=array.shape, payload_sha256=idx.payload_sha256(array))
        for file, array in zip(mnist.files, arrays.values(), strict=True)
    ]
    monkeypatch.setitem(registry.DATASETS, "mnist", mnist._replace(files=tuple(known)))
    folder = tmp_path / "tiny"
    folder.mkdir()
    for name, array in arrays.items():
        idx.write(folder / name, array)
    return folder


@pytest.mark.parametrize("size", [0, 1, 15, 16, 1000, 6 * 784 + 15])
def test_truncated_images_are_refused(fails, tiny_mnist, size):
    with (tiny_mnist / "train-images-idx3-ubyte").open("r+b") as file:
        file.truncate(size)
    said = fails("softmax", "--data-dir", str(tiny_mnist))
    assert re.search(r"train-images-idx3-ubyte: .*(empty|truncated)", said)


def test_a_web_page_instead_of_data_is_refused(fails, tiny_mnist):
    (tiny_mnist / "train-images-idx3-ubyte").write_text("<!DOCTYPE html><title>Log in</title>")
    said = fails("softmax", "--data-dir", str(tiny_mnist))
    assert "train-images-idx3-ubyte: " in said
    assert "page" in said


def test_labels_under_an_images_name_are_refused(fails, tiny_mnist):
    labels = (tiny_mnist / "train-labels-idx1-ubyte").read_bytes()
    (tiny_mnist / "train-images-idx3-ubyte").write_bytes(labels)
    said = fails("softmax", "--data-dir", str(tiny_mnist))
    assert (
        "train-images-idx3-ubyte: expected images (magic number 2051), "
        "found labels (magic number 2049)"
    ) in said


def test_digits_that_are_not_mnists_are_refused(fails, tiny_mnist):
    idx.write(tiny_mnist / "train-images-idx3-ubyte", np.ones((6, 28, 28), np.uint8))
    said = fails("softmax", "--data-dir", str(tiny_mnist))
    assert "train-images-idx3-ubyte: expected train-images-idx3-ubyte of MNIST with SHA-256" in said


def test_a_missing_file_is_named(fails, tiny_mnist):
    (tiny_mnist / "t10k-labels-idx1-ubyte").unlink()
    assert "missing t10k-labels-idx1-ubyte (raw or .gz) of MNIST" in fails(
        "softmax", "--data-dir", str(tiny_mnist)
    )


def test_without_tensorflow_one_sentence_says_what_is_needed(monkeypatch, fails):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    assert fails("softmax") == (
        "softmax: TensorFlow is not installed: this command needs TensorFlow 2.16 or newer, "
        "on Python 3.10 to 3.13; pip install tensorflow\n"
    )


# Listings ---------------------------------------------------------------------


def test_the_package_lists_its_commands(capsys):
    assert listing.main([]) == 0
    printed = capsys.readouterr().out
    assert re.findall(r"python -m deep_mnist\.(\w+)", printed) == [
        *PROGRAMS,
        "predict",
        "serve",
        "export",
        "report",
        "legacy",
    ]


def test_a_command_given_as_an_argument_is_told_how_it_is_called(capsys):
    assert listing.main(["cnn", "--steps", "3"]) == 2
    assert capsys.readouterr().err == (
        "deep_mnist: commands are modules, with a dot: python -m deep_mnist.cnn\n"
    )
    with pytest.raises(SystemExit) as stopped:
        listing.main(["train"])
    assert stopped.value.code == 2
    assert "python -m deep_mnist.COMMAND [flags]" in capsys.readouterr().err


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_names_every_flag_and_loads_no_tensorflow(program):
    code = (
        "import runpy, sys; sys.argv = ['x', '--help']\n"
        f"try: runpy.run_module('deep_mnist.{program}', run_name='__main__')\n"
        "except SystemExit as done: print('exit', done.code, 'tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for flag in (
        "--steps --batch-size --learning-rate --seed --dataset --data-dir --run-dir --resume "
        "--restore --eval-only --log-every --save-every --quiet"
    ).split():
        assert f"  {flag} " in done.stdout
    assert done.stdout.endswith("exit 0 False\n")


def test_a_path_that_is_no_utf8_is_taken_where_it_can_be_and_told_elsewhere(capsys, monkeypatch):
    name = os.fsdecode(b"run\xff")
    of_fnn = ["--dataset", "generated", "--steps", "1", "--batch-size", "9000"]
    fnn.main([*of_fnn, "--run-dir", name])
    assert Path(name, "result.json").exists()
    capsys.readouterr()
    assert softmax.main([*QUICK, "--run-dir", f"{name}2"]) == 2
    assert "TensorFlow supports only paths in UTF-8" in capsys.readouterr().err
    assert not Path(f"{name}2").exists()
    strict = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="strict", write_through=True)
    monkeypatch.setattr(sys, "stdout", strict)
    assert fnn.main([*of_fnn, "--run-dir", f"{name}3"]) == 0
    assert b"saved run\\udcff3\n" in strict.buffer.getvalue()


def test_a_message_is_one_line_whatever_the_name_in_it(capsys):
    assert softmax.main(["--restore", "a\nb\x1b[2J", "--dataset", "generated"]) == 2
    assert capsys.readouterr().err.startswith("softmax: a\\nb\\x1b[2J is no checkpoint")


def test_weights_that_are_no_numbers_are_not_trained_on(capsys):
    np.savez("nan.npz", W=np.full((784, 10), np.nan, np.float32), b=np.zeros(10, np.float32))
    assert softmax.main([*QUICK, "--restore", "nan.npz", "--run-dir", "run"]) == 2
    assert "the weights of nan.npz hold numbers that are not finite" in capsys.readouterr().err
    assert not Path("run").exists()


def test_names_in_a_file_print_no_line_of_their_own(capsys):
    weights = {
        "W": np.zeros((784, 10), np.float32),
        "b\ntest accuracy 1.0": np.zeros(10, np.float32),
    }
    np.savez("forged.npz", **{"\x1b[2J" + name: value for name, value in weights.items()})
    assert softmax.main(["--restore", "forged.npz", "--dataset", "generated"]) == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert [line for line in printed.splitlines() if line.startswith("test accuracy 1")] == []


@pytest.mark.parametrize("changed", [{"test_accuracy": 73.5}, {"steps": -3}, {"steps": "\x1b[2J"}])
def test_a_result_that_can_not_be_is_no_result(changed, capsys):
    softmax.main([*QUICK, "--run-dir", "run"])
    result = json.loads(Path("run/result.json").read_text())
    del result["sha256"]
    Path("run/result.json").write_text(json.dumps({**result, **changed}))
    assert softmax.main(["--resume", "run"]) == 2
    assert "run/result.json can't be read as a result" in capsys.readouterr().err
