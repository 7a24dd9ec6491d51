"""Files that were damaged: the same weights as if they were not, or one line and exit code 2.

A dozen cases of what `benchmarks/damage.py` does two thousand times.
"""

import json
import shutil
from pathlib import Path

import pytest

from deep_mnist import fnn, mlp, predict, softmax
from deep_mnist.data import dataset, synthetic
from deep_mnist.legacy import checkpoint
from deep_mnist.report import __main__ as report
from deep_mnist.vision import image

QUICK = ["--dataset", "generated", "--steps", "6", "--save-every", "2", "--log-every", "1"]
PROGRAMS = {"softmax": softmax, "fnn": fnn, "mlp": mlp}


@pytest.fixture(autouse=True)
def _few_digits(monkeypatch):
    """Enough of the generated set to tell weights apart."""
    for name, count in (("EXAMPLES", 300), ("VALIDATION", 50), ("TEST", 100)):
        monkeypatch.setattr(dataset, f"SYNTHETIC_{name}", count)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Finished runs by program."""
    place = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        for name, count in (("EXAMPLES", 300), ("VALIDATION", 50), ("TEST", 100)):
            patch.setattr(dataset, f"SYNTHETIC_{name}", count)
        for name, program in PROGRAMS.items():
            more = ["--variant", "raw-pixels"] if name == "mlp" else ["--batch-size", "50"]
            assert program.main([*QUICK, *more, "--run-dir", str(place / name), "--quiet"]) == 0
    return place


@pytest.fixture
def killed(whole):
    """A function: a copy, as `run`, of a run that was killed before its last step was saved."""

    def copy(program):
        shutil.copytree(whole / program, "run")
        for path in [Path("run/result.json"), *Path("run").glob("model*-6.*")]:
            path.unlink()

    return copy


def fingerprint(run):
    return json.loads(Path(run, "result.json").read_text())["weights_sha256"]


def flip(name, position, bit=0):
    path = Path("run", name)
    content = bytearray(path.read_bytes())
    content[position] ^= 1 << bit
    path.write_bytes(content)


def refused(capsys, program, *arguments):
    """Calls a command that must refuse; returns its line."""
    capsys.readouterr()
    assert program.main(list(arguments)) == 2
    lines = capsys.readouterr().err.splitlines()
    told = [line for line in lines if "passed over: " not in line]
    assert len(told) == 1, lines
    return told[0]


@pytest.mark.parametrize(
    ("program", "name", "position"),
    [
        ("softmax", "model.ckpt-4.data-00000-of-00001", 20_000),
        ("softmax", "model.ckpt-4.index", 20),  # in the entries
        ("softmax", "model.ckpt-4.index", -45),  # in the footer: where the list of blocks is
        ("softmax", "model.ckpt-4.index", -1),  # its kind of file
        ("fnn", "model-4.npz", 300_000),
        ("fnn", "model-4.npz", 110),  # in the header of W1, which seems another model's
        ("fnn", "model-4.npz", -5),  # where the zip's directory is
    ],
)
def test_the_newest_whole_checkpoint_is_gone_on_from(
    whole, killed, capsys, program, name, position
):
    killed(program)
    flip(name, position)
    capsys.readouterr()
    assert PROGRAMS[program].main(["--resume", "run"]) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith(f"{program}: passed over: checkpoint run/model")
    assert printed.err.count("\n") == 1
    assert "going on with run after step 2\n" in printed.out
    assert fingerprint("run") == fingerprint(whole / program)
    assert Path("run", f"{name}.damaged").exists()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b'model_checkpoint_path: "/\0"', None])
def test_the_state_file_stops_no_one(whole, killed, content):
    killed("softmax")
    Path("run/checkpoint").unlink()
    if content is not None:
        Path("run/checkpoint").write_bytes(content)
    assert softmax.main(["--resume", "run", "--quiet"]) == 0
    assert fingerprint("run") == fingerprint(whole / "softmax")


def test_damaged_reports_stop_no_one_and_are_kept(whole, killed, capsys):
    killed("fnn")
    flip("metrics.jsonl", 40)
    damaged = Path("run/metrics.jsonl").read_bytes()
    capsys.readouterr()
    assert fnn.main(["--resume", "run", "--quiet"]) == 0
    assert capsys.readouterr().err == (
        "fnn: passed over: 1 damaged lines of run/metrics.jsonl, "
        "which is kept as run/metrics.jsonl.damaged\n"
    )
    assert Path("run/metrics.jsonl.damaged").read_bytes() == damaged
    assert fingerprint("run") == fingerprint(whole / "fnn")


def test_altered_settings_and_results_are_refused(whole, killed, capsys):
    killed("softmax")
    config = Path("run/config.json").read_text()
    Path("run/config.json").write_text(config.replace('"seed": 0', '"seed": 1'))
    said = refused(capsys, softmax, "--resume", "run")
    assert said.startswith("softmax: run/config.json was altered after it was written: ")
    assert refused(capsys, report, "run").startswith("report: run/config.json was altered")
    shutil.rmtree("run")
    shutil.copytree(whole / "softmax", "run")
    result = Path("run/result.json").read_text()
    Path("run/result.json").write_text(result.replace('"test_accuracy": 0', '"test_accuracy": 1'))
    said = refused(capsys, softmax, "--resume", "run")
    assert said.startswith("softmax: run/result.json was altered after it was written: ")


def test_weights_are_never_read_by_an_architecture_that_is_in_doubt(whole, capsys):
    """The weights of raw pixels, read as those of scaled ones, would answer wrongly."""
    shutil.copytree(whole / "mlp", "run")
    config = Path("run/config.json").read_text()
    generated_set = ["--dataset", "generated"]
    for damaged in (config[:200], config.replace("raw-pixels", "scaled"), ""):
        Path("run/config.json").write_text(damaged)
        said = refused(capsys, mlp, "--restore", "run", *generated_set)
        assert said.startswith("mlp: the settings of the weights in run/model.ckpt-6 can't be told")
    Path("run/config.json").unlink()
    assert mlp.main(["--restore", "run", *generated_set]) == 0
    assert capsys.readouterr().err.startswith(
        "mlp: no config.json is beside run/model.ckpt-6: taken for trained with --variant scaled\n"
    )
    assert mlp.main(["--restore", "run", *generated_set, "--variant", "raw-pixels"]) == 0
    assert "taken for" not in capsys.readouterr().err


def test_a_run_that_began_with_other_weights_does_not_begin_anew(whole, capsys):
    restored = ["--restore", str(whole / "fnn"), "--run-dir", "run", "--quiet"]
    assert fnn.main([*QUICK, "--batch-size", "50", *restored]) == 0
    for path in [Path("run/result.json"), *Path("run").glob("*.npz")]:
        path.unlink()
    said = refused(capsys, fnn, "--resume", "run")
    assert said.startswith("fnn: run has no checkpoint any more, and began with the weights of ")


def test_tools_refuse_a_damaged_checkpoint_in_a_line(whole, capsys):
    shutil.copytree(whole / "softmax", "run")
    images, _ = synthetic.digits(1, 7)
    image.write_png(Path("digit.png"), images[0])
    flip("model.ckpt-6.data-00000-of-00001", 20_000)
    asked = ["--model", "softmax", "--restore", "run", "digit.png"]
    assert "model.ckpt-6 is damaged" in refused(capsys, predict, *asked)
    assert "model.ckpt-6 is damaged" in refused(capsys, checkpoint, "run")
