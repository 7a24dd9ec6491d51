"""Test accuracy of a program with its own settings, or a recipe's, over several seeds.

    python benchmarks/accuracy.py softmax --seeds 10
    python benchmarks/accuracy.py cnn --seeds 3
    python benchmarks/accuracy.py mlp --seeds 10
    python benchmarks/accuracy.py fnn --seeds 10
    python benchmarks/accuracy.py cnn --seeds 5 --recipe best
    python benchmarks/accuracy.py cnn --seeds 1 --dataset generated --steps 4000

Each seed is one run of `python -m deep_mnist.PROGRAM` in RUNS/PROGRAM-[RECIPE-][DATASET-]seedN.
Runs that are there already are gone on with, or only read if they are finished. A run on generated
digits is evaluated on MNIST as well.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("program", choices=("softmax", "cnn", "mlp", "fnn"))
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0 .. SEEDS-1 (default: 3)")
    parser.add_argument("--dataset", default="mnist", choices=("mnist", "generated"))
    parser.add_argument("--recipe", help="of the program (default: the tutorial's)")
    parser.add_argument("--steps", help="instead of the program's own")
    parser.add_argument("--runs", type=Path, default=Path("saved/runs/benchmark"))
    asked = parser.parse_args()

    dataset = None if asked.dataset == "mnist" else asked.dataset
    name = "-".join(word for word in (asked.program, asked.recipe, dataset) if word)
    settings = [
        *(["--recipe", asked.recipe] if asked.recipe else []),
        *["--dataset", asked.dataset],
        *(["--steps", asked.steps] if asked.steps else []),
    ]
    rows = []
    for seed in range(asked.seeds):
        run = asked.runs / f"{name}-seed{seed}"
        result = train(asked.program, run, [*settings, "--seed", str(seed)])
        row = {
            key: result[key] for key in ("seed", "test_accuracy", "validation_accuracy", "seconds")
        }
        if asked.dataset == "generated":
            row["mnist_test_accuracy"] = evaluate_on_mnist(asked.program, run)
        rows.append({**row, "weights_sha256": result["weights_sha256"]})
    values: dict[str, Any] = {
        "command": f"python -m deep_mnist.{asked.program} {' '.join(settings)}",
        "steps": result["steps"],
        "runs": rows,
    }
    for key in ("test_accuracy", "validation_accuracy", "mnist_test_accuracy", "seconds"):
        column = [row[key] for row in rows if row.get(key) is not None]
        if column:
            values[key] = {
                "mean": round(statistics.mean(column), 6),
                "lowest": min(column),
                "highest": max(column),
            }
    report.write(f"accuracy-{name}", values)


def train(program: str, run: Path, settings: list[str]) -> dict[str, Any]:
    """Trains in the directory `run`, or goes on with the run in it, and returns its result."""
    new = [*settings, "--run-dir", str(run)]
    command = [sys.executable, "-m", f"deep_mnist.{program}"]
    subprocess.run([*command, *(["--resume", str(run)] if run.exists() else new)], check=True)
    config = json.loads((run / "config.json").read_text("utf-8"))
    for flag, value in zip(settings[::2], settings[1::2], strict=True):
        found = str(config[flag.removeprefix("--")])
        if found != value:
            raise SystemExit(f"{run}: expected a run with {flag} {value}, found {found}")
    result: dict[str, Any] = json.loads((run / "result.json").read_text("utf-8"))
    return result


def evaluate_on_mnist(program: str, run: Path) -> float:
    """The fraction of MNIST's test set that the weights of a run read right."""
    command = [sys.executable, "-m", f"deep_mnist.{program}", "--restore", str(run)]
    done = subprocess.run(
        [*command, "--dataset", "mnist", "--quiet"], check=True, capture_output=True, text=True
    )
    return float(done.stdout.split()[2])


if __name__ == "__main__":
    main()
