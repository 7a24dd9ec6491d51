"""Whole processes: start-up time, `--help`, training softmax, classifying a picture, peak memory.

    python benchmarks/process.py

The commands alternate, each runs several times, and times are medians. Memory is the largest
resident set of the process (ru_maxrss). Writes results/process.json.
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
from PIL import Image

from deep_mnist import data

COMMANDS = {
    "import tensorflow": ["-c", "import tensorflow"],
    "softmax": ["-m", "deep_mnist.softmax"],
    "predict": ["-m", "deep_mnist.predict", "digit.png"],
    "softmax --help": ["-m", "deep_mnist.softmax", "--help"],
    "cnn --help": ["-m", "deep_mnist.cnn", "--help"],
    "list of commands": ["-m", "deep_mnist"],
}
ROUNDS = 5
CNN_STEPS = "60"  # the memory does not grow with the number of steps


def main() -> None:
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    megabytes: dict[str, list[float]] = {name: [] for name in COMMANDS}
    environment = dict(os.environ)
    data_dir = environment.get("DEEP_MNIST_DATA_DIR")
    if data_dir:
        environment["DEEP_MNIST_DATA_DIR"] = str(Path(data_dir).resolve())
    with tempfile.TemporaryDirectory() as directory:
        digit = data.load_data("mnist").test.images[0].reshape(28, 28)
        Image.fromarray(255 - digit).save(Path(directory, "digit.png"))
        for _ in range(ROUNDS):
            for name, arguments in COMMANDS.items():
                elapsed, resident = measure(arguments, directory, environment)
                seconds[name].append(elapsed)
                megabytes[name].append(resident)
        cnn = ["-m", "deep_mnist.cnn", "--steps", CNN_STEPS]
        _, cnn_peak = measure(cnn, directory, environment)

    median = {name: round(statistics.median(values), 3) for name, values in seconds.items()}
    peak = {name: round(max(values)) for name, values in megabytes.items()}
    base = peak["import tensorflow"]
    report.write(
        "process",
        {
            "rounds": ROUNDS,
            "seconds": {
                name: {"median": median[name], "lowest": round(min(seconds[name]), 3)}
                for name in COMMANDS
            },
            "softmax_over_import": round(median["softmax"] / median["import tensorflow"], 3),
            "predict_seconds_over_import": round(
                median["predict"] - median["import tensorflow"], 3
            ),
            "peak_mb": {**peak, f"cnn --steps {CNN_STEPS}": round(cnn_peak)},
            "softmax_mb_over_import": peak["softmax"] - base,
            "cnn_mb_over_import": round(cnn_peak) - base,
        },
    )


def measure(
    arguments: list[str], directory: str, environment: dict[str, str]
) -> tuple[float, float]:
    """Return the seconds and the peak resident megabytes of one Python process."""
    start = time.perf_counter()
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
