"""Runs interrupted at random moments, most often while saving, and resumed until they finish.

    python tests/robustness/faults.py [--runs 100] [--seconds N] [--seed 0] [--data-dir DIR]

Each run of softmax, cnn, mlp or fnn is interrupted up to three times by SIGKILL, SIGTERM or SIGINT
and then finished. It must end with the same bits in its weights, the same reports and the same
files as an uninterrupted run. After SIGTERM and SIGINT the step that the message names must be
that of the newest checkpoint. Writes results/faults.json; ends at the first failure and keeps its
directory.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import result_file

SETTINGS = {  # small runs that save every few milliseconds
    "softmax": "--steps 300 --save-every 10 --log-every 10",
    "cnn": "--recipe best --steps 40 --plain-steps 12 --batch-size 4 --save-every 3 --log-every 1",
    "mlp": "--steps 300 --save-every 10 --log-every 10",
    "fnn": "--steps 300 --batch-size 50 --save-every 10 --log-every 10",
}
SIGNALS = [signal.SIGKILL] * 4 + [signal.SIGTERM, signal.SIGINT]
MAX_INTERRUPTIONS = 3  # per run
TIMEOUT = 300  # seconds per process


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=100, help="number of runs (default: 100)")
    parser.add_argument("--seconds", type=float, help="stop after this time, and write no results")
    parser.add_argument("--seed", type=int, default=0, help="random seed (default: 0)")
    parser.add_argument("--data-dir", help="directory with MNIST")
    options = parser.parse_args()
    # A process that a shell starts in the background ignores SIGINT, and so do its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rng = random.Random(options.seed)
    data_dir = ["--data-dir", options.data_dir] if options.data_dir else []
    directory = Path(tempfile.mkdtemp(prefix="faults-"))
    expected = {}
    for program in SETTINGS:
        run = directory / program
        process = start(program, [*new_run(program, run), *data_dir])
        is_training, seconds = wait_for_first_report(process), -time.perf_counter()
        assert is_training, f"{program} ended without a report"
        process.communicate(timeout=TIMEOUT)
        expected[program] = (outcome(run), seconds + time.perf_counter())
    equal: Counter[str] = Counter()
    interruptions: Counter[str] = Counter()
    end = time.monotonic() + (options.seconds or float("inf"))
    for number in range(options.runs):
        if time.monotonic() > end:
            return
        program = list(SETTINGS)[number % len(SETTINGS)]
        uninterrupted, seconds = expected[program]
        run = directory / f"{program}-{number}"
        arguments = new_run(program, run)
        for interruption in range(rng.randint(1, MAX_INTERRUPTIONS)):
            # Each time fewer steps are left.
            left = seconds / (interruption + 2)
            interruptions[interrupt(program, [*arguments, *data_dir], run, rng, left)] += 1
            if (run / "config.json").exists():  # else it was interrupted before it began
                arguments = ["--resume", str(run)]
        process = start(program, [*arguments, *data_dir])
        _, stderr = process.communicate(timeout=TIMEOUT)
        if process.returncode != 0 or outcome(run) != uninterrupted:
            raise SystemExit(f"{run}: not equal to the uninterrupted run; {stderr}")
        equal[program] += 1
        print(f"{number + 1} of {options.runs}: {program}", flush=True)
    result_file.write(
        "faults",
        {
            "seed": options.seed,
            "runs_equal_to_uninterrupted": equal,
            "interruptions": dict(interruptions),
        },
    )


def new_run(program: str, run: Path) -> list[str]:
    """Return the flags of a new run."""
    return [*SETTINGS[program].split(), "--dataset", "mnist", "--run-dir", str(run)]


def start(program: str, arguments: list[str]) -> subprocess.Popen[str]:
    """Start a program."""
    return subprocess.Popen(
        [sys.executable, "-m", f"deep_mnist.{program}", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_first_report(process: subprocess.Popen[str]) -> bool:
    """Wait until the program trains; return False if it ends before."""
    assert process.stdout is not None
    return any(re.search("accuracy|loss|^resuming ", line) for line in process.stdout)


def interrupt(
    program: str, arguments: list[str], run: Path, rng: random.Random, seconds: float
) -> str:
    """Start a program and interrupt it; return the signal and the moment."""
    number = rng.choice(SIGNALS)
    while_saving = rng.random() < 0.6
    process = start(program, arguments)
    fraction = rng.random()
    if not wait_for_first_report(process):
        moment = "after the end"
    elif while_saving and wait_for_save(process, run, fraction * seconds):
        moment = "while saving"
        time.sleep(fraction * 0.004)
    else:
        moment = "at a random moment"
        time.sleep(fraction * seconds)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=TIMEOUT)
    name = signal.Signals(number).name
    if process.returncode == 0 or (run / "result.json").exists():
        return f"{name} after the end"
    if number == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL, (process.returncode, stderr)
        return f"{name} {moment}"
    assert process.returncode == 128 + number, (process.returncode, stderr)
    saved = re.match(
        rf"{program}: stopped; step (\d+) of \d+ is saved\nhint: resume with: ", stderr
    )
    if saved is None:
        assert stderr == f"{program}: stopped before the first step\n", stderr
    else:
        assert newest_step(run) == int(saved.group(1)), stderr
    return f"{name} {moment}"


def wait_for_save(process: subprocess.Popen[str], run: Path, after: float) -> bool:
    """Wait `after` seconds, then for a temporary file of a save; return whether one was seen."""
    time.sleep(after)
    while process.poll() is None:
        try:
            if any(re.search("temp|tmp$", path.name) for path in run.iterdir()):
                return True
        except FileNotFoundError:
            return False
    return False


def newest_step(run: Path) -> int:
    """Return the step of a run's newest checkpoint, 0 if it has none."""
    matches = (
        re.fullmatch(r"model(?:\.ckpt)?-(\d+)\.(?:index|npz)", path.name) for path in run.iterdir()
    )
    return max((int(match.group(1)) for match in matches if match), default=0)


def outcome(run: Path) -> tuple[Any, ...]:
    """Return what must be equal: digest of the weights, reports without times, file names."""
    result = json.loads((run / "result.json").read_text("utf-8"))
    lines = (run / "metrics.jsonl").read_text("utf-8").splitlines()
    reports = [{**json.loads(line), "seconds": None, "crc32": None} for line in lines]
    # A step that was saved because of a signal may be among the last five.
    names = sorted(re.sub(r"-\d+\.", "-STEP.", path.name) for path in run.iterdir())
    return result["weights_sha256"], result["test_accuracy"], reports, names


if __name__ == "__main__":
    main()
