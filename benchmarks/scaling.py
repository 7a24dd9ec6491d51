"""A model of training the CNN on several machines, computed from the measured time of a step.

    python benchmarks/scaling.py

Prints the table of docs/scaling.md, which describes the model and its limits.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

RESULTS = Path(__file__).parent / "results"
STEP = "step-avx2.json"  # of the machine on which clusters were measured (docs/distributed.md)
VARIANT = "custom gradients"  # of convolutions, pooling and products; since removed but the last
PARAMETERS = 3_274_634
MB = 4 * PARAMETERS / 1e6  # of the float32 parameters, and of a gradient
BATCH_SIZE = 50  # images per worker and step
LATENCY = 50e-6  # seconds per message
WORKERS = (2, 8, 64)
NETWORKS = {"1 Gbit/s": 125.0, "10 Gbit/s": 1250.0, "100 Gbit/s": 12500.0}  # MB/s, each direction


class Step(NamedTuple):
    """Times of a step on the machine where it was measured, in seconds."""

    gradient: float
    update: float


class Prediction(NamedTuple):
    """What the model predicts for a cluster."""

    updates: float  # per second
    images: float  # per second
    megabytes: float  # per second, sent by the busiest machine
    bottleneck: str


def measured() -> Step:
    """Return the times in the result file."""
    step = json.loads((RESULTS / STEP).read_text("utf-8"))
    total = step["ms_per_step"][VARIANT]["median"] / 1e3
    update = step["ms_by_operation"][VARIANT]["ResourceApplyAdam"] / 1e3
    return Step(total - update, update)


def asynchronous(step: Step, workers: int, bandwidth: float) -> Prediction:
    """One parameter server; each worker receives, computes and sends, one after the other."""
    rates = {
        "workers": workers / (step.gradient + 2 * MB / bandwidth),
        "ps network": bandwidth / MB,
        "ps processor": 1 / step.update,
    }
    bottleneck = min(rates, key=lambda name: rates[name])
    rate = rates[bottleneck]
    return Prediction(rate, rate * BATCH_SIZE, rate * MB, bottleneck)


def synchronous(step: Step, workers: int, bandwidth: float) -> Prediction:
    """One parameter server sends to all workers, receives from all, and updates once."""
    network = 2 * workers * MB / bandwidth
    rate = 1 / (step.gradient + network + step.update)
    bottleneck = "ps network" if network > step.gradient else "workers"
    return Prediction(rate, rate * workers * BATCH_SIZE, rate * workers * MB, bottleneck)


def all_reduce(step: Step, workers: int, bandwidth: float) -> Prediction:
    """A ring: 2 (N - 1) messages of 1 / N of the gradient each."""
    messages = 2 * (workers - 1)
    network = messages * (MB / workers / bandwidth + LATENCY)
    rate = 1 / (step.gradient + network + step.update)
    bottleneck = "network" if network > step.gradient else "workers"
    return Prediction(rate, rate * workers * BATCH_SIZE, rate * messages * MB / workers, bottleneck)


MODES = {
    "ps, asynchronous": asynchronous,
    "ps, synchronous": synchronous,
    "all-reduce": all_reduce,
}


def table() -> str:
    """Return the predictions for all networks, modes and numbers of workers, in Markdown."""
    step = measured()
    lines = [
        "| network | mode | workers | updates/s | images/s | busiest MB/s | bottleneck |",
        "|---|---|---|---|---|---|---|",
    ]
    for network, bandwidth in NETWORKS.items():
        for mode, predict in MODES.items():
            for workers in WORKERS:
                p = predict(step, workers, bandwidth)
                lines.append(
                    f"| {network} | {mode} | {workers} | {p.updates:.1f} | {p.images:,.0f} "
                    f"| {p.megabytes:,.0f} | {p.bottleneck} |"
                )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
