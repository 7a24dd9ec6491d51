"""tf.contrib.predictor: functions of arrays from SavedModels and Estimators."""

from __future__ import annotations

from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = ["from_estimator", "from_saved_model"]


class _Predictor:
    """{name: array} -> {name: array}, in a session that stays open."""

    def __init__(self, session: Any, feeds: dict[str, Any], fetches: dict[str, Any]) -> None:
        self.session, self.graph = session, session.graph
        self.feed_tensors, self.fetch_tensors = feeds, fetches

    def __call__(self, input_dict: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(input_dict) - set(self.feed_tensors))
        if unknown:
            expected = sorted(self.feed_tensors)
            raise ValueError(f"Got unexpected keys in input_dict: {unknown}, expected: {expected}")
        feed = {self.feed_tensors[name]: value for name, value in input_dict.items()}
        outputs: dict[str, Any] = self.session.run(self.fetch_tensors, feed)
        return outputs


def from_saved_model(
    export_dir: str,
    signature_def_key: str | None = None,
    signature_def: Any = None,
    input_names: dict[str, str] | None = None,
    output_names: dict[str, str] | None = None,
    tags: Any = None,
    graph: Any = None,
    config: Any = None,
) -> Any:
    """Return a predictor of one signature of a SavedModel, by default `serving_default`."""
    graph = graph or tf.Graph()
    with graph.as_default():
        session = tf.Session(graph=graph, config=config)
        given = tags.split(",") if isinstance(tags, str) else tags
        loaded = tf.saved_model.loader.load(session, given or ["serve"], export_dir)
    signature = signature_def or loaded.signature_def[signature_def_key or "serving_default"]
    inputs = input_names or {name: info.name for name, info in signature.inputs.items()}
    outputs = output_names or {name: info.name for name, info in signature.outputs.items()}
    return _Predictor(session, _tensors(graph, inputs), _tensors(graph, outputs))


def from_estimator(
    estimator: Any,
    serving_input_receiver_fn: Any,
    output_key: str | None = None,
    graph: Any = None,
    config: Any = None,
) -> Any:
    """Return a predictor of an Estimator's latest checkpoint."""
    graph = graph or tf.Graph()
    with graph.as_default():
        tf.train.get_or_create_global_step()
        receiver = serving_input_receiver_fn()
        spec = estimator._call_model_fn(receiver.features, None, "infer", estimator.config)
        if output_key is not None:
            fetches = spec.export_outputs[output_key].outputs
        else:
            fetches = spec.predictions
        session = tf.train.MonitoredSession(
            tf.train.ChiefSessionCreator(
                checkpoint_filename_with_path=estimator.latest_checkpoint(), config=config
            )
        )
    feeds = receiver.receiver_tensors
    feeds = feeds if isinstance(feeds, dict) else {"input": feeds}
    fetches = fetches if isinstance(fetches, dict) else {"output": fetches}
    return _Predictor(session, feeds, fetches)


def _tensors(graph: Any, names: dict[str, str]) -> dict[str, Any]:
    return {key: graph.get_tensor_by_name(name) for key, name in names.items()}
