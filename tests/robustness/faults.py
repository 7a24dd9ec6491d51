"""Runs stopped at random moments, during saves above all, and resumed until they are done.

    python benchmarks/faults.py [--runs 100] [--seed 0] [--data-dir DIR]

Each run of softmax, cnn, mlp or fnn is stopped up to three times, by SIGKILL, SIGTERM or Ctrl-C,
and then left to finish. It must end with the weights and the reports of one that was not stopped,
to the bit, and with no file that such a one has not; after SIGTERM and Ctrl-C the step that is said
to be saved must be the newest checkpoint. Writes results/faults.json; stops at the first fault,
with its directory left to look at.
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

import report

SETTINGS = {  # small, so that a stop costs little, with a save every few milliseconds
    "softmax": "--steps 300 --save-every 10 --log-every 10",
    "cnn": "--recipe best --steps 40 --plain-steps 12 --batch-size 4 --save-every 3 --log-every 1",
    "mlp": "--steps 300 --save-every 10 --log-every 10",
    "fnn": "--steps 300 --batch-size 50 --save-every 10 --log-every 10",
}
SIGNALS = [signal.SIGKILL] * 4 + [signal.SIGTERM, signal.SIGINT]
STOPS = 3  # of a run, at most
LIMIT = 300  # seconds for a process, after which it hangs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data-dir")
    options = parser.parse_args()
    # In a shell's background Ctrl-C is ignored, and would be by what is started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    chance = random.Random(options.seed)
    common = ["--dataset", "mnist", *(["--data-dir", options.data_dir] if options.data_dir else [])]
    work = Path(tempfile.mkdtemp(prefix="faults-"))
    expected = {}
    for program, settings in SETTINGS.items():
        process = start(program, [*settings.split(), *common, "--run-dir", str(work / program)])
        first, seconds = first_report(process), -time.perf_counter()
        assert first, f"{program} ended without a report"
        process.communicate(timeout=LIMIT)
        expected[program] = (outcome(work / program), seconds + time.perf_counter())
    done: Counter[str] = Counter()
    stops: Counter[str] = Counter()
    for number in range(options.runs):
        program = list(SETTINGS)[number % len(SETTINGS)]
        whole, seconds = expected[program]
        directory = work / f"{program}-{number}"
        arguments = [*SETTINGS[program].split(), *common, "--run-dir", str(directory)]
        for stop in range(chance.randint(1, STOPS)):
            # Less and less is left to be done.
            kind = stop_once(program, arguments, directory, chance, seconds / (stop + 2))
            stops[kind] += 1
            if not (directory / "config.json").exists():
                continue  # stopped before the run began: there is nothing to resume
            arguments = ["--resume", str(directory), *common[2:]]
        finished = start(program, arguments)
        _, said = finished.communicate(timeout=LIMIT)
        if finished.returncode != 0 or outcome(directory) != whole:
            raise SystemExit(f"{directory}: not as the run that was not stopped; {said}")
        done[program] += 1
        print(f"{number + 1} of {options.runs}: {program}", flush=True)
    report.write(
        "faults", {"seed": options.seed, "runs_as_uninterrupted": done, "stops": dict(stops)}
    )


def start(program: str, arguments: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", f"deep_mnist.{program}", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def first_report(process: subprocess.Popen[str]) -> bool:
    """Waits until the program trains."""
    assert process.stdout is not None
    return any(re.search("accuracy|loss|^going on with ", line) for line in process.stdout)


def stop_once(
    program: str, arguments: list[str], directory: Path, chance: random.Random, seconds: float
) -> str:
    """Starts a program, stops it in a save or at any moment, and says how it was stopped."""
    number = chance.choice(SIGNALS)
    in_a_save = chance.random() < 0.6
    process = start(program, arguments)
    moment = chance.random()
    if not first_report(process):
        when = "after the end"
    elif in_a_save and saw_a_save(process, directory, moment * seconds):
        when = "in a save"
        time.sleep(moment * 0.004)
    else:
        when = "at random"
        time.sleep(moment * seconds)
    process.send_signal(number)
    _, said = process.communicate(timeout=LIMIT)
    name = signal.Signals(number).name
    if process.returncode == 0 or (directory / "result.json").exists():
        return f"{name} after the end"
    if number == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL, (process.returncode, said)
        return f"{name} {when}"
    assert process.returncode == 128 + number, (process.returncode, said)
    match = re.fullmatch(rf"{program}: stopped; step (\d+) of \d+ is saved; go on with: .+\n", said)
    if match is None:
        assert said == f"{program}: stopped; no run was under way\n", said
    else:
        assert newest(directory) == int(match.group(1)), said
    return f"{name} {when}"


def saw_a_save(process: subprocess.Popen[str], directory: Path, after: float) -> bool:
    """Waits for a file that a save has under way, `after` so many seconds."""
    time.sleep(after)
    while process.poll() is None:
        try:
            if any(re.search("temp|tmp$", path.name) for path in directory.iterdir()):
                return True
        except FileNotFoundError:
            return False
    return False


def newest(directory: Path) -> int:
    """The step of a run's newest checkpoint, 0 where it has none."""
    found = (
        re.fullmatch(r"model(?:\.ckpt)?-(\d+)\.(?:index|npz)", p.name) for p in directory.iterdir()
    )
    return max((int(match.group(1)) for match in found if match), default=0)


def outcome(directory: Path) -> tuple[Any, ...]:
    """What a run must end with: fingerprint of the weights, reports without times, file names."""
    result = json.loads((directory / "result.json").read_text("utf-8"))
    lines = (directory / "metrics.jsonl").read_text("utf-8").splitlines()
    reports = [{**json.loads(line), "seconds": None, "crc32": None} for line in lines]
    # A step that a signal had saved may be among the last five.
    names = sorted(re.sub(r"-\d+\.", "-STEP.", path.name) for path in directory.iterdir())
    return result["weights_sha256"], result["test_accuracy"], reports, names


if __name__ == "__main__":
    main()
