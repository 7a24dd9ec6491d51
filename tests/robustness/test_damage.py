"""A dozen cases of damage.py: commands that read a damaged file."""

import json
import shutil
from pathlib import Path

import pytest

from deep_mnist import fnn, mlp, predict, softmax
from deep_mnist.data import dataset, synthetic
from deep_mnist.legacy import checkpoint
from deep_mnist.report import __main__ as report
from deep_mnist.vision import image

SYNTHETIC = ["--dataset", "generated"]
SHORT = [*SYNTHETIC, "--steps", "6", "--save-every", "2", "--log-every", "1"]
PROGRAMS = {"softmax": softmax, "fnn": fnn, "mlp": mlp}


def use_small_dataset(patch):
    """300 synthetic digits are enough to distinguish weights."""
    for name, count in (("EXAMPLES", 300), ("VALIDATION", 50), ("TEST", 100)):
        patch.setattr(dataset, f"SYNTHETIC_{name}", count)


@pytest.fixture(autouse=True)
def _small_dataset(monkeypatch):
    use_small_dataset(monkeypatch)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Directory with a finished run of each program."""
    directory = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        use_small_dataset(patch)
        for name, program in PROGRAMS.items():
            more = ["--variant", "raw-pixels"] if name == "mlp" else ["--batch-size", "50"]
            run_dir = ["--run-dir", str(directory / name)]
            assert program.main([*SHORT, *more, *run_dir, "--quiet"]) == 0
    return directory


@pytest.fixture
def copy_killed_run(runs):
    """A function that copies a run to `run`, as if killed before its last step was saved."""

    def copy(program):
        shutil.copytree(runs / program, "run")
        for path in [Path("run/result.json"), *Path("run").glob("model*-6.*")]:
            path.unlink()

    return copy


def weights_sha256(run):
    return json.loads(Path(run, "result.json").read_text())["weights_sha256"]


def flip_bit(name, position):
    path = Path("run", name)
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def error_of(capsys, program, *arguments):
    """Call a command that must fail with one error message, and return the message."""
    capsys.readouterr()
    assert program.main(list(arguments)) == 2
    lines = capsys.readouterr().err.splitlines()
    (error,) = [line for line in lines if line.startswith("error: ")]
    assert all(line.startswith(("error: ", "hint: ", "warning: ")) for line in lines)
    return error


@pytest.mark.parametrize(
    ("program", "name", "position"),
    [
        ("softmax", "model.ckpt-4.data-00000-of-00001", 20_000),
        ("softmax", "model.ckpt-4.index", 20),  # in the entries
        ("softmax", "model.ckpt-4.index", -45),  # in the footer: position of the index block
        ("softmax", "model.ckpt-4.index", -1),  # in the magic number
        ("fnn", "model-4.npz", 300_000),
        ("fnn", "model-4.npz", 110),  # in the header of W1: another shape
        ("fnn", "model-4.npz", -5),  # in the directory of the zip archive
    ],
)
def test_a_run_is_resumed_from_the_newest_undamaged_checkpoint(
    runs, copy_killed_run, capsys, program, name, position
):
    copy_killed_run(program)
    flip_bit(name, position)
    capsys.readouterr()
    assert PROGRAMS[program].main(["--resume", "run"]) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith(f"warning: {program}: skipped: checkpoint run/model")
    assert printed.err.count("\n") == 1
    assert "resuming run after step 2\n" in printed.out
    assert weights_sha256("run") == weights_sha256(runs / program)
    assert Path("run", f"{name}.damaged").exists()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b'model_checkpoint_path: "/\0"', None])
def test_a_run_is_resumed_without_the_state_file(runs, copy_killed_run, content):
    copy_killed_run("softmax")
    Path("run/checkpoint").unlink()
    if content is not None:
        Path("run/checkpoint").write_bytes(content)
    assert softmax.main(["--resume", "run", "--quiet"]) == 0
    assert weights_sha256("run") == weights_sha256(runs / "softmax")


def test_damaged_reports_do_not_stop_a_run_and_are_kept(runs, copy_killed_run, capsys):
    copy_killed_run("fnn")
    flip_bit("metrics.jsonl", 40)
    damaged = Path("run/metrics.jsonl").read_bytes()
    capsys.readouterr()
    assert fnn.main(["--resume", "run", "--quiet"]) == 0
    assert capsys.readouterr().err == (
        "warning: fnn: skipped 1 damaged lines of run/metrics.jsonl, "
        "kept as run/metrics.jsonl.damaged\n"
    )
    assert Path("run/metrics.jsonl.damaged").read_bytes() == damaged
    assert weights_sha256("run") == weights_sha256(runs / "fnn")


def test_altered_settings_are_an_error(copy_killed_run, capsys):
    copy_killed_run("softmax")
    config = Path("run/config.json").read_text()
    Path("run/config.json").write_text(config.replace('"seed": 0', '"seed": 1'))
    message = "run/config.json was altered: its values do not match its sha256"
    assert error_of(capsys, softmax, "--resume", "run") == f"error: softmax: {message}"
    assert error_of(capsys, report, "run") == f"error: report: {message}"


def test_an_altered_result_is_an_error(runs, capsys):
    shutil.copytree(runs / "softmax", "run")
    result = Path("run/result.json").read_text()
    Path("run/result.json").write_text(result.replace('"test_accuracy": 0', '"test_accuracy": 1'))
    assert error_of(capsys, softmax, "--resume", "run") == (
        "error: softmax: run/result.json was altered: its values do not match its sha256"
    )


@pytest.mark.parametrize("damage", ["truncate", "alter", "empty"])
def test_weights_are_not_restored_with_damaged_settings(runs, capsys, damage):
    """Weights for raw pixels would give wrong predictions for scaled ones."""
    shutil.copytree(runs / "mlp", "run")
    config = Path("run/config.json").read_text()
    damaged = {
        "truncate": config[:200],
        "alter": config.replace("raw-pixels", "scaled"),
        "empty": "",
    }[damage]
    Path("run/config.json").write_text(damaged)
    error = error_of(capsys, mlp, "--restore", "run", *SYNTHETIC)
    assert error.startswith("error: mlp: run/config.json ")


def test_weights_without_settings_are_restored_with_a_warning(runs, capsys):
    shutil.copytree(runs / "mlp", "run")
    Path("run/config.json").unlink()
    capsys.readouterr()
    assert mlp.main(["--restore", "run", *SYNTHETIC]) == 0
    assert (
        "warning: mlp: no config.json with --variant next to run/model.ckpt-6: assumed scaled\n"
        in capsys.readouterr().err
    )
    assert mlp.main(["--restore", "run", *SYNTHETIC, "--variant", "raw-pixels"]) == 0
    assert "assumed" not in capsys.readouterr().err


def test_a_run_that_lost_the_weights_it_started_from_is_not_resumed(runs, capsys):
    restored = ["--restore", str(runs / "fnn"), "--run-dir", "run", "--quiet"]
    assert fnn.main([*SHORT, "--batch-size", "50", *restored]) == 0
    for path in [Path("run/result.json"), *Path("run").glob("*.npz")]:
        path.unlink()
    error = error_of(capsys, fnn, "--resume", "run")
    assert error.startswith("error: fnn: run has no checkpoint left, and started from the weights ")


def test_other_commands_report_a_damaged_checkpoint(runs, capsys):
    shutil.copytree(runs / "softmax", "run")
    images, _ = synthetic.digits(1, 7)
    image.write_png(Path("digit.png"), images[0])
    flip_bit("model.ckpt-6.data-00000-of-00001", 20_000)
    arguments = ["--model", "softmax", "--restore", "run", "digit.png"]
    assert "model.ckpt-6 is damaged" in error_of(capsys, predict, *arguments)
    assert "model.ckpt-6 is damaged" in error_of(capsys, checkpoint, "run")
