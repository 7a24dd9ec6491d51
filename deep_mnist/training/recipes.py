"""Recipes: named settings of a program, as differences from the defaults.

"tutorial" has the settings of the program's source document. The others were chosen on the
validation set; their accuracies are in benchmarks/results/accuracy-*.json.
"""

from __future__ import annotations

from typing import Any

RECIPES: dict[str, dict[str, dict[str, Any]]] = {
    "softmax": {
        "tutorial": {"optimizer": "gradient-descent"},
        "best": {
            "steps": 10_000,
            "learning_rate": 3e-3,
            "schedule": "one-cycle",
            "optimizer": "adam",
            "save_every": 2_000,
        },
    },
    "cnn": {
        "tutorial": {"optimizer": "adam", "save_every": 2_000},
        "fast": {
            "steps": 560,
            "batch_size": 100,
            "learning_rate": 3e-3,
            "initialization": "he",
            "schedule": "one-cycle",
            "keep_prob": 0.8,
            "beta2": 0.98,
            "label_smoothing": 0.1,
            "augmentation": "slight",
            "precision": "auto",
        },
        "best": {
            "steps": 11_000,
            "batch_size": 200,
            "learning_rate": 3e-3,
            "initialization": "he",
            "schedule": "one-cycle",
            "beta2": 0.98,
            "weight_decay": 0.2,
            "augmentation": "strong",
            "plain_steps": 2_000,
            "precision": "auto",
        },
    },
    "mlp": {"tutorial": {"save_every": 469}},
    "fnn": {"tutorial": {"log_every": 1, "save_every": 10}},
}
