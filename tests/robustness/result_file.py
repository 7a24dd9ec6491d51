"""Result files of the test campaigns."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
RESULTS = Path(__file__).parent / "results"


def write(name: str, values: dict[str, Any]) -> None:
    """Write results/NAME.json, as benchmarks do."""
    sys.path.append(str(BENCHMARKS))
    import report

    report.write(name, values, RESULTS)
