"""Updates a second by one process, and by clusters on this machine, over its loopback, in turns.

    python benchmarks/cluster.py

Workers of a cluster on one machine share its processors: this shows what the runtime costs, not
what machines would gain (docs/scaling.md). Processes start at unlike moments, so the rate is taken
over the second half of the reports.
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
BATCH = 50
ROUNDS = 5
MANNERS = {
    "one process": "",
    "asynchronous, 1 ps, 2 workers": "--local-cluster 1ps,2w",
    "synchronous, 1 ps, 2 workers": "--local-cluster 1ps,2w --sync",
    "all-reduce, 2 workers": "--local-cluster 2w --strategy all-reduce",
}


def main() -> None:
    rates: dict[str, dict[str, list[float]]] = {
        program: {manner: [] for manner in MANNERS} for program in STEPS
    }
    for _ in range(ROUNDS):
        for program, manners in rates.items():
            for manner, measured in manners.items():
                measured.append(updates_per_second(program, MANNERS[manner]))
    results = {
        program: {
            manner: {
                "updates_per_second": report.spread(measured),
                "images_per_second": round(
                    statistics.median(measured) * BATCH * batches_of_an_update(MANNERS[manner])
                ),
            }
            for manner, measured in manners.items()
        }
        for program, manners in rates.items()
    }
    values = {"batch_size": BATCH, "rounds": ROUNDS, "steps": STEPS, "results": results}
    report.write("cluster", values)


def updates_per_second(program: str, flags: str) -> float:
    """Of one run, by whichever workers."""
    steps = STEPS[program]
    with tempfile.TemporaryDirectory() as directory:
        run = Path(directory, "run")
        command = [sys.executable, "-m", f"deep_mnist.{program}", *flags.split(), "--quiet"]
        command += ["--steps", str(steps), "--log-every", str(steps // 20), "--run-dir", str(run)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    first, last = metrics[len(metrics) // 2], metrics[-1]
    return float((last["step"] - first["step"]) / (last["seconds"] - first["seconds"]))


def batches_of_an_update(flags: str) -> int:
    """Of two workers: both theirs, where they wait for each other."""
    return 2 if "--sync" in flags or "all-reduce" in flags else 1


if __name__ == "__main__":
    main()
