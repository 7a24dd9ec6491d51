"""Updates per second of one process and of local clusters, measured alternating.

    python benchmarks/cluster.py

The workers of a local cluster share the processors of one machine. This shows what TensorFlow's
distributed runtime costs, not what several machines would gain (docs/scaling.md). Processes do not
start at the same moment, so the rate is that of the second half of the reports.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import report

STEPS = {"softmax": 2_000, "cnn": 60}
BATCH_SIZE = 50
ROUNDS = 3
ALL_REDUCE = "--local 2w --strategy all-reduce"
MODES = {
    "one process": "",
    "one process, batches of 100": f"--batch-size {2 * BATCH_SIZE}",
    "asynchronous, 1 ps, 2 workers": "--local 1ps,2w",
    "synchronous, 1 ps, 2 workers": "--local 1ps,2w --sync",
    "all-reduce, 2 workers": ALL_REDUCE,
    "all-reduce, 2 workers of 1 thread": f"{ALL_REDUCE} --intra-op-threads 1",
}
TWO_BATCHES_PER_UPDATE = ("100", "synchronous", "all-reduce")


def main() -> None:
    rates: dict[str, dict[str, list[float]]] = {
        program: {mode: [] for mode in MODES} for program in STEPS
    }
    for _ in range(ROUNDS):
        for program, modes in rates.items():
            for mode, measured in modes.items():
                measured.append(updates_per_second(program, MODES[mode]))
    results = {
        program: {mode: summary(mode, measured) for mode, measured in modes.items()}
        for program, modes in rates.items()
    }
    values = {"batch_size": BATCH_SIZE, "rounds": ROUNDS, "steps": STEPS, "results": results}
    report.write("cluster", values)


def summary(mode: str, updates: list[float]) -> dict[str, object]:
    """Return the updates and images per second of a mode, from the rates of all rounds."""
    batches = 2 if any(word in mode for word in TWO_BATCHES_PER_UPDATE) else 1
    images_per_update = BATCH_SIZE * batches
    return {
        "updates_per_second": report.spread(updates),
        "images_per_second": round(statistics.median(updates) * images_per_update),
    }


def updates_per_second(program: str, flags: str) -> float:
    """Train once and return the rate of updates, by all workers together.

    Args:
      program: "softmax" or "cnn".
      flags: of the program, or of a local cluster.
    """
    steps = STEPS[program]
    command = [f"deep_mnist.{program}"]
    if "--local" in flags:
        command = ["deep_mnist.distributed", program]
    with tempfile.TemporaryDirectory() as directory:
        run = Path(directory, "run")
        flags += f" --quiet --steps {steps} --log-every {steps // 20} --run-dir {run}"
        subprocess.run(
            [sys.executable, "-m", *command, *flags.split()],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    first, last = metrics[len(metrics) // 2], metrics[-1]
    return float((last["step"] - first["step"]) / (last["seconds"] - first["seconds"]))


if __name__ == "__main__":
    main()
