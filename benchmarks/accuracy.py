"""Test accuracy of a program over several seeds, with its tutorial's settings or a recipe's.

    python benchmarks/accuracy.py softmax --seeds 10
    python benchmarks/accuracy.py cnn --seeds 3
    python benchmarks/accuracy.py mlp --seeds 10
    python benchmarks/accuracy.py fnn --seeds 10
    python benchmarks/accuracy.py cnn --seeds 5 --recipe fast --precision bfloat16
    python benchmarks/accuracy.py cnn --seeds 5 --recipe best --precision bfloat16
    python benchmarks/accuracy.py cnn --seeds 1 --dataset generated --steps 4000

Each seed is one run of `python -m deep_mnist.PROGRAM` in
RUNS/PROGRAM-[RECIPE-][PRECISION-][DATASET-]seedN. Existing runs are resumed; finished ones are only
read. A run on synthetic digits is evaluated on MNIST as well. Writes
results/accuracy-PROGRAM[-RECIPE][-PRECISION][-DATASET].json.
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

from deep_mnist.inference import PROGRAMS
from deep_mnist.training import RECIPES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("program", choices=PROGRAMS)
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0 .. SEEDS-1 (default: 3)")
    parser.add_argument("--dataset", default="mnist", choices=("mnist", "generated"))
    parser.add_argument("--recipe", help="recipe of the program (default: the tutorial's)")
    parser.add_argument("--precision", help="float32 or bfloat16 (default: the recipe's)")
    parser.add_argument("--steps", help="number of training steps (default: the recipe's)")
    parser.add_argument(
        "--runs",
        type=Path,
        default=Path("saved/runs/benchmark"),
        help="directory of the runs (default: saved/runs/benchmark)",
    )
    options = parser.parse_args()

    dataset = None if options.dataset == "mnist" else options.dataset
    parts = (options.program, options.recipe, options.precision, dataset)
    name = "-".join(part for part in parts if part)
    flags = [
        *(["--recipe", options.recipe] if options.recipe else []),
        *(["--precision", options.precision] if options.precision else []),
        *["--dataset", options.dataset],
        *(["--steps", options.steps] if options.steps else []),
    ]
    rows = []
    for seed in range(options.seeds):
        run = options.runs / f"{name}-seed{seed}"
        result = train(options.program, run, [*flags, "--seed", str(seed)])
        row = {
            key: result[key] for key in ("seed", "test_accuracy", "validation_accuracy", "seconds")
        }
        if options.dataset == "generated":
            row["mnist_test_accuracy"] = evaluate_on_mnist(options.program, run)
        rows.append({**row, "weights_sha256": result["weights_sha256"]})
    values: dict[str, Any] = {
        "command": f"python -m deep_mnist.{options.program} {' '.join(flags)}",
        "steps": result["steps"],
        "settings": recipe_settings(options.program, options.recipe, run),
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


def train(program: str, run: Path, flags: list[str]) -> dict[str, Any]:
    """Train in the directory `run`, or resume the run in it, and return its result."""
    start = ["--resume", str(run)] if run.exists() else [*flags, "--run-dir", str(run)]
    subprocess.run([sys.executable, "-m", f"deep_mnist.{program}", *start], check=True)
    config = json.loads((run / "config.json").read_text("utf-8"))
    for flag, value in zip(flags[::2], flags[1::2], strict=True):
        found = str(config[flag.removeprefix("--")])
        if found != value:
            raise SystemExit(f"{run}: expected a run with {flag} {value}, found {found}")
    result: dict[str, Any] = json.loads((run / "result.json").read_text("utf-8"))
    return result


def recipe_settings(program: str, recipe: str | None, run: Path) -> dict[str, Any]:
    """Return the settings of a recipe, as a run had them."""
    config = json.loads((run / "config.json").read_text("utf-8"))
    return {field: config[field] for field in RECIPES[program][recipe or "tutorial"]}


def evaluate_on_mnist(program: str, run: Path) -> float:
    """Return the accuracy of a run's weights on MNIST's test set."""
    command = [sys.executable, "-m", f"deep_mnist.{program}", "--restore", str(run)]
    completed = subprocess.run(
        [*command, "--dataset", "mnist", "--quiet"], check=True, capture_output=True, text=True
    )
    return float(completed.stdout.removeprefix("test accuracy ").split()[0])


if __name__ == "__main__":
    main()
