"""An interrupted run ends with the bits of one that was not."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deep_mnist import cnn, softmax

RUN = "--dataset generated --steps 60 --batch-size 4 --save-every 7 --log-every 1".split()
STEPS = 60


def fingerprint(directory):
    return json.loads(Path(directory, "result.json").read_text())["weights_sha256"]


def reports(directory):
    """metrics.jsonl without the times."""
    lines = Path(directory, "metrics.jsonl").read_text().splitlines()
    return [{**json.loads(line), "seconds": None} for line in lines]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """A whole run of the CNN, for others to be compared with."""
    directory = tmp_path_factory.mktemp("cnn") / "run"
    assert cnn.main([*RUN, "--run-dir", str(directory)]) == 0
    return directory


def start_and_signal(number, step, delay):
    """Starts the same run in another process and signals it `delay` s after `step` began."""
    process = subprocess.Popen(
        [sys.executable, "-m", "deep_mnist.cnn", *RUN, "--run-dir", "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if line.startswith(f"step {step},"):
            break
    time.sleep(delay)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


def test_killed_at_a_random_step_and_resumed(uninterrupted):
    seed = int.from_bytes(os.urandom(4), "little")
    chance = random.Random(seed)
    step, delay = chance.randrange(STEPS - 20), chance.random() * 0.05
    code, _ = start_and_signal(signal.SIGKILL, step, delay)
    assert code == -signal.SIGKILL
    assert cnn.main(["--resume", "run"]) == 0
    moment = f"killed {delay:.3f} s into step {step} (random seed {seed})"
    assert fingerprint("run") == fingerprint(uninterrupted), moment
    assert reports("run") == reports(uninterrupted), moment


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_stopped_by_a_signal_and_resumed(uninterrupted, number, code):
    returned, said = start_and_signal(number, step=10, delay=0)
    assert returned == code
    words = said.split()
    assert words[:4] == ["cnn:", "stopped", "after", "step"]
    assert said.endswith("go on with: python -m deep_mnist.cnn --resume run\n")
    assert said.count("\n") == 1
    assert Path(f"run/model.ckpt-{words[4]}.index").exists()
    assert cnn.main(["--resume", "run"]) == 0
    assert fingerprint("run") == fingerprint(uninterrupted)


def test_a_damaged_newest_checkpoint_is_passed_over(uninterrupted, capsys):
    shutil.copytree(uninterrupted, "run")
    Path("run/result.json").unlink()
    newest = Path("run/model.ckpt-60.data-00000-of-00001")
    newest.write_bytes(newest.read_bytes()[:-100])
    capsys.readouterr()
    assert cnn.main(["--resume", "run"]) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith("cnn: passed over: checkpoint run/model.ckpt-60 is damaged")
    assert "going on with run after step 56\n" in printed.out
    assert fingerprint("run") == fingerprint(uninterrupted)
    assert Path("run/model.ckpt-60.data-00000-of-00001.damaged").exists()


def test_a_run_killed_before_its_first_checkpoint_starts_again(uninterrupted, capsys):
    Path("run").mkdir()
    shutil.copy(uninterrupted / "config.json", "run")
    assert cnn.main(["--resume", "run"]) == 0
    assert "going on with run after step 0\n" in capsys.readouterr().out
    assert fingerprint("run") == fingerprint(uninterrupted)


def test_a_finished_run_is_left_as_it_is(uninterrupted, capsys):
    before = {path: path.read_bytes() for path in uninterrupted.iterdir()}
    assert cnn.main(["--resume", str(uninterrupted)]) == 0
    assert "is finished: step 60" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in uninterrupted.iterdir()} == before


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 100 kB; skips the test where none can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(disk)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode != 0:
        pytest.skip("mounting a small file system needs to be root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_loses_nothing(small_disk, capsys):
    run = "--dataset generated --steps 9 --batch-size 4 --save-every 1 --log-every 1".split()
    assert softmax.main([*run, "--run-dir", "whole"]) == 0
    capsys.readouterr()
    assert softmax.main([*run, "--run-dir", str(small_disk / "run")]) == 2
    said = capsys.readouterr().err
    assert "can't be saved" in said
    assert "No space left on device" in said
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    assert softmax.main(["--resume", str(small_disk / "run")]) == 0
    assert fingerprint(small_disk / "run") == fingerprint("whole")
