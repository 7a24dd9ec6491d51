"""Losses and accuracies printed in the source documents, compared with ours over several seeds.

    python benchmarks/published.py mlp
    python benchmarks/published.py fnn

Reads the runs of `python benchmarks/accuracy.py PROGRAM --seeds 10`. Writes
results/published-PROGRAM.json and the chart results/published-PROGRAM.svg. Each document prints
one run and does not name its seed. Runs of fnn differ widely, so the run nearest to the
document's is shown as well, out of all in the directory: of the first 120 seeds, seed 117.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import report

from deep_mnist.report.published import TABLES

SEEDS = 10  # means are over the seeds 0..9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("program", choices=("mlp", "fnn"))
    parser.add_argument(
        "--runs",
        type=Path,
        default=Path("saved/runs/benchmark"),
        help="directory of the runs (default: saved/runs/benchmark)",
    )
    options = parser.parse_args()

    runs = {
        path.name.removeprefix(f"{options.program}-"): read(path)
        for path in sorted(options.runs.glob(f"{options.program}-seed*"))
    }
    compare = compare_mlp if options.program == "mlp" else compare_fnn
    values, curves = compare(runs)
    plot(options.program, curves)
    report.write(f"published-{options.program}", {"seeds": SEEDS, **values})


def read(run: Path) -> dict[str, Any]:
    """Return a run's result, and its reports by step."""
    lines = map(json.loads, (run / "metrics.jsonl").read_text("utf-8").splitlines())
    result = json.loads((run / "result.json").read_text("utf-8"))
    return {"reports": {line["step"]: line for line in lines}, **result}


def averaged(by_seed: dict[str, Any]) -> list[Any]:
    """Return the values of the seeds that the means are over."""
    return [by_seed[f"seed{seed}"] for seed in range(SEEDS)]


def compare_mlp(runs: Any) -> tuple[dict[str, Any], dict[str, list[float]]]:
    """Return the mean loss in each row, relative to the document's, and the curves to plot."""
    rows = []
    for row in TABLES["mlp"]["rows"]:
        epoch, step, published = row["epoch"], row["step"], row["loss"]
        run_step = epoch * TABLES["mlp"]["steps_per_epoch"] + step
        losses = [run["reports"][run_step]["loss"] for run in averaged(runs)]
        mean = statistics.mean(losses)
        rows.append(
            {
                "epoch": epoch,
                "step": step,
                "published": round(published, 4),
                "mean": round(mean, 4),
                "lowest": round(min(losses), 4),
                "highest": round(max(losses), 4),
                "relative_difference": round(mean / published - 1, 4),
            }
        )
    values = {
        "largest_relative_difference_after_the_first_row": max(
            abs(row["relative_difference"]) for row in rows[1:]
        ),
        "rows": rows,
    }
    return values, {key: [row[key] for row in rows] for key in ("published", "mean")}


def compare_fnn(runs: Any) -> tuple[dict[str, Any], dict[str, list[float]]]:
    """Return the accuracies of each epoch, those of the nearest seed, and the curves to plot."""
    published = [row["accuracy"] for row in TABLES["fnn"]["rows"]]
    accuracies = {
        name: [run["reports"][epoch]["training_accuracy"] for epoch in range(len(published))]
        for name, run in runs.items()
    }

    def distance(name: str) -> float:
        pairs = zip(accuracies[name], published, strict=True)
        return max(abs(float(ours) - float(theirs)) for ours, theirs in pairs)

    nearest = min(accuracies, key=distance)
    by_epoch = list(zip(*averaged(accuracies), strict=True))
    tests = [run["test_accuracy"] for run in averaged(runs)]
    values = {
        "test_accuracy": {
            "published": TABLES["fnn"]["test_accuracy"],
            "mean": round(statistics.mean(tests), 4),
            "standard_deviation": round(statistics.stdev(tests), 4),
            "lowest": min(tests),
            "highest": max(tests),
        },
        "nearest": nearest,
        "nearest_largest_difference_of_accuracy": round(distance(nearest), 4),
        "rows": [
            {
                "epoch": epoch,
                "published": round(published[epoch], 4),
                "nearest": round(accuracies[nearest][epoch], 4),
                "mean": round(statistics.mean(row), 4),
                "standard_deviation": round(statistics.stdev(row), 4),
                "lowest": round(min(row), 4),
                "highest": round(max(row), 4),
            }
            for epoch, row in enumerate(by_epoch)
        ],
    }
    return values, {
        "published": published,
        f"nearest ({nearest})": accuracies[nearest],
        "mean": [statistics.mean(row) for row in by_epoch],
        "lowest": [min(row) for row in by_epoch],
        "highest": [max(row) for row in by_epoch],
    }


def plot(program: str, curves: dict[str, list[float]]) -> None:
    """Draw the curves over the printed rows, the document's in black."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = program  # equal curves give equal files
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, values in curves.items():
        color = "black" if name == "published" else None
        axes.plot(values, label=name, color=color, marker="." if color else None)
    axes.set_xlabel("row of the document, five per epoch" if program == "mlp" else "epoch")
    axes.set_ylabel("loss" if program == "mlp" else "training accuracy")
    axes.legend()
    figure.savefig(report.RESULTS / f"published-{program}.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
