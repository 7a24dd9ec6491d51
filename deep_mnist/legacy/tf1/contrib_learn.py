"""tf.contrib.learn: Estimator and classifiers with fit(x, y), of r0.8 to 1.3."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from deep_mnist.lazy_tensorflow import tf
from deep_mnist.legacy.tf1 import canned_estimators, estimator
from deep_mnist.legacy.tf1.input_functions import numpy_input_fn

__all__ = [
    "DNNClassifier",
    "Estimator",
    "LinearClassifier",
    "MetricSpec",
    "ModelFnOps",
    "SKCompat",
    "TensorFlowDNNClassifier",
    "TensorFlowLinearClassifier",
    "infer_real_valued_columns_from_input",
    "monitors",
    "real_valued_column",
    "run_config",
]


class _Fit(estimator.Estimator):
    """fit, evaluate, score and predict over arrays, where tf.estimator takes an input_fn."""

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        input_fn: Any = None,
        steps: Any = None,
        batch_size: Any = None,
        monitors: Any = None,
        max_steps: Any = None,
        **unused: Any,
    ) -> Any:
        """Trains; a batch is of 128 examples unless said otherwise."""
        given = input_fn or numpy_input_fn(
            np.asarray(x), _labels(y), batch_size or 128, None if steps or max_steps else 1
        )
        hooks = [m for m in monitors or [] if isinstance(m, tf.train.SessionRunHook)]
        return self.train(given, hooks, steps, max_steps)

    partial_fit = fit

    def evaluate(  # type: ignore[override]
        self,
        x: Any = None,
        y: Any = None,
        input_fn: Any = None,
        steps: Any = None,
        batch_size: Any = None,
        metrics: Any = None,
        **more: Any,
    ) -> Any:
        """The metrics over all examples, or over `steps` batches."""
        if callable(x):
            x, input_fn = None, x
        given = input_fn or numpy_input_fn(np.asarray(x), _labels(y), batch_size or 128, 1, False)
        self._metrics = metrics or {}
        return super().evaluate(given, steps)

    def predict(  # type: ignore[override]
        self, x: Any = None, input_fn: Any = None, **more: Any
    ) -> Any:
        """The predictions: whole numbers of classifiers, whatever a model_fn gives else."""
        given = input_fn or numpy_input_fn(np.asarray(x), None, 128, 1, False)
        rows = super().predict(given)
        if isinstance(self, canned_estimators.DNNClassifier | canned_estimators.LinearClassifier):
            classes = (int(row["class_ids"][0]) for row in rows)
            return classes if more.get("as_iterable", True) else np.array(list(classes))
        return rows

    def predict_proba(self, x: Any = None, input_fn: Any = None, **unused: Any) -> Any:
        """The probabilities of the classes."""
        given = input_fn or numpy_input_fn(np.asarray(x), None, 128, 1, False)
        return (row["probabilities"] for row in super().predict(given))

    def score(self, x: Any, y: Any) -> float:
        """The accuracy."""
        return float(self.evaluate(x, y)["accuracy"])


class DNNClassifier(_Fit, canned_estimators.DNNClassifier):
    """tf.estimator's, with fit."""


class LinearClassifier(_Fit, canned_estimators.LinearClassifier):
    """tf.estimator's, with fit."""


class Estimator(_Fit):
    """tf.estimator's, with fit, and with metrics that are given to evaluate."""

    def _build(self, input_fn: Callable[..., Any], mode: str) -> Any:
        spec = super()._build(input_fn, mode)
        if mode == estimator.ModeKeys.EVAL and getattr(self, "_metrics", None):
            spec.eval_metric_ops = {
                name: metric.metric_fn(
                    labels=self._labels,
                    predictions=_part(spec.predictions, metric.prediction_key),
                )
                for name, metric in self._metrics.items()
            }
        return spec


class MetricSpec:
    """A metric over one of the predictions."""

    def __init__(self, metric_fn: Any, prediction_key: Any = None, label_key: Any = None) -> None:
        self.metric_fn, self.prediction_key, self.label_key = metric_fn, prediction_key, label_key


def ModelFnOps(  # noqa: N802, the name of the time
    mode: str,
    predictions: Any = None,
    loss: Any = None,
    train_op: Any = None,
    eval_metric_ops: Any = None,
    **unused: Any,
) -> Any:
    """What a model_fn of the time returned."""
    return estimator.EstimatorSpec(mode, predictions, loss, train_op, eval_metric_ops)


class SKCompat:
    """An Estimator whose predict gives all predictions at once, an array under each name."""

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped

    def fit(self, x: Any, y: Any, batch_size: int = 128, steps: Any = None, **more: Any) -> Any:
        self._wrapped.fit(x, y, batch_size=batch_size, steps=steps, **more)
        return self

    def predict(self, x: Any, batch_size: int = 128, **unused: Any) -> Any:
        """{"classes": [N] int64, "probabilities": [N, classes]} of a classifier."""
        given = numpy_input_fn(np.asarray(x), None, batch_size, 1, False)
        rows = list(estimator.Estimator.predict(self._wrapped, given))
        if not isinstance(rows[0], dict):
            return np.array(rows)
        answer = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        if "class_ids" in answer:
            answer["classes"] = answer["class_ids"][:, 0]
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wrapped, name)


def TensorFlowDNNClassifier(  # noqa: N802, the name of the time
    hidden_units: Any,
    n_classes: int,
    batch_size: int = 32,
    steps: int = 200,
    optimizer: Any = "Adagrad",
    learning_rate: float = 0.1,
    **unused: Any,
) -> Any:
    """r0.8's classifier, whose steps and batch size were its own."""
    return _Stepped(DNNClassifier(hidden_units, None, None, n_classes), steps, batch_size)


def TensorFlowLinearClassifier(  # noqa: N802, the name of the time
    n_classes: int, batch_size: int = 32, steps: int = 200, **unused: Any
) -> Any:
    """r0.8's classifier, whose steps and batch size were its own."""
    return _Stepped(LinearClassifier(None, None, n_classes), steps, batch_size)


class _Stepped:
    def __init__(self, classifier: Any, steps: int, batch_size: int) -> None:
        self._classifier, self._steps, self._batch_size = classifier, steps, batch_size

    def fit(self, x: Any, y: Any, **unused: Any) -> Any:
        self._classifier.fit(x, y, steps=self._steps, batch_size=self._batch_size)
        return self

    def predict(self, x: Any) -> Any:
        return np.array(list(self._classifier.predict(x)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._classifier, name)


def infer_real_valued_columns_from_input(x: Any) -> Any:
    """Feature columns of an array: one, of its width."""
    return [tf.feature_column.numeric_column("", shape=np.asarray(x).shape[1:])]


def real_valued_column(
    column_name: str,
    dimension: int = 1,
    default_value: Any = None,
    dtype: Any = None,
    normalizer: Any = None,
) -> Any:
    """A feature of `dimension` numbers."""
    dtype = dtype or tf.float32
    return tf.feature_column.numeric_column(
        column_name, (dimension or 1,), default_value, dtype, normalizer
    )


def _labels(y: Any) -> Any:
    return None if y is None else np.asarray(y)


def _part(predictions: Any, key: Any) -> Any:
    return predictions[key] if key is not None else predictions


monitors = SimpleNamespace(ValidationMonitor=lambda *args, **kwargs: None)
run_config = SimpleNamespace(RunConfig=estimator.RunConfig)
