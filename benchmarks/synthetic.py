"""Time to draw the synthetic digits of `--dataset generated`.

    python benchmarks/synthetic.py

Writes results/synthetic.json.
"""

from __future__ import annotations

import statistics
import time

import report

from deep_mnist.data import dataset, synthetic

ROUNDS = 5


def main() -> None:
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        synthetic.digits(dataset.SYNTHETIC_EXAMPLES, dataset.SYNTHETIC_SEED)
        seconds.append(time.perf_counter() - start)
    report.write(
        "synthetic",
        {
            "digits": dataset.SYNTHETIC_EXAMPLES,
            "rounds": ROUNDS,
            "seconds": {
                "median": round(statistics.median(seconds), 3),
                "lowest": round(min(seconds), 3),
                "highest": round(max(seconds), 3),
            },
        },
    )


if __name__ == "__main__":
    main()
