"""Whole processes: start-up, `--help`, training softmax, and peak memory.

    python benchmarks/process.py

Each command is run several times, in turn with the others; times are medians. Memory is the
largest resident set that the kernel saw (ru_maxrss).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import report

IMPORT = ["-c", "import tensorflow"]
TIMED = {
    "import tensorflow": IMPORT,
    "softmax": ["-m", "deep_mnist.softmax"],
    "softmax --help": ["-m", "deep_mnist.softmax", "--help"],
    "cnn --help": ["-m", "deep_mnist.cnn", "--help"],
    "list of commands": ["-m", "deep_mnist"],
}
ROUNDS = 5
CNN_STEPS = "60"  # memory is the same after ten steps as after thousands


def main() -> None:
    seconds: dict[str, list[float]] = {name: [] for name in TIMED}
    megabytes: dict[str, list[float]] = {name: [] for name in TIMED}
    with tempfile.TemporaryDirectory() as directory:
        for _ in range(ROUNDS):
            for name, arguments in TIMED.items():
                elapsed, resident = measure(arguments, directory)
                seconds[name].append(elapsed)
                megabytes[name].append(resident)
        _, cnn_peak = measure(["-m", "deep_mnist.cnn", "--steps", CNN_STEPS], directory)

    median = {name: round(statistics.median(values), 3) for name, values in seconds.items()}
    peak = {name: round(max(values)) for name, values in megabytes.items()}
    base = peak["import tensorflow"]
    report.write(
        "process",
        {
            "rounds": ROUNDS,
            "seconds": {
                name: {"median": median[name], "lowest": round(min(seconds[name]), 3)}
                for name in TIMED
            },
            "softmax_over_import": round(median["softmax"] / median["import tensorflow"], 3),
            "peak_mb": {**peak, f"cnn --steps {CNN_STEPS}": round(cnn_peak)},
            "softmax_mb_over_import": peak["softmax"] - base,
            "cnn_mb_over_import": round(cnn_peak) - base,
        },
    )


def measure(arguments: list[str], directory: str) -> tuple[float, float]:
    """Seconds and peak resident megabytes of one Python process."""
    start = time.perf_counter()
    environment = dict(os.environ)
    place = environment.get("DEEP_MNIST_DATA_DIR")
    if place:
        environment["DEEP_MNIST_DATA_DIR"] = str(Path(place).resolve())
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=directory,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    elapsed = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{arguments} exited with {process.returncode}")
    return elapsed, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
