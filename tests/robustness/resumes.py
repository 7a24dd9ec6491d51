"""One run that is killed and resumed thousands of times: files, memory and time must not grow.

    python tests/robustness/resumes.py [--resumes 2000] [--program fnn] [--seed 0] [--data-dir DIR]

Every process resumes the run, saves one to ten checkpoints and is killed by SIGKILL up to 20 ms
later. Compared are the first and the last tenth of the processes: CPU time, peak memory, and the
number of files in the run's directory. Writes results/resumes.json.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import result_file

from deep_mnist.training.run_directory import PROGRESS

SAVE_EVERY = 10
TIMEOUT = 120  # seconds, for a process to start and save
# No process comes to the end.
SETTINGS = f"--steps 1000000 --batch-size 50 --save-every {SAVE_EVERY} --log-every 1000"
LARGEST_GROWTH = {"cpu_seconds": 1.1, "resident_mb": 1.01, "files": 1.0}  # last / first tenth


class Killed(NamedTuple):
    """A process that was killed."""

    cpu_seconds: float
    resident_mb: float
    files: int  # in the run's directory, afterwards
    step: int  # of the newest checkpoint, afterwards


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--resumes", type=int, default=2000, help="(default: 2000)")
    parser.add_argument("--seconds", type=float, help="stop after this time, and write no results")
    parser.add_argument("--program", default="fnn", help="softmax, cnn, mlp or fnn (default: fnn)")
    parser.add_argument("--seed", type=int, default=0, help="random seed (default: 0)")
    parser.add_argument("--data-dir", help="directory with MNIST (default: synthetic digits)")
    options = parser.parse_args()
    end = time.monotonic() + (options.seconds or float("inf"))
    rng = random.Random(options.seed)
    data = ["--data-dir", options.data_dir] if options.data_dir else []
    dataset = ["--dataset", "mnist", *data] if data else ["--dataset", "generated"]
    with tempfile.TemporaryDirectory() as directory:
        run = Path(directory, "run")
        kill(options.program, [*SETTINGS.split(), *dataset, "--run-dir", str(run)], run, 1, 0.0)
        processes: list[Killed] = []
        while len(processes) < options.resumes and time.monotonic() < end:
            resume = ["--resume", str(run), *data]
            saves, delay = rng.randint(1, 10), 0.02 * rng.random()
            processes.append(kill(options.program, resume, run, saves, delay))
            if len(processes) % 100 == 0:
                print(len(processes), processes[-1], flush=True)
    tenth = max(1, len(processes) // 10)
    tenths = {"first_tenth": processes[:tenth], "last_tenth": processes[-tenth:]}
    medians = {
        field: {
            name: round(statistics.median(getattr(p, field) for p in part), 3)
            for name, part in tenths.items()
        }
        for field in LARGEST_GROWTH
    }
    print(medians)
    if options.seconds is None:
        values = {"program": options.program, "resumes": len(processes), **medians}
        result_file.write("resumes", {**values, "last_step": processes[-1].step})
    for field, largest in LARGEST_GROWTH.items():
        if medians[field]["last_tenth"] > largest * medians[field]["first_tenth"]:
            raise SystemExit(f"{field} grew by more than {largest - 1:.0%}")


def kill(program: str, arguments: list[str], run: Path, saves: int, delay: float) -> Killed:
    """Start a program, and kill it `delay` seconds after it has saved `saves` checkpoints."""
    until = saved_step(run) + saves * SAVE_EVERY
    command = [sys.executable, "-m", f"deep_mnist.{program}", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + TIMEOUT
        while saved_step(run) < until:
            # Unlike poll(), it leaves the process to wait4, which has its CPU time and memory.
            ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is not None or time.monotonic() > end:
                raise SystemExit(f"{program} has ended, or saved nothing for {TIMEOUT} s")
            time.sleep(0.005)
        time.sleep(delay)
    finally:
        process.send_signal(signal.SIGKILL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == -signal.SIGKILL, process.returncode
    return Killed(
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / 1024,
        len(list(run.iterdir())),
        saved_step(run),
    )


def saved_step(run: Path) -> int:
    """Return the step of the newest checkpoint of a run, 0 if there is none."""
    try:
        return int(json.loads((run / PROGRESS).read_text("utf-8"))["step"])
    except FileNotFoundError:
        return 0


if __name__ == "__main__":
    main()
