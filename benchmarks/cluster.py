"""Steps a second by one process, and by clusters on this machine, over its loopback.

    python benchmarks/cluster.py

Workers of a cluster on one machine share its processors: this shows what the runtime costs, not
what machines would gain (docs/scaling.md). Processes start at unlike moments, so the rate is taken
over the second half of the reports.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import report

STEPS = {"softmax": 2_000, "cnn": 60}
BATCH = 50
MANNERS = {
    "one process": "",
    "asynchronous, 1 ps, 2 workers": "--local-cluster 1ps,2w",
    "synchronous, 1 ps, 2 workers": "--local-cluster 1ps,2w --sync",
    "all-reduce, 2 workers": "--local-cluster 2w --strategy all-reduce",
}


def main() -> None:
    rates = {
        program: {manner: measure(program, flags) for manner, flags in MANNERS.items()}
        for program in STEPS
    }
    report.write("cluster", {"batch_size": BATCH, "steps": STEPS, "rates": rates})


def measure(program: str, flags: str) -> dict[str, float]:
    """Updates a second, and images that they were made of."""
    steps = STEPS[program]
    with tempfile.TemporaryDirectory() as directory:
        run = Path(directory, "run")
        command = [sys.executable, "-m", f"deep_mnist.{program}", *flags.split(), "--quiet"]
        command += ["--steps", str(steps), "--log-every", str(steps // 20), "--run-dir", str(run)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    first, last = metrics[len(metrics) // 2], metrics[-1]
    updates = (last["step"] - first["step"]) / (last["seconds"] - first["seconds"])
    batches = 2 if "--sync" in flags or "all-reduce" in flags else 1
    return {
        "updates_per_second": round(updates, 1),
        "images_per_second": round(updates * batches * BATCH),
    }


if __name__ == "__main__":
    main()
