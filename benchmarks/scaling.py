"""How training the CNN on several machines would scale: a model on paper, from the measured step.

    python benchmarks/scaling.py

Prints the table of docs/scaling.md, which says what the model is and what it leaves out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

RESULTS = Path(__file__).parent / "results"
PARAMETERS = 3_274_634
MB = 4 * PARAMETERS / 1e6  # of float32 parameters, and of gradients
BATCH = 50  # images a worker and step
LATENCY = 50e-6  # seconds a message
WORKERS = (2, 8, 64)
NETWORKS = {"1 Gbit/s": 125.0, "10 Gbit/s": 1250.0, "100 Gbit/s": 12500.0}  # MB/s, each direction


class Step(NamedTuple):
    """What a step takes on the machine it was measured on, in seconds."""

    gradient: float
    update: float


class Forecast(NamedTuple):
    updates: float  # a second
    images: float  # a second
    megabytes: float  # a second, out of the busiest machine
    limit: str  # what the time goes to


def measured() -> Step:
    step = json.loads((RESULTS / "step.json").read_text("utf-8"))
    whole = step["ms_per_step"]["faster_backward"]["median"] / 1e3
    update = step["ms_by_operation"]["faster_backward"]["ResourceApplyAdam"] / 1e3
    return Step(whole - update, update)


def asynchronous(step: Step, workers: int, bandwidth: float) -> Forecast:
    """One parameter server; each worker reads, computes and sends in turn."""
    rates = {
        "workers": workers / (step.gradient + 2 * MB / bandwidth),
        "ps network": bandwidth / MB,
        "ps processor": 1 / step.update,
    }
    limit = min(rates, key=lambda name: rates[name])
    rate = rates[limit]
    return Forecast(rate, rate * BATCH, rate * MB, limit)


def synchronous(step: Step, workers: int, bandwidth: float) -> Forecast:
    """One parameter server sends to all, waits for all, updates once."""
    network = 2 * workers * MB / bandwidth
    rate = 1 / (step.gradient + network + step.update)
    limit = "ps network" if network > step.gradient else "workers"
    return Forecast(rate, rate * workers * BATCH, rate * workers * MB, limit)


def all_reduce(step: Step, workers: int, bandwidth: float) -> Forecast:
    """A ring: 2 (N - 1) messages of 1 / N of the gradient each."""
    hops = 2 * (workers - 1)
    network = hops * (MB / workers / bandwidth + LATENCY)
    rate = 1 / (step.gradient + network + step.update)
    limit = "network" if network > step.gradient else "workers"
    return Forecast(rate, rate * workers * BATCH, rate * hops * MB / workers, limit)


MANNERS = {
    "ps, asynchronous": asynchronous,
    "ps, synchronous": synchronous,
    "all-reduce": all_reduce,
}


def table() -> str:
    """Updates and images a second, and MB/s out of the busiest machine, in Markdown."""
    step = measured()
    lines = [
        "| network | manner | workers | updates/s | images/s | busiest MB/s | limited by |",
        "|---|---|---|---|---|---|---|",
    ]
    for network, bandwidth in NETWORKS.items():
        for manner, forecast in MANNERS.items():
            for workers in WORKERS:
                f = forecast(step, workers, bandwidth)
                lines.append(
                    f"| {network} | {manner} | {workers} | {f.updates:.1f} | {f.images:,.0f} "
                    f"| {f.megabytes:,.0f} | {f.limit} |"
                )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
