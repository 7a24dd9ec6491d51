"""tf.estimator.Estimator: train, evaluate and predict around a model_fn, as until 2.15."""

from __future__ import annotations

import inspect
import os
import tempfile
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = [
    "Estimator",
    "EstimatorSpec",
    "EvalSpec",
    "ModeKeys",
    "RunConfig",
    "TrainSpec",
    "train_and_evaluate",
]


class ModeKeys:
    """What a model_fn is called for."""

    TRAIN = "train"
    EVAL = "eval"
    PREDICT = "infer"
    INFER = "infer"


class EstimatorSpec:
    """What a model_fn returns: the ops of the mode it was called for."""

    def __init__(
        self,
        mode: str,
        predictions: Any = None,
        loss: Any = None,
        train_op: Any = None,
        eval_metric_ops: Any = None,
        export_outputs: Any = None,
        training_chief_hooks: Any = None,
        training_hooks: Any = None,
        scaffold: Any = None,
        evaluation_hooks: Any = None,
        prediction_hooks: Any = None,
    ) -> None:
        self.mode, self.predictions, self.loss, self.train_op = mode, predictions, loss, train_op
        self.eval_metric_ops = eval_metric_ops or {}
        self.training_hooks = [*(training_hooks or []), *(training_chief_hooks or [])]
        self.evaluation_hooks = list(evaluation_hooks or [])
        self.prediction_hooks = list(prediction_hooks or [])
        self.scaffold = scaffold
        self.export_outputs = export_outputs


class RunConfig:
    """Where and how often an Estimator writes; settings of clusters are kept and not used."""

    def __init__(
        self,
        model_dir: Any = None,
        tf_random_seed: Any = None,
        save_summary_steps: int = 100,
        save_checkpoints_steps: Any = None,
        save_checkpoints_secs: Any = None,
        session_config: Any = None,
        keep_checkpoint_max: int = 5,
        log_step_count_steps: int = 100,
        **unused: Any,
    ) -> None:
        self.model_dir, self.tf_random_seed = model_dir, tf_random_seed
        self.save_summary_steps = save_summary_steps
        self.save_checkpoints_steps = save_checkpoints_steps
        self.save_checkpoints_secs = save_checkpoints_secs or 600
        self.session_config, self.keep_checkpoint_max = session_config, keep_checkpoint_max
        self.log_step_count_steps = log_step_count_steps

    def replace(self, **changes: Any) -> RunConfig:
        """The same with some settings changed."""
        return RunConfig(**{**self.__dict__, **changes})


TrainSpec = namedtuple("TrainSpec", ("input_fn", "max_steps", "hooks"), defaults=(None, None))
EvalSpec = namedtuple(
    "EvalSpec",
    ("input_fn", "steps", "name", "hooks", "exporters", "start_delay_secs", "throttle_secs"),
    defaults=(100, None, None, None, 0, 0),
)


class Estimator:
    """A model and its checkpoints.

    Args:
      model_fn: (features, labels, mode, params, config) -> EstimatorSpec; the last three, and
        labels, only where it names them.
      model_dir: where checkpoints and events go; a new temporary folder if not given.
    """

    def __init__(
        self,
        model_fn: Callable[..., Any],
        model_dir: Any = None,
        config: Any = None,
        params: Any = None,
        **unused: Any,
    ) -> None:
        self.config = config or RunConfig()
        self.model_dir = model_dir or getattr(self.config, "model_dir", None) or tempfile.mkdtemp()
        self.params = params if params is not None else {}
        self._model_fn = model_fn

    def train(
        self,
        input_fn: Callable[..., Any],
        hooks: Any = None,
        steps: Any = None,
        max_steps: Any = None,
        saving_listeners: Any = None,
    ) -> Estimator:
        """Trains `steps` more, or up to `max_steps` in all, or until the inputs end."""
        with tf.Graph().as_default():
            spec = self._build(input_fn, ModeKeys.TRAIN)
            tf.summary.scalar("loss", spec.loss)
            hooks = [*(hooks or []), *spec.training_hooks]
            if steps is not None or max_steps is not None:
                hooks.append(tf.train.StopAtStepHook(steps, max_steps))
            if max_steps is not None and self._step() >= max_steps:
                return self
            tensors = {"loss": spec.loss, "step": tf.train.get_global_step()}
            every = self.config.log_step_count_steps
            hooks.append(tf.train.LoggingTensorHook(tensors, every_n_iter=every))
            with tf.train.MonitoredTrainingSession(
                checkpoint_dir=self.model_dir,
                scaffold=spec.scaffold or self._scaffold(),
                hooks=hooks,
                save_checkpoint_steps=self.config.save_checkpoints_steps,
                save_checkpoint_secs=(
                    None
                    if self.config.save_checkpoints_steps
                    else self.config.save_checkpoints_secs
                ),
                save_summaries_steps=self.config.save_summary_steps,
                config=self.config.session_config,
                log_step_count_steps=every,
            ) as session:
                while not session.should_stop():
                    session.run([spec.train_op, spec.loss])
        return self

    def evaluate(
        self,
        input_fn: Callable[..., Any],
        steps: Any = None,
        hooks: Any = None,
        checkpoint_path: Any = None,
        name: Any = None,
    ) -> dict[str, Any]:
        """The metrics over `steps` batches or all of them, the mean loss and the step."""
        with tf.Graph().as_default():
            spec = self._build(input_fn, ModeKeys.EVAL)
            metrics = {**spec.eval_metric_ops, "loss": tf.metrics.mean(spec.loss)}
            updates = [update for _, update in metrics.values()]
            values = {key: value for key, (value, _) in metrics.items()}
            values["global_step"] = tf.train.get_global_step()
            with self._restored(
                [*(hooks or []), *spec.evaluation_hooks], checkpoint_path
            ) as session:
                done = 0
                while steps is None or done < steps:
                    try:
                        session.run(updates)
                    except tf.errors.OutOfRangeError:
                        break
                    done += 1
                answers = session._tf_sess().run(values)
        tf.logging.info("Saving dict for global step %d: %s", answers["global_step"], answers)
        return dict(sorted(answers.items()))

    def predict(
        self,
        input_fn: Callable[..., Any],
        predict_keys: Any = None,
        hooks: Any = None,
        checkpoint_path: Any = None,
        yield_single_examples: bool = True,
    ) -> Iterator[Any]:
        """The predictions, one example after another."""
        with tf.Graph().as_default():
            spec = self._build(input_fn, ModeKeys.PREDICT)
            wanted = spec.predictions
            if predict_keys is not None:
                keys = [predict_keys] if isinstance(predict_keys, str) else predict_keys
                wanted = {key: wanted[key] for key in keys}
            all_hooks = [*(hooks or []), *spec.prediction_hooks]
            with self._restored(all_hooks, checkpoint_path) as session:
                while True:
                    try:
                        batch = session.run(wanted)
                    except tf.errors.OutOfRangeError:
                        return
                    if not yield_single_examples:
                        yield batch
                    elif isinstance(batch, dict):
                        for row in zip(*batch.values(), strict=True):
                            yield dict(zip(batch, row, strict=True))
                    else:
                        yield from batch

    def export_savedmodel(
        self,
        export_dir_base: Any,
        serving_input_receiver_fn: Callable[[], Any],
        assets_extra: Any = None,
        as_text: bool = False,
        checkpoint_path: Any = None,
        **unused: Any,
    ) -> bytes:
        """Writes a SavedModel into a new folder, named by the time; the folder."""
        with tf.Graph().as_default():
            tf.train.get_or_create_global_step()
            receiver = serving_input_receiver_fn()
            spec = self._called(receiver.features, None, ModeKeys.PREDICT)
            fed = receiver.receiver_tensors
            signatures = {
                name: tf.saved_model.predict_signature_def(
                    fed if isinstance(fed, dict) else {"input": fed}, _outputs(output)
                )
                for name, output in (spec.export_outputs or {"": spec.predictions}).items()
            }
            default = tf.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY
            signatures.setdefault(default, next(iter(signatures.values())))
            signatures.pop("", None)
            folder = str(Path(os.fsdecode(export_dir_base)) / str(int(time.time())))
            with self._restored([], checkpoint_path) as session:
                session.graph._unsafe_unfinalize()  # the builder adds its Saver
                builder = tf.saved_model.Builder(folder)
                builder.add_meta_graph_and_variables(
                    session._tf_sess(), [tf.saved_model.tag_constants.SERVING], signatures
                )
                builder.save(as_text)
        return folder.encode()

    export_saved_model = export_savedmodel

    def latest_checkpoint(self) -> Any:
        """The prefix of the newest checkpoint; None before any."""
        return tf.train.latest_checkpoint(self.model_dir)

    def get_variable_names(self) -> list[str]:
        """The names in the newest checkpoint."""
        return [name for name, _ in tf.train.list_variables(self.latest_checkpoint())]

    def get_variable_value(self, name: str) -> Any:
        """A variable's value in the newest checkpoint."""
        return tf.train.load_variable(self.latest_checkpoint(), name)

    def _build(self, input_fn: Callable[..., Any], mode: str) -> Any:
        tf.set_random_seed(self.config.tf_random_seed or 0)
        tf.train.get_or_create_global_step()
        inputs = _given(input_fn, {"mode": mode, "params": self.params, "config": self.config})
        if isinstance(inputs, tf.data.Dataset):
            iterator = tf.data.make_initializable_iterator(inputs)
            tf.add_to_collection(tf.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
            inputs = iterator.get_next()
        features, labels = inputs if isinstance(inputs, tuple) else (inputs, None)
        self._labels = labels
        return self._called(features, labels, mode)

    def _called(self, features: Any, labels: Any, mode: str) -> Any:
        named = {"mode": mode, "params": self.params, "config": self.config}
        if "labels" in inspect.signature(self._model_fn).parameters:
            named["labels"] = labels
            return _specified(mode, _given(self._model_fn, named, features))
        return _specified(mode, _given(self._model_fn, named, features, labels))

    def _scaffold(self) -> Any:
        return tf.train.Scaffold(saver=tf.train.Saver(max_to_keep=self.config.keep_checkpoint_max))

    def _step(self) -> int:
        latest = self.latest_checkpoint()
        return int(tf.train.load_variable(latest, "global_step")) if latest else 0

    def _restored(self, hooks: Any, checkpoint: Any) -> Any:
        path = checkpoint or self.latest_checkpoint()
        if path is None:
            raise ValueError(f"Could not find trained model in model_dir: {self.model_dir}.")
        creator = tf.train.ChiefSessionCreator(
            checkpoint_filename_with_path=path, config=self.config.session_config
        )
        return tf.train.MonitoredSession(creator, hooks)


def train_and_evaluate(estimator: Estimator, train_spec: Any, eval_spec: Any) -> tuple[Any, Any]:
    """Trains to the end, then evaluates and exports once."""
    estimator.train(train_spec.input_fn, train_spec.hooks, max_steps=train_spec.max_steps)
    answers = estimator.evaluate(
        eval_spec.input_fn, eval_spec.steps, eval_spec.hooks, name=eval_spec.name
    )
    exporters = eval_spec.exporters or []
    for exporter in exporters if isinstance(exporters, list | tuple) else [exporters]:
        exporter.export(estimator)
    return answers, None


def _given(function: Callable[..., Any], named: dict[str, Any], *args: Any) -> Any:
    """Calls a function with those of the named arguments that it takes."""
    parameters = inspect.signature(function).parameters
    return function(*args, **{name: v for name, v in named.items() if name in parameters})


def _outputs(output: Any) -> dict[str, Any]:
    """The tensors by name of an export's output, or of predictions."""
    tensors = getattr(output, "outputs", output)
    return tensors if isinstance(tensors, dict) else {"output": tensors}


def _specified(mode: str, answer: Any) -> Any:
    """An EstimatorSpec; contrib.learn's model functions returned (predictions, loss, train_op)."""
    if isinstance(answer, tuple):
        predictions, loss, train_op = answer
        return EstimatorSpec(mode, predictions, loss, train_op)
    return answer
