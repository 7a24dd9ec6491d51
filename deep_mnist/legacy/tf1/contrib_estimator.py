"""tf.contrib.estimator: what tensorflow_estimator has not, or under another name."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from deep_mnist.legacy import libraries, symbol_table

__all__ = [
    "DNNEstimator",
    "LinearEstimator",
    "TowerOptimizer",
    "binary_classification_head",
    "forward_features",
    "multi_class_head",
    "regression_head",
    "replicate_model_fn",
]

original: Any = libraries.load(symbol_table.ESTIMATOR)
DNNEstimator, LinearEstimator = original.DNNEstimator, original.LinearEstimator
binary_classification_head = original.BinaryClassHead
multi_class_head = original.MultiClassHead
regression_head = original.RegressionHead


def TowerOptimizer(optimizer_or_optimizer_fn: Any) -> Any:  # noqa: N802, a class in TensorFlow 1
    """Return the optimizer: gradients are averaged over several devices only."""
    make = optimizer_or_optimizer_fn
    return make() if isinstance(make, types.FunctionType) else make


def replicate_model_fn(
    model_fn: Callable[..., Any], loss_reduction: Any = None, devices: Any = None
) -> Callable[..., Any]:
    """Return the model_fn, for one device."""
    return model_fn


def forward_features(estimator: Any, keys: Any = None, **unused: Any) -> Any:
    """Return an Estimator whose predictions contain the features `keys` too."""
    model_fn = estimator._call_model_fn
    names = [keys] if isinstance(keys, str) else keys

    def forwarding(features: Any, labels: Any, mode: str, config: Any) -> Any:
        spec = model_fn(features, labels, mode, config)
        if mode != original.ModeKeys.PREDICT:
            return spec
        kept = {name: features[name] for name in names or features}
        return spec._replace(predictions={**spec.predictions, **kept})

    return original.Estimator(forwarding, estimator.model_dir, estimator.config)
