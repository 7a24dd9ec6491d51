"""The recipes: named sets of hyper-parameters, as what differs from a program's defaults.

Chosen on the validation set alone. The figures are means over seeds of the accuracy on the test
set, which was read once a run (benchmarks/results/accuracy-*.json).
"""

from __future__ import annotations

from typing import Any

RECIPES: dict[str, dict[str, dict[str, Any]]] = {
    "softmax": {
        "tutorial": {},
        "best": {
            "steps": 10_000,
            "learning_rate": 3e-3,
            "schedule": "one-cycle",
            "optimizer": "adam",
            "save_every": 2_000,
        },
    },
    "cnn": {
        "tutorial": {},
        "fast": {
            "steps": 2_000,
            "learning_rate": 3e-3,
            "schedule": "one-cycle",
            "keep_prob": 0.7,
            "beta2": 0.98,
            "augmentation": "slight",
            "precision": "auto",
        },
        "best": {
            "steps": 22_000,
            "batch_size": 100,
            "learning_rate": 2e-3,
            "schedule": "one-cycle",
            "beta2": 0.99,
            "average_decay": 0.998,
            "augmentation": "strong",
            "plain_steps": 4_000,
        },
    },
}


def settings(program: str, given: dict[str, Any]) -> dict[str, Any]:
    """The fields of a program's Config under the flags that were given: these, and its recipe's."""
    recipe = RECIPES.get(program, {}).get(given.get("recipe", "tutorial"), {})
    return {**recipe, **given}
