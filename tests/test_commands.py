"""Programs as users start them: what they print, the files they write, and their errors."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deep_mnist import cnn, data, fnn, mlp, softmax
from deep_mnist.data import idx, registry
from deep_mnist.training.config import available_cpus

PROGRAMS = {"softmax": softmax.main, "cnn": cnn.main, "mlp": mlp.main, "fnn": fnn.main}
QUICK = ["--dataset", "generated", "--steps", "3", "--batch-size", "5", "--log-every", "1"]


def result_of(run):
    return json.loads(Path(run, "result.json").read_text())


# Training ---------------------------------------------------------------------


def test_a_run_prints_its_progress_and_leaves_a_run_directory(capsys):
    assert softmax.main([*QUICK, "--save-every", "2", "--run-dir", "run"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = printed.out.splitlines()
    assert lines[0] == (
        "generated: 9000 training, 1000 validation, 2000 test examples, drawn from strokes"
    )
    assert re.fullmatch(r"step 0, training accuracy 0(\.\d)? \(SYNTHETIC digits\)", lines[1])
    assert lines[4] == "saved run"
    assert re.fullmatch(
        r"validation accuracy 0\.\d+ \(\d+ of 1000 SYNTHETIC digits, not MNIST\)", lines[5]
    )
    assert re.fullmatch(
        r"test accuracy 0\.\d+ \(\d+ of 2000 SYNTHETIC digits, not MNIST\)", lines[6]
    )
    assert len(lines) == 7
    assert sorted(path.name for path in Path("run").iterdir()) == [
        ".lock",
        "checkpoint",
        "config.json",
        "metrics.jsonl",
        "model.ckpt-2.data-00000-of-00001",
        "model.ckpt-2.index",
        "model.ckpt-3.data-00000-of-00001",
        "model.ckpt-3.index",
        "result.json",
    ]
    assert Path("run/checkpoint").read_text() == (
        'model_checkpoint_path: "model.ckpt-3"\n'
        'all_model_checkpoint_paths: "model.ckpt-2"\n'
        'all_model_checkpoint_paths: "model.ckpt-3"\n'
    )
    result = result_of("run")
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


def test_config_json_has_every_setting():
    softmax.main([*QUICK, "--run-dir", "run"])
    config = json.loads(Path("run/config.json").read_text())
    assert config.pop("intra_op_threads") == config.pop("inter_op_threads") == available_cpus()
    assert len(config.pop("sha256")) == 64
    assert config == {
        "model": "softmax",
        "steps": 3,
        "batch_size": 5,
        "learning_rate": 0.01,
        "loss": "stable",
        "dataset": "generated",
        "seed": 0,
        "log_every": 1,
        "save_every": 500,
        "keep": 5,
        "recipe": "tutorial",
        "initialization": "tutorial",
        "optimizer": "gradient-descent",
        "schedule": "constant",
        "beta2": 0.999,
        "weight_decay": 0.0,
        "label_smoothing": 0.0,
        "augmentation": "none",
        "plain_steps": 0,
        "precision": "float32",
    }


def test_a_run_without_run_dir_is_saved_under_its_program_and_time(capsys):
    softmax.main(QUICK)
    (directory,) = Path("saved/runs/softmax").iterdir()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ", directory.name)
    assert (directory / "result.json").exists()
    assert f"saved {directory}\n" in capsys.readouterr().out


@pytest.mark.parametrize("program", ["cnn", "softmax", "mlp", "fnn"])
def test_two_runs_of_one_seed_agree_in_bits(program):
    digests = set()
    for number in (1, 2):
        PROGRAMS[program]([*QUICK, "--seed", "1", "--run-dir", f"run{number}"])
        digests.add(result_of(f"run{number}")["weights_sha256"])
    assert len(digests) == 1


@pytest.mark.parametrize("program", ["softmax", "fnn"])
def test_runs_of_two_seeds_differ(program):
    digests = set()
    for seed in ("1", "2"):
        PROGRAMS[program]([*QUICK, "--seed", seed, "--run-dir", f"run{seed}"])
        digests.add(result_of(f"run{seed}")["weights_sha256"])
    assert len(digests) == 2


def test_the_settings_of_a_recipe_are_recorded_and_flags_override_them():
    assert softmax.main(["--recipe", "best", *QUICK, "--run-dir", "softmax"]) == 0
    config = json.loads(Path("softmax/config.json").read_text())
    assert {name: config[name] for name in ("recipe", "steps", "schedule", "optimizer")} == {
        "recipe": "best",
        "steps": 3,
        "schedule": "one-cycle",
        "optimizer": "adam",
    }


def test_quiet_prints_only_the_test_accuracy(capsys):
    softmax.main([*QUICK, "--quiet"])
    assert re.fullmatch(r"test accuracy .*\n", capsys.readouterr().out)


def test_standard_error_is_empty_in_a_process_of_its_own():
    done = subprocess.run(
        [sys.executable, "-m", "deep_mnist.softmax", *QUICK], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("test accuracy 0.")


def test_without_mnist_a_warning_in_capital_letters_precedes_synthetic_digits(capsys):
    assert softmax.main(["--steps", "1"]) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith("warning: MNIST IS NEITHER ON DISK NOR REACHABLE. CONTINUING ")
    assert printed.out.startswith("generated: ")
    assert printed.out.endswith(" SYNTHETIC digits, not MNIST)\n")
    (run,) = Path("saved/runs/softmax").iterdir()
    assert json.loads((run / "config.json").read_text())["dataset"] == "generated"


def test_ctrl_c_while_data_is_loaded_exits_with_130(monkeypatch, capsys):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(data, "load_data_or_synthetic", interrupt)
    assert softmax.main([]) == 130
    assert capsys.readouterr().err == "softmax: stopped before the first step\n"


# Restoring --------------------------------------------------------------------


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
def test_the_pretrained_weights_can_be_restored_in_any_directory(program, capsys):
    assert PROGRAMS[program](["--restore", "--dataset", "generated", "--quiet"]) == 0
    assert re.match(r"test .*accuracy 0\.[3-9]", capsys.readouterr().out)


@pytest.mark.mnist
@pytest.mark.parametrize(
    ("program", "floor"), [("softmax", 0.91), ("cnn", 0.9955), ("mlp", 0.5), ("fnn", 0.8)]
)
def test_the_pretrained_weights_have_their_documented_accuracy(program, floor, mnist_dir, capsys):
    assert PROGRAMS[program](["--restore", "--data-dir", mnist_dir, "--quiet"]) == 0
    accuracy = float(capsys.readouterr().out.split("accuracy ")[1].split()[0])
    documented = result_of(Path(softmax.__file__).parents[1] / "saved" / program)["test_accuracy"]
    assert accuracy >= floor
    assert accuracy == pytest.approx(documented, abs=2e-4)


def test_the_checkpoint_of_another_program_is_an_error(capfd):
    softmax.main([*QUICK, "--run-dir", "run"])
    capfd.readouterr()  # TensorFlow's native code writes to the file descriptor when it is imported
    assert cnn.main(["--restore", "run", "--dataset", "generated"]) == 2
    assert capfd.readouterr().err == (
        "error: cnn: checkpoint run/model.ckpt-3 has no variable W_conv1 [5, 5, 1, 32], "
        "b_conv1 [32], W_conv2 [5, 5, 32, 64], b_conv2 [64], W_fc1 [3136, 1024], b_fc1 [1024], "
        "W_fc2 [1024, 10], found W float32[784, 10]\n"
        "hint: it is a checkpoint of softmax; restore it with: "
        "python -m deep_mnist.softmax --restore run\n"
    )


def test_a_checkpoint_without_its_data_file_is_an_error(capsys):
    softmax.main([*QUICK, "--run-dir", "run"])
    Path("run/model.ckpt-3.data-00000-of-00001").unlink()
    capsys.readouterr()
    assert softmax.main(["--restore", "run", "--dataset", "generated"]) == 2
    assert capsys.readouterr().err == (
        "error: softmax: checkpoint run/model.ckpt-3 is damaged "
        "(model.ckpt-3.data-00000-of-00001 is missing)\n"
        "hint: restore another checkpoint\n"
    )


def test_names_of_variables_in_a_file_cannot_add_lines_to_the_output(capsys):
    weights = {
        "W": np.zeros((784, 10), np.float32),
        "b\ntest accuracy 1.0": np.zeros(10, np.float32),
    }
    np.savez("forged.npz", **{"\x1b[2J" + name: value for name, value in weights.items()})
    assert softmax.main(["--restore", "forged.npz", "--dataset", "generated"]) == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert [line for line in printed.splitlines() if line.startswith("test accuracy 1")] == []


# Models that cannot be used ---------------------------------------------------


def test_a_loss_that_is_not_finite_stops_the_run(capsys):
    arguments = [*QUICK, "--learning-rate", "1e38", "--run-dir", "run"]
    assert softmax.main(arguments) == 2
    assert re.fullmatch(
        r"error: softmax: training diverged: the loss is (nan|inf) at step \d with "
        r"--learning-rate 1e\+38\nhint: start again with a smaller --learning-rate\n",
        capsys.readouterr().err,
    )


def test_weights_that_are_not_finite_are_not_saved(capsys):
    arguments = [*QUICK, "--log-every", "100", "--learning-rate", "1e38", "--save-every", "1"]
    assert softmax.main([*arguments, "--steps", "40", "--run-dir", "run"]) == 2
    match = re.fullmatch(
        r"error: softmax: training diverged: the weights are non-finite after step (\d+) with "
        r"--learning-rate 1e\+38\nhint: start again with a smaller --learning-rate\n",
        capsys.readouterr().err,
    )
    assert match
    saved = {int(path.stem.split("-")[1]) for path in Path("run").glob("model.ckpt-*.index")}
    assert max(saved, default=0) < int(match.group(1))


def test_a_test_loss_that_is_not_finite_leaves_no_result(capsys):
    arguments = [*QUICK, "--steps", "1", "--learning-rate", "1e36", "--run-dir", "run"]
    assert softmax.main(arguments) == 2
    assert re.match(
        r"error: softmax: training diverged: the test loss is (nan|inf) with ",
        capsys.readouterr().err,
    )
    assert not Path("run/result.json").exists()


def test_weights_that_are_not_finite_are_not_trained_on(capsys):
    np.savez("nan.npz", W=np.full((784, 10), np.nan, np.float32), b=np.zeros(10, np.float32))
    assert softmax.main([*QUICK, "--restore", "nan.npz", "--run-dir", "run"]) == 2
    assert capsys.readouterr().err == (
        "error: softmax: the weights of nan.npz are non-finite\nhint: restore another checkpoint\n"
    )
    assert not Path("run").exists()


def test_evaluating_weights_that_are_not_finite_prints_a_warning(capsys):
    np.savez("nan.npz", W=np.full((784, 10), np.nan, np.float32), b=np.zeros(10, np.float32))
    assert softmax.main(["--restore", "nan.npz", "--dataset", "generated"]) == 0
    assert capsys.readouterr().err == (
        "warning: softmax: the loss is nan: the weights of nan.npz are non-finite or too large\n"
    )


def test_a_model_that_predicts_one_class_for_all_images_is_reported(capsys):
    weights = {"W": np.zeros((784, 10), np.float32), "b": np.eye(10, dtype=np.float32)[7]}
    np.savez("sevens.npz", **weights)
    assert softmax.main(["--restore", "sevens.npz", "--dataset", "generated"]) == 0
    assert capsys.readouterr().err == (
        "warning: softmax: the model predicts only 7: it has not learned to distinguish the "
        "classes\n"
    )


# Datasets ---------------------------------------------------------------------


@pytest.fixture
def fails(capsys):
    """Calls softmax, which must fail with exit code 2, and returns what it printed."""

    def call(*arguments):
        assert softmax.main(list(arguments)) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith("error: softmax: ")
        assert printed.err.count("\n") <= 2
        return printed.err

    return call


@pytest.fixture
def tiny_mnist(tmp_path, monkeypatch):
    """A directory with ten images that are verified as MNIST in this test."""
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
    directory = tmp_path / "tiny"
    directory.mkdir()
    for name, array in arrays.items():
        idx.write(directory / name, array)
    return directory


def test_a_dataset_that_is_named_is_never_replaced_by_synthetic_digits(fails):
    assert fails("--dataset", "mnist").startswith(
        "error: softmax: MNIST is not on disk, and DEEP_MNIST_OFFLINE forbids downloading it\nhint:"
    )


def test_a_data_dir_that_does_not_exist_is_an_error(fails):
    assert fails("--data-dir", "nowhere").startswith(
        "error: softmax: nowhere: expected train-images-idx3-ubyte, "
    )


@pytest.mark.parametrize("size", [0, 1, 15, 16, 1000, 6 * 784 + 15])
def test_truncated_images_are_an_error(fails, tiny_mnist, size):
    with (tiny_mnist / "train-images-idx3-ubyte").open("r+b") as file:
        file.truncate(size)
    error = fails("--data-dir", str(tiny_mnist))
    assert re.search(r"train-images-idx3-ubyte: .*(empty|truncated)", error)


def test_a_web_page_instead_of_images_is_an_error(fails, tiny_mnist):
    (tiny_mnist / "train-images-idx3-ubyte").write_text("<!DOCTYPE html><title>Log in</title>")
    error = fails("--data-dir", str(tiny_mnist))
    assert "train-images-idx3-ubyte: " in error
    assert "page" in error


def test_labels_in_the_file_of_the_images_are_an_error(fails, tiny_mnist):
    labels = (tiny_mnist / "train-labels-idx1-ubyte").read_bytes()
    (tiny_mnist / "train-images-idx3-ubyte").write_bytes(labels)
    assert (
        "train-images-idx3-ubyte: expected images (magic number 2051), "
        "found labels (magic number 2049)"
    ) in fails("--data-dir", str(tiny_mnist))


def test_images_that_are_not_those_of_mnist_are_an_error(fails, tiny_mnist):
    idx.write(tiny_mnist / "train-images-idx3-ubyte", np.ones((6, 28, 28), np.uint8))
    assert (
        "train-images-idx3-ubyte: expected train-images-idx3-ubyte of MNIST with SHA-256"
    ) in fails("--data-dir", str(tiny_mnist))


def test_a_missing_file_is_named(fails, tiny_mnist):
    (tiny_mnist / "t10k-labels-idx1-ubyte").unlink()
    assert "missing t10k-labels-idx1-ubyte (raw or .gz) of MNIST" in fails(
        "--data-dir", str(tiny_mnist)
    )
