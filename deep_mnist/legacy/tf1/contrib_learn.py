"""tf.contrib.learn: Estimators with fit(x, y), of r0.8 to 1.3, on those of tf.estimator."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from deep_mnist.lazy_tensorflow import tf
from deep_mnist.legacy import libraries, symbol_table

__all__ = [
    "DNNClassifier",
    "DNNLinearCombinedClassifier",
    "DNNRegressor",
    "Estimator",
    "LinearClassifier",
    "LinearRegressor",
    "MetricSpec",
    "ModeKeys",
    "ModelFnOps",
    "SKCompat",
    "TensorFlowDNNClassifier",
    "TensorFlowLinearClassifier",
    "infer_real_valued_columns_from_input",
    "monitors",
    "real_valued_column",
    "run_config",
]

original: Any = libraries.load(symbol_table.ESTIMATOR)
# Arguments of contrib.learn without effect, or that tf.estimator's classes do not have.
DROPPED = (
    *("gradient_clip_norm", "enable_centered_bias", "feature_engineering_fn", "verbose"),
    *("embedding_lr_multipliers", "input_layer_min_slice_size", "num_cores", "continue_training"),
)
COLUMN = "features"  # the name of an array that was given without one


class ModeKeys(original.ModeKeys):  # type: ignore[misc]
    """tf.estimator.ModeKeys; PREDICT was INFER."""

    INFER = original.ModeKeys.PREDICT


class _Fit:
    """An estimator of tf.estimator, with fit, evaluate and predict over arrays.

    Args:
      make: feature columns -> the estimator.
      columns: its feature columns; None takes those of the first array.
    """

    def __init__(self, make: Callable[[Any], Any], columns: Any = None) -> None:
        self._make = make
        self._columns = columns

    @functools.cached_property
    def _estimator(self) -> Any:
        return self._make(self._columns)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._estimator, name)

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
        """Train; a batch has 128 examples by default."""
        epochs = None if steps or max_steps else 1
        given = self._input_fn(input_fn, x, y, batch_size, epochs, True)
        hooks = [m for m in monitors or [] if isinstance(m, tf.train.SessionRunHook)]
        self._estimator.train(given, hooks, steps, max_steps)
        return self

    partial_fit = fit

    def train(self, input_fn: Any, *args: Any, **kwargs: Any) -> Any:
        """Train on the tensors of an input_fn."""
        given = self._input_fn(input_fn, None, None, None, None, True)
        self._estimator.train(given, *args, **kwargs)
        return self

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        input_fn: Any = None,
        steps: Any = None,
        batch_size: Any = None,
        metrics: Any = None,
        **more: Any,
    ) -> Any:
        """Return the metrics over all examples, or over `steps` batches."""
        if callable(x):
            x, input_fn = None, x
        given = self._input_fn(input_fn, x, y, batch_size, 1, False)
        estimator = self._estimator
        if metrics:
            estimator = original.add_metrics(estimator, _metric_fn(metrics))
        hooks = {"hooks": more["hooks"]} if "hooks" in more else {}
        return estimator.evaluate(given, steps, **hooks)

    def predict(self, x: Any = None, input_fn: Any = None, **more: Any) -> Any:
        """Return the predicted labels of a classifier, else what the model_fn predicts."""
        if callable(x):
            x, input_fn = None, x
        rows = self._rows(x, input_fn, more.get("batch_size"))
        if more.get("outputs"):
            return rows
        values = (_label(row) for row in rows)
        return values if more.get("as_iterable", True) else np.array(list(values))

    predict_classes = predict

    def predict_proba(self, x: Any = None, input_fn: Any = None, **unused: Any) -> Any:
        """Return the probability of each class."""
        return (row["probabilities"] for row in self._rows(x, input_fn, None))

    def score(self, x: Any, y: Any) -> float:
        """Return the accuracy."""
        return float(self.evaluate(x, y)["accuracy"])

    def _rows(self, x: Any, input_fn: Any, batch_size: Any) -> Any:
        return self._estimator.predict(self._input_fn(input_fn, x, None, batch_size, 1, False))

    def _input_fn(
        self, input_fn: Any, x: Any, y: Any, batch_size: Any, epochs: Any, shuffle: bool
    ) -> Callable[[], Any]:
        if input_fn is None:
            x = {name: np.asarray(v) for name, v in x.items()} if isinstance(x, dict) else x
            x = x if isinstance(x, dict) else np.asarray(x)
            if self._columns is None and not isinstance(x, dict):
                self._columns = infer_real_valued_columns_from_input(x)
            input_fn = original.inputs.numpy_input_fn(
                x if isinstance(x, dict) else {self._column(): x},
                None if y is None else np.asarray(y),
                batch_size or 128,
                epochs,
                shuffle,
            )
            if isinstance(x, dict) or self._named():
                return input_fn  # type: ignore[no-any-return]

        def named() -> Any:
            inputs = input_fn()
            features, *labels = inputs if isinstance(inputs, tuple) else (inputs,)
            if self._named() and not isinstance(features, dict):
                features = {self._column(): features}
            elif not self._named() and isinstance(features, dict) and [*features] == [COLUMN]:
                features = features[COLUMN]
            return (features, *labels) if labels else features

        return named

    def _named(self) -> bool:
        """Whether the model wants features by name: classifiers do, a model_fn does not."""
        return True

    def _column(self) -> str:
        return next((getattr(c, "key", COLUMN) for c in self._columns or ()), COLUMN)


def _canned(kind: str) -> Callable[..., Any]:
    """Return the class of contrib.learn of one of tf.estimator's canned estimators."""
    make = getattr(original, kind)
    signature = inspect.signature(make.__init__)

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        kwargs = {name: value for name, value in kwargs.items() if name not in DROPPED}
        if "weight_column_name" in kwargs:
            kwargs["weight_column"] = kwargs.pop("weight_column_name")
        given = signature.bind_partial(None, *args, **kwargs).arguments
        given.pop("self")
        mean = tf.losses.Reduction.SUM_OVER_BATCH_SIZE
        columns = given.pop("feature_columns", None)
        named = {} if "Combined" in kind else {"feature_columns": columns}

        def made(inferred: Any) -> Any:
            if named:
                named["feature_columns"] = inferred
            return make(**{"loss_reduction": mean, **given, **named})

        _Fit.__init__(self, made, columns or given.get("dnn_feature_columns"))

    return type(kind, (_Fit,), {"__init__": init, "__doc__": f"tf.estimator.{kind} with fit."})


DNNClassifier = _canned("DNNClassifier")
DNNRegressor = _canned("DNNRegressor")
LinearClassifier = _canned("LinearClassifier")
LinearRegressor = _canned("LinearRegressor")
DNNLinearCombinedClassifier = _canned("DNNLinearCombinedClassifier")


class Estimator(_Fit):
    """tf.estimator.Estimator with fit.

    Args:
      model_fn: returns ModelFnOps, an EstimatorSpec, or (predictions, loss, train_op).
    """

    def __init__(
        self,
        model_fn: Any = None,
        model_dir: Any = None,
        config: Any = None,
        params: Any = None,
        **unused: Any,
    ) -> None:
        parameters = inspect.signature(model_fn).parameters

        def adapted(features: Any, labels: Any, mode: str, params: Any, config: Any) -> Any:
            options = {"mode": mode, "params": params, "config": config}
            options = {name: v for name, v in options.items() if name in parameters}
            spec = model_fn(features, labels, **options)
            if not isinstance(spec, tuple) or hasattr(spec, "_fields"):
                return spec
            if mode == ModeKeys.PREDICT:
                return original.EstimatorSpec(mode, spec[0])
            return original.EstimatorSpec(mode, *spec)

        super().__init__(lambda _: original.Estimator(adapted, model_dir, config, params))

    def _named(self) -> bool:
        return False


class MetricSpec:
    """A metric over one of the predictions."""

    def __init__(self, metric_fn: Any, prediction_key: Any = None, label_key: Any = None) -> None:
        self.metric_fn, self.prediction_key, self.label_key = metric_fn, prediction_key, label_key


def _metric_fn(metrics: dict[Any, Any]) -> Callable[..., Any]:
    """Return the function that original.add_metrics takes."""

    def metric_fn(predictions: Any, labels: Any) -> Any:
        computed = {}
        for name, metric in metrics.items():
            key = name[1] if isinstance(name, tuple) else getattr(metric, "prediction_key", None)
            function = getattr(metric, "metric_fn", metric)
            value = predictions if key is None else predictions[key]
            computed[name[0] if isinstance(name, tuple) else name] = function(
                labels=labels, predictions=value
            )
        return computed

    return metric_fn


def ModelFnOps(  # noqa: N802, a class in TensorFlow 1
    mode: str,
    predictions: Any = None,
    loss: Any = None,
    train_op: Any = None,
    eval_metric_ops: Any = None,
    **unused: Any,
) -> Any:
    """Return the EstimatorSpec of what a model_fn of contrib.learn returned."""
    if mode == ModeKeys.PREDICT:
        return original.EstimatorSpec(mode, predictions)
    return original.EstimatorSpec(mode, predictions, loss, train_op, eval_metric_ops)


class SKCompat:
    """An estimator whose predict returns all predictions at once, an array for each name."""

    def __init__(self, estimator: Any) -> None:
        self._wrapped = estimator

    def fit(self, x: Any, y: Any, batch_size: int = 128, steps: Any = None, **more: Any) -> Any:
        """Train and return self."""
        self._wrapped.fit(x, y, batch_size=batch_size, steps=steps, **more)
        return self

    def predict(self, x: Any, batch_size: int = 128, **unused: Any) -> Any:
        """Return {"classes": [N] int64, "probabilities": [N, classes]} of a classifier."""
        rows = list(self._wrapped._rows(x, None, batch_size))
        if not isinstance(rows[0], dict):
            return np.array(rows)
        predictions = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        if "class_ids" in predictions:
            predictions["classes"] = predictions["class_ids"][:, 0]
        return predictions

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wrapped, name)


def TensorFlowDNNClassifier(  # noqa: N802, a class in TensorFlow 0.8
    hidden_units: Any,
    n_classes: int,
    batch_size: int = 32,
    steps: int = 200,
    optimizer: Any = "Adagrad",
    learning_rate: float = 0.1,
    **unused: Any,
) -> Any:
    """Return the classifier of r0.8, which was given steps and batch size when it was made."""
    return _Stepped(DNNClassifier(hidden_units, None, None, n_classes), steps, batch_size)


def TensorFlowLinearClassifier(  # noqa: N802, a class in TensorFlow 0.8
    n_classes: int, batch_size: int = 32, steps: int = 200, **unused: Any
) -> Any:
    """Return the classifier of r0.8, which was given steps and batch size when it was made."""
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
    """Return the feature columns of an array: one, of its width."""
    return [tf.feature_column.numeric_column(COLUMN, shape=np.asarray(x).shape[1:])]


def real_valued_column(
    column_name: str,
    dimension: int = 1,
    default_value: Any = None,
    dtype: Any = None,
    normalizer: Any = None,
) -> Any:
    """Return the column of a feature of `dimension` numbers."""
    return tf.feature_column.numeric_column(
        column_name or COLUMN, (dimension or 1,), default_value, dtype or tf.float32, normalizer
    )


def _label(row: Any) -> Any:
    """Return the label of a classifier's prediction, the number of a regressor's."""
    if isinstance(row, dict) and "class_ids" in row:
        return int(row["class_ids"][0])
    if isinstance(row, dict) and [*row] == ["predictions"]:
        return row["predictions"][0]
    return row


monitors = SimpleNamespace(ValidationMonitor=lambda *args, **kwargs: None)
run_config = SimpleNamespace(RunConfig=original.RunConfig)
