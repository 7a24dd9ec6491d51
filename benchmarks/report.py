"""What every result file says of where it was measured, and where it is written."""

from __future__ import annotations

import datetime
import json
import statistics
from pathlib import Path
from typing import Any

from deep_mnist import lazy_tensorflow
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import environment

RESULTS = Path(__file__).parent / "results"


def describe() -> dict[str, Any]:
    """Date, processor and versions."""
    lazy_tensorflow.import_quietly()
    date = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    versions = {**environment.versions(), "tensorflow": tf.__version__}
    return {"date": date, "machine": environment.device(), "versions": versions}


def write(name: str, values: dict[str, Any]) -> None:
    """Writes results/NAME.json and prints it."""
    text = json.dumps({**describe(), **values}, indent=2) + "\n"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(text, "utf-8")
    print(text, end="")


def spread(times: list[float]) -> dict[str, float]:
    """Median and quartiles."""
    low, median, high = statistics.quantiles(times, n=4)
    return {
        "median": round(median, 3),
        "lower_quartile": round(low, 3),
        "upper_quartile": round(high, 3),
    }
