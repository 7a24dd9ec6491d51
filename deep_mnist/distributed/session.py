"""A training.Session in a cluster: calls time out, workers start with the same variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deep_mnist.checkpoints import reader, saver
from deep_mnist.distributed import reachability, server
from deep_mnist.distributed.task import Cluster, Task
from deep_mnist.distributed.timeouts import TimeLimit
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training.config import RunConfig
from deep_mnist.training.session import Session, specs_of

RESTART_HINT = "start it again, then this task"


class ClusterSession(Session):
    """What the sessions of both strategies have in common.

    `initialize`, `restore` and `restore_weights` only record the values of the variables. They
    are assigned by `start`, in which the other workers take part.

    Args:
      model: the tutorial's Model.
      run_config: numbers of threads and precision.
      task: this process.
      cluster: the cluster, as TensorFlow's server is to know it.
      job: this task's job in `cluster`.
      index: this task's index in its job.

    Attributes:
      step: global_step at the last call, the number of updates by all workers.
      time_limit: the limit of every call.
      restore_newest: set by the chief, called where the variables were lost: restores the newest
        checkpoint, or initializes the variables.
    """

    restore_newest: Callable[[], None]

    def __init__(
        self, model: Any, run_config: RunConfig, task: Task, cluster: Cluster, job: str, index: int
    ) -> None:
        self.task = task
        self.step = 0
        self.time_limit = TimeLimit(task.stall_timeout, self._explain_timeout)
        self._server_arguments = (cluster, job, index)
        self._values: dict[str, Any] = {}  # recorded for `start`, by name
        self._started = False
        self._global_step = tf.train.get_global_step().read_value()
        train_step = model.train_step
        with tf.control_dependencies([getattr(train_step, "op", train_step)]):
            self._step_after_update = tf.train.get_global_step().read_value()
        with tf.device(f"/job:{job}/task:{index}/device:CPU:0"):
            super().__init__(model, run_config)
        self.run = self._run

    def start(self, settings: dict[str, Any], directory: Path | None = None) -> None:
        """Assign the chief's recorded values to the variables of all workers.

        Args:
          settings: what this task must have in common with the chief, see config_check.
          directory: the run's, if this task is the chief.

        Raises:
          DeepMnistError: the settings differ from the chief's.
        """
        raise NotImplementedError

    def is_finished(self, steps: int) -> bool:
        """Return whether `steps` updates are made and no other task needs this worker."""
        raise NotImplementedError

    def running_directory(self) -> Path | None:
        """Return the directory of the run whose variables other tasks hold, if any."""
        return None

    def wait_for_workers(self) -> None:
        """As the chief, wait until no other worker changes the variables any more."""

    def announce_finished(self) -> None:
        """As the chief, let the other workers end."""

    def initialize(self) -> None:
        """Record that every variable has its initial value."""
        self._values = {}

    def is_finite(self) -> bool:
        """Return whether no weight is NaN or infinite."""
        if self._started:
            return super().is_finite()
        return all(np.isfinite(value).all() for value in self._values.values())

    def restore(self, prefix: Path) -> None:
        """Record the values of all variables; see training.Session."""
        self._values = saver.read(prefix, specs_of(self._variables))

    def restore_weights(self, path: Path, prefer: Sequence[str] = ()) -> list[str]:
        """Record the values of the trainable variables; see training.Session."""
        shapes = {name: spec.shape for name, spec in specs_of(self._weights).items()}
        loaded = reader.load_weights(reader.open_checkpoint(path), shapes, prefer)
        self._values = dict(loaded.values)
        return loaded.summary()

    def save(self, directory: Path, step: int, keep: int) -> None:
        """Save all variables; see training.Session."""
        self._call(lambda: Session.save(self, directory, step, keep))

    def _connect(self, settings: Any) -> Any:
        """Start the server and open a session on it."""
        self._config_proto = self._configure(settings)
        self._server = server.start(self.task, *self._server_arguments, self._config_proto)
        return self._open()

    def _open(self) -> Any:
        graph = tf.get_default_graph()
        return tf.Session(self._server.target, graph=graph, config=self._config_proto)

    def _configure(self, settings: Any) -> Any:
        """Return the tf.ConfigProto with what the strategy needs."""
        raise NotImplementedError

    def _initial_value(self, variable: Any) -> Any:
        """Return the tensor to feed for another initial value of a variable."""
        raise NotImplementedError

    def _call(self, function: Callable[[], Any]) -> Any:
        """Call a function within the time limit; react to the loss of a task."""
        raise NotImplementedError

    def _assign_recorded_values(self) -> None:
        """Run every initializer, with the recorded values."""
        values = {
            self._initial_value(self._variables[name]): value
            for name, value in self._values.items()
        }
        self._tf_session.run(self._initializer, values)
        self._started = True

    def _run(self, fetches: Any, feed_dict: Any = None) -> Any:
        """Like tf.Session.run; also fetch the step, after the update if `fetches` is one."""
        is_update = fetches is self.model.train_step
        step = self._step_after_update if is_update else self._global_step
        result, now = self._call(lambda: self._tf_session.run([fetches, step], feed_dict))
        self.step = int(now)
        return result

    def _explain_timeout(self) -> tuple[str, str]:
        others = {**self.task.parameter_servers, **self.task.workers}
        del others[self.task.name]
        missing = reachability.unreachable(others)
        if missing:
            return f"{reachability.describe(missing)} cannot be reached", RESTART_HINT
        return (
            "every task can be reached, so one of them is slow or stopped",
            "read their output, or use a longer --stall-timeout",
        )
