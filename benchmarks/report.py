"""Result files: date, machine and versions of a benchmark, and what it measured."""

from __future__ import annotations

import datetime
import json
import statistics
from pathlib import Path
from typing import Any

from deep_mnist import lazy_tensorflow
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import environment
from deep_mnist.training.cpu_features import cpu_features

RESULTS = Path(__file__).parent / "results"
VECTOR_INSTRUCTIONS = {"avx512f": "AVX-512", "avx2": "AVX2"}  # by their name in /proc/cpuinfo


def describe() -> dict[str, Any]:
    """Return the date, the machine and the versions."""
    lazy_tensorflow.import_quietly()
    versions = {**environment.versions(), "tensorflow": tf.__version__}
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "machine": f"{environment.device()}, {vector_instructions()}",
        "versions": versions,
    }


def vector_instructions() -> str:
    """Return the widest vector instructions of the CPU (Linux only)."""
    features = cpu_features()
    return next((text for name, text in VECTOR_INSTRUCTIONS.items() if name in features), "SSE")


def write(name: str, values: dict[str, Any], directory: Path = RESULTS) -> None:
    """Write directory/NAME.json and print it."""
    text = json.dumps({**describe(), **values}, indent=2) + "\n"
    (directory / f"{name}.json").write_text(text, "utf-8")
    print(text, end="")


def spread(values: list[float]) -> dict[str, float]:
    """Return the median and the quartiles."""
    low, median, high = statistics.quantiles(values, n=4)
    return {
        "median": round(median, 3),
        "lower_quartile": round(low, 3),
        "upper_quartile": round(high, 3),
    }
