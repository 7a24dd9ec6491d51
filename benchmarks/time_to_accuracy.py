"""Time to 99.2%: `cnn --recipe fast`, and the same recipe in other frameworks.

    python benchmarks/time_to_accuracy.py [--seeds 3] [--venvs DIR]

deep_mnist is run as a command. The other programs are those of compare.py; they train on the same
batches, made by the same code, with the same learning rates, from the same initial weights. Each
is started anew for each seed, in alternating order. The time is that of training, with compilation,
without start-up and evaluation. The tutorial's own schedule is timed by its first 1,000 steps.
Writes results/time_to_accuracy.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import environments
import report
from compare import IMPLEMENTATIONS, TUTORIAL_STEPS, Launcher

from deep_mnist.training import RECIPES, mixed_precision

TIMED_STEPS = 1_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0 .. SEEDS-1 (default: 3)")
    parser.add_argument(
        "--venvs",
        type=Path,
        default=environments.DIRECTORY,
        help="directory of the virtual environments (default: benchmarks/.venvs)",
    )
    options = parser.parse_args()

    precisions = ["float32"]
    if mixed_precision.choose("auto") == "bfloat16":
        precisions.append("bfloat16")
    runs: dict[str, list[dict[str, float]]] = {}
    tutorial_steps: list[float] = []  # ms
    with tempfile.TemporaryDirectory() as directory:
        launcher = Launcher(options.venvs, directory)
        for seed in range(options.seeds):
            for precision in precisions:
                for name, implementation in IMPLEMENTATIONS[precision].items():
                    if name.endswith("threads=1"):
                        continue
                    if implementation.program == "ours.py":
                        run = train_ours(precision, seed, directory)
                    else:
                        with launcher.start(implementation) as process:
                            seconds = process.request(f"recipe {seed}")
                            run = {"seconds": seconds, "accuracy": process.request("accuracy")}
                    runs.setdefault(name, []).append(run)
                    print(f"{name}, seed {seed}: {run}", flush=True)
            with launcher.start(IMPLEMENTATIONS["float32"]["bare tutorial loop"]) as process:
                seconds = process.request(f"train {TIMED_STEPS}")
                tutorial_steps.append(1e3 * seconds / TIMED_STEPS)
    ms = statistics.mean(tutorial_steps)
    report.write(
        "time_to_accuracy",
        {
            "recipe": RECIPES["cnn"]["fast"],
            "tutorial_schedule": {
                "steps": TUTORIAL_STEPS,
                "ms_per_step": round(ms, 3),
                "seconds": round(TUTORIAL_STEPS * ms / 1e3),
            },
            "same_recipe": {
                name: {
                    "seconds": round(statistics.mean(run["seconds"] for run in values), 1),
                    "accuracy": {
                        "mean": round(statistics.mean(run["accuracy"] for run in values), 6),
                        "lowest": min(run["accuracy"] for run in values),
                    },
                    "runs": values,
                }
                for name, values in runs.items()
            },
        },
    )


def train_ours(precision: str, seed: int, directory: str) -> dict[str, Any]:
    """Run `cnn --recipe fast` and return its training time and test accuracy."""
    run = Path(directory, f"{precision}-{seed}")
    flags = ["--recipe", "fast", "--precision", precision, "--seed", str(seed)]
    command = [sys.executable, "-m", "deep_mnist.cnn", *flags, "--run-dir", str(run)]
    subprocess.run([*command, "--dataset", "mnist", "--quiet"], check=True)
    result = json.loads((run / "result.json").read_text("utf-8"))
    return {"seconds": result["seconds"], "accuracy": result["test_accuracy"]}


if __name__ == "__main__":
    main()
