"""tf.estimator.export: what a served Estimator is fed with and answers, and when to write one."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = [
    "BestExporter",
    "ClassificationOutput",
    "FinalExporter",
    "LatestExporter",
    "PredictOutput",
    "RegressionOutput",
    "ServingInputReceiver",
    "build_parsing_serving_input_receiver_fn",
    "build_raw_serving_input_receiver_fn",
]

ServingInputReceiver = namedtuple(
    "ServingInputReceiver",
    ("features", "receiver_tensors", "receiver_tensors_alternatives"),
    defaults=(None,),
)


def build_raw_serving_input_receiver_fn(
    features: dict[str, Any], default_batch_size: Any = None
) -> Callable[[], Any]:
    """A function that makes placeholders like these tensors, any number of examples each."""
    kinds = {name: (t.dtype, t.shape.as_list()[1:]) for name, t in features.items()}

    def receive() -> Any:
        fed = {
            name: tf.placeholder(dtype, [default_batch_size, *rest], name)
            for name, (dtype, rest) in kinds.items()
        }
        return ServingInputReceiver(fed, fed)

    return receive


def build_parsing_serving_input_receiver_fn(
    feature_spec: dict[str, Any], default_batch_size: Any = None
) -> Callable[[], Any]:
    """A function that makes a placeholder of serialized tf.train.Examples, and parses them."""

    def receive() -> Any:
        examples = tf.placeholder(tf.string, [default_batch_size], "input_example_tensor")
        return ServingInputReceiver(
            tf.parse_example(examples, feature_spec), {"examples": examples}
        )

    return receive


class PredictOutput:
    """Tensors by name, or one."""

    def __init__(self, outputs: Any) -> None:
        self.outputs = outputs if isinstance(outputs, dict) else {"output": outputs}


class ClassificationOutput(PredictOutput):
    """Scores [B, classes], names of classes [B, classes], or both."""

    def __init__(self, scores: Any = None, classes: Any = None) -> None:
        given = {"scores": scores, "classes": classes}
        super().__init__({name: value for name, value in given.items() if value is not None})


class RegressionOutput(PredictOutput):
    """Numbers [B]."""

    def __init__(self, value: Any) -> None:
        super().__init__({"outputs": value})


class FinalExporter:
    """Writes the trained model below `export/NAME` of the model's folder, at the end."""

    def __init__(
        self, name: str = "exporter", serving_input_receiver_fn: Any = None, **unused: Any
    ) -> None:
        self.name, self._receive = name, serving_input_receiver_fn

    def export(self, estimator: Any, export_path: Any = None, **unused: Any) -> Any:
        """Writes it; the folder."""
        folder = export_path or Path(estimator.model_dir) / "export" / self.name
        return estimator.export_savedmodel(folder, self._receive)


class LatestExporter(FinalExporter):
    """The same, for a model that is evaluated once."""


class BestExporter(FinalExporter):
    """The same, for a model that is evaluated once."""
