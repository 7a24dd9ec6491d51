"""An interrupted run that is resumed ends with the same bits as one that was not."""

import contextlib
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from deep_mnist import cnn, fnn, mlp, softmax
from deep_mnist.training import run_directory

# The recipe with augmentation, prefetched batches, a schedule and weight decay.
RUN = (
    "--recipe best --precision float32 --dataset generated --steps 30 --plain-steps 9 "
    "--batch-size 4 --save-every 10 --log-every 1"
).split()
STEPS = 30
SMALL_RUN = "--dataset generated --steps 9 --batch-size 4 --save-every 1 --log-every 1".split()


def weights_sha256(directory):
    return json.loads(Path(directory, "result.json").read_text())["weights_sha256"]


def reports(directory):
    """The lines of metrics.jsonl without times and checksums."""
    lines = Path(directory, "metrics.jsonl").read_text().splitlines()
    return [{**json.loads(line), "seconds": None, "crc32": None} for line in lines]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The directory of an uninterrupted run of the CNN."""
    directory = tmp_path_factory.mktemp("cnn") / "run"
    assert cnn.main([*RUN, "--run-dir", str(directory)]) == 0
    return directory


class Signals(io.StringIO):
    """A standard output that sends this process a signal when a line starts with a text."""

    def __init__(self, number, start):
        super().__init__()
        self.number, self.start = number, start

    def write(self, text):
        if text.startswith(self.start):
            os.kill(os.getpid(), self.number)
        return super().write(text)


def run_and_kill(step, delay, arguments):
    """Run the CNN in another process and kill it `delay` seconds after it reported `step`."""
    with subprocess.Popen(
        [sys.executable, "-m", "deep_mnist.cnn", *arguments], stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout:
            if line.startswith(f"step {step},"):
                break
        time.sleep(delay)
        process.kill()
    return process.returncode


def test_a_run_that_is_killed_and_interrupted_twice_ends_with_the_same_bits(uninterrupted, capsys):
    seed = int.from_bytes(os.urandom(4), "little")
    chance = random.Random(seed)
    step, delay = chance.randrange(STEPS // 2), chance.random() * 0.05
    assert run_and_kill(step, delay, [*RUN, "--run-dir", "run"]) == -signal.SIGKILL
    moment = f"killed {delay:.3f} s into step {step} (random seed {seed})"
    for number, step in ((signal.SIGTERM, 18), (signal.SIGINT, 23)):
        with contextlib.redirect_stdout(Signals(number, f"step {step},")):
            assert cnn.main(["--resume", "run"]) == 128 + number, moment
        assert capsys.readouterr().err == (
            f"cnn: stopped; step {step + 1} of 30 is saved\n"
            "hint: resume with: python -m deep_mnist.cnn --resume run\n"
        )
        assert Path(f"run/model.ckpt-{step + 1}.index").exists()
    assert cnn.main(["--resume", "run"]) == 0
    assert weights_sha256("run") == weights_sha256(uninterrupted), moment
    assert reports("run") == reports(uninterrupted), moment


@pytest.mark.parametrize("program", [softmax, mlp, fnn])
def test_a_resumed_run_ends_with_the_same_bits_and_reports(program):
    settings = "--dataset generated --steps 7 --batch-size 3000 --save-every 3 --log-every 1"
    assert program.main([*settings.split(), "--run-dir", "uninterrupted"]) == 0
    shutil.copytree("uninterrupted", "killed")
    for path in (*Path("killed").glob("model*-7.*"), Path("killed/result.json")):
        path.unlink()
    assert program.main(["--resume", "killed"]) == 0
    assert weights_sha256("killed") == weights_sha256("uninterrupted")
    assert reports("killed") == reports("uninterrupted")
    assert len(reports("killed")) == 7


def test_the_seconds_of_a_resumed_run_include_those_since_its_last_report(monkeypatch):
    def slow_write(self, text, write=Signals.write):
        time.sleep(0.5 if text.startswith(self.start) else 0)
        return write(self, text)

    monkeypatch.setattr(Signals, "write", slow_write)
    settings = "--dataset generated --steps 3 --batch-size 100".split()
    with contextlib.redirect_stdout(Signals(signal.SIGINT, "epoch 0 ")):
        assert fnn.main([*settings, "--run-dir", "run"]) == 130
    assert fnn.main(["--resume", "run"]) == 0
    assert json.loads(Path("run/result.json").read_text())["seconds"] >= 0.5
    assert not Path("run/progress.json").exists()


def test_a_damaged_newest_checkpoint_is_skipped(capsys):
    assert softmax.main([*SMALL_RUN, "--run-dir", "uninterrupted"]) == 0
    shutil.copytree("uninterrupted", "run")
    Path("run/result.json").unlink()
    newest = Path("run/model.ckpt-9.data-00000-of-00001")
    newest.write_bytes(newest.read_bytes()[:-100])
    capsys.readouterr()
    assert softmax.main(["--resume", "run"]) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith(
        "warning: softmax: skipped: checkpoint run/model.ckpt-9 is damaged ("
    )
    assert "resuming run after step 8\n" in printed.out
    assert weights_sha256("run") == weights_sha256("uninterrupted")
    assert Path("run/model.ckpt-9.data-00000-of-00001.damaged").exists()


def test_a_run_without_an_undamaged_checkpoint_is_an_error_and_stays_as_it_is(capsys):
    assert softmax.main([*SMALL_RUN, "--run-dir", "run"]) == 0
    Path("run/result.json").unlink()
    for data in Path("run").glob("*.data-*"):
        data.write_bytes(data.read_bytes()[:-100])
    before = sorted(Path("run").iterdir())
    assert softmax.main(["--resume", "run"]) == 2
    assert capsys.readouterr().err.endswith(
        "error: softmax: run: every checkpoint is damaged\nhint: start a new run\n"
    )
    assert sorted(Path("run").iterdir()) == before


def test_a_run_that_started_from_restored_weights_resumes_from_them():
    assert softmax.main([*SMALL_RUN, "--run-dir", "first"]) == 0
    steps = ["--dataset", "generated", "--batch-size", "4", "--steps", "3", "--save-every", "9"]
    assert softmax.main([*steps, "--restore", "first", "--run-dir", "uninterrupted"]) == 0
    shutil.copytree("uninterrupted", "killed")
    for name in ("result.json", "model.ckpt-3.index", "model.ckpt-3.data-00000-of-00001"):
        Path("killed", name).unlink()
    assert softmax.main(["--resume", "killed"]) == 0
    assert weights_sha256("killed") == weights_sha256("uninterrupted")


def test_a_run_whose_restored_weights_are_gone_is_an_error(capsys):
    weights = {"W": np.zeros((784, 10), np.float32), "b": np.zeros(10, np.float32)}
    np.savez("my weights.npz", **weights)
    arguments = [*SMALL_RUN, "--restore", "my weights.npz", "--run-dir", "run"]
    assert softmax.main(arguments) == 0
    for path in (*Path("run").glob("model.ckpt-*"), Path("run/result.json")):
        path.unlink()
    capsys.readouterr()
    assert softmax.main(["--resume", "run"]) == 2
    assert capsys.readouterr().err == (
        "error: softmax: run has no checkpoint left, and started from the weights my weights.npz\n"
        "hint: start a new run with --restore 'my weights.npz'\n"
    )


def test_a_run_that_another_process_has_just_finished_is_an_error_and_stays_as_it_is(
    monkeypatch, capsys
):
    softmax.main(["--dataset", "generated", "--steps", "2", "--run-dir", "run"])
    result = Path("run/result.json").rename("result.json")

    def late_lock(directory):
        shutil.copy(result, directory)  # by the process that had the lock until now
        return original(directory)

    original = run_directory.lock
    monkeypatch.setattr(run_directory, "lock", late_lock)
    assert softmax.main(["--resume", "run"]) == 2
    assert capsys.readouterr().err == (
        "error: softmax: run: another process has just finished this run\n"
    )
    assert Path("run/result.json").read_bytes() == result.read_bytes()


def test_a_run_with_nothing_left_to_train_has_no_time_per_step(capsys):
    softmax.main(["--dataset", "generated", "--steps", "2", "--run-dir", "run"])
    Path("run/result.json").unlink()
    assert softmax.main(["--resume", "run"]) == 0
    assert json.loads(Path("run/result.json").read_text())["ms_per_step"] is None
    Path("run/result.json").unlink()
    config = json.loads(Path("run/config.json").read_text())
    del config["sha256"]
    Path("run/config.json").write_text(json.dumps({**config, "steps": 1}))
    assert softmax.main(["--resume", "run"]) == 2
    assert capsys.readouterr().err.endswith(
        "error: softmax: run: the checkpoint is of step 2, and config.json has only 1 steps\n"
    )


def test_only_the_runs_own_files_are_pruned():
    Path("run").mkdir()
    softmax.main(["--dataset", "generated", "--steps", "2", "--run-dir", "run", "--keep", "1"])
    Path("run/result.json").unlink()
    for name in ("best.index", "best.data-00000-of-00001", "notes.txt", "notes.1.tmp"):
        Path("run", name).write_text("mine")
    Path("run/metrics.jsonl.0123456789abcdef.tmp").write_text("left by a killed process")
    Path("run/model.ckpt-2.index").unlink()
    assert softmax.main(["--resume", "run"]) == 0
    assert Path("run/best.index").read_text() == "mine"
    assert Path("run/best.data-00000-of-00001").read_text() == "mine"
    assert Path("run/notes.txt").read_text() == "mine"
    assert [path.name for path in Path("run").glob("*.tmp")] == ["notes.1.tmp"]


@pytest.mark.parametrize("program", [softmax, fnn])
def test_a_run_that_was_killed_before_it_pruned_its_checkpoints_prunes_them(program):
    settings = "--dataset generated --steps 3 --batch-size 50 --save-every 1 --keep 2".split()
    assert program.main([*settings, "--run-dir", "run"]) == 0
    expected = sorted(path.name for path in Path("run").iterdir())
    Path("run/result.json").unlink()
    for newer in Path("run").glob("model*-2.*"):
        shutil.copy(newer, newer.with_name(newer.name.replace("-2.", "-1.")))
    assert program.main(["--resume", "run"]) == 0
    assert sorted(path.name for path in Path("run").iterdir()) == expected


def test_a_run_that_was_killed_before_its_first_checkpoint_starts_at_step_0(capsys):
    assert softmax.main([*SMALL_RUN, "--run-dir", "uninterrupted"]) == 0
    Path("run").mkdir()
    shutil.copy("uninterrupted/config.json", "run")
    assert softmax.main(["--resume", "run"]) == 0
    assert "resuming run after step 0\n" in capsys.readouterr().out
    assert weights_sha256("run") == weights_sha256("uninterrupted")


def test_a_finished_run_prints_its_result_and_stays_as_it_is(uninterrupted, capsys):
    before = {path: path.read_bytes() for path in uninterrupted.iterdir()}
    assert cnn.main(["--resume", str(uninterrupted)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        f"{uninterrupted} is finished: 30 steps, result in {uninterrupted}/result.json"
    )
    assert re.fullmatch(r"test accuracy 0\.\d+ \(SYNTHETIC digits\)", lines[1])
    assert {path: path.read_bytes() for path in uninterrupted.iterdir()} == before


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 100 kB; skips the test where it cannot be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(disk)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount command")
    if done.returncode != 0:
        pytest.skip("only root can mount a file system")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
def test_a_run_that_cannot_write_a_checkpoint_can_be_resumed(capsys):
    import resource

    assert softmax.main([*SMALL_RUN, "--run-dir", "uninterrupted"]) == 0
    shutil.copytree("uninterrupted", "stopped")
    Path("stopped/result.json").unlink()
    for step in (9, 8):
        for part in ("index", "data-00000-of-00001"):
            Path(f"stopped/model.ckpt-{step}.{part}").unlink()
    capsys.readouterr()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))  # a checkpoint has 31,400
    try:
        assert softmax.main(["--resume", "stopped"]) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert capsys.readouterr().err == (
        "error: softmax: cannot save step 8 in stopped: File too large\n"
        "hint: free disk space or fix the directory, then continue with --resume\n"
    )
    assert softmax.main(["--resume", "stopped"]) == 0
    assert weights_sha256("stopped") == weights_sha256("uninterrupted")


def test_a_run_on_a_full_disk_can_be_resumed(small_disk, capsys):
    assert softmax.main([*SMALL_RUN, "--run-dir", "uninterrupted"]) == 0
    capsys.readouterr()
    assert softmax.main([*SMALL_RUN, "--run-dir", str(small_disk / "run")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: softmax: cannot save step ")
    assert "No space left on device\nhint: free disk space " in error
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    assert softmax.main(["--resume", str(small_disk / "run")]) == 0
    assert weights_sha256(small_disk / "run") == weights_sha256("uninterrupted")


def test_a_run_in_a_read_only_directory_can_be_evaluated_but_not_resumed(small_disk, capsys):
    run = small_disk / "run"
    assert softmax.main([*SMALL_RUN, "--steps", "1", "--run-dir", str(run)]) == 0
    accuracy = capsys.readouterr().out.splitlines()[-1]
    (run / "result.json").rename(run / "result.json.0123456789abcdef.tmp")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert softmax.main(["--restore", str(run), "--dataset", "generated"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == accuracy
    for arguments in (["--resume", str(run)], [*SMALL_RUN, "--run-dir", f"{small_disk}/new"]):
        assert softmax.main(arguments) == 2
        error = capsys.readouterr().err.splitlines()[0]
        assert error.startswith("error: softmax: ")
        assert f"{small_disk}/" in error
        assert "Read-only file system" in error
