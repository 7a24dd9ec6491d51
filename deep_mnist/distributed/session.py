"""A training.Session of a worker: its calls end, and its variables begin together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deep_mnist.checkpoints import reader, saver
from deep_mnist.checkpoints.variables import AVERAGE_SUFFIX
from deep_mnist.distributed import reachability, server
from deep_mnist.distributed.task import Jobs, Task
from deep_mnist.distributed.timeouts import Patience
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training.session import Session, specs_of


class ClusterSession(Session):
    """What the two strategies have in common.

    What `initialize`, `restore` and `restore_weights` say happens at `begin`, because the other
    workers have to be told of it or to take part.

    Args:
      task: this process.
      jobs, job, index: the cluster and this task as TensorFlow's server is to know them.

    Attributes:
      step: global_step as of the last call: updates by all workers.
    """

    def __init__(
        self, model: Any, config: Any, task: Task, jobs: Jobs, job: str, index: int
    ) -> None:
        self.task = task
        self.step = 0
        self.patience = Patience(task.stall_timeout, self._why)
        self._server_arguments = (jobs, job, index)
        self._values: dict[str, Any] = {}  # by name: what a variable is to begin with
        self._has_begun = False
        self._global_step = tf.train.get_global_step().read_value()
        train_step = model.train_step
        with tf.control_dependencies([getattr(train_step, "op", train_step)]):
            self._step_after = tf.train.get_global_step().read_value()
        with tf.device(f"/job:{job}/task:{index}/device:CPU:0"):
            super().__init__(model, config)
        self.run = self._run

    def begin(self, own_terms: dict[str, Any], directory: Path | None = None) -> None:
        """Gives the variables the values to begin with; the chief's alone count.

        Args:
          own_terms: what this task would train by, see terms.of.
          directory: the chief's run's.

        Raises:
          DeepMnistError: its terms are not the chief's.
        """
        raise NotImplementedError

    def is_over(self, steps: int) -> bool:
        """Whether this worker is done: `steps` updates are made, and nobody wants more of it."""
        raise NotImplementedError

    def gather(self) -> None:
        """The chief waits until no other worker changes the variables any more."""

    def release(self) -> None:
        """The chief lets the other workers go."""

    def give_up(self) -> None:
        """The chief tells the others that it has failed, so that they don't wait for it."""

    def initialize(self) -> None:
        self._values = {}

    def is_finite(self) -> bool:
        """Of what the variables are to begin with, until they have."""
        if self._has_begun:
            return super().is_finite()
        return all(np.isfinite(value).all() for value in self._values.values())

    def restore(self, prefix: Path) -> None:
        specs = specs_of(self._variables)
        saver.check_variables(prefix, specs)
        checkpoint = reader.open_checkpoint(prefix)
        self._values = {name: checkpoint.read(name) for name in specs}

    def restore_weights(self, place: Path, prefer: Sequence[str] = ()) -> list[str]:
        shapes = {name: spec.shape for name, spec in specs_of(self._weights).items()}
        loaded = reader.load_weights(reader.open_checkpoint(place), shapes, prefer)
        self._values = dict(loaded.values)
        for name, value in loaded.values.items():
            if name + AVERAGE_SUFFIX in self._variables:
                self._values[name + AVERAGE_SUFFIX] = value
        return loaded.summary()

    def save(self, directory: Path, step: int, keep: int) -> None:
        self._patiently(lambda: Session.save(self, directory, step, keep))

    def _connect(self, settings: Any) -> Any:
        """Starts the server and opens a session on it."""
        self._settings = self._cluster_settings(settings)
        started = server.start(self.task, *self._server_arguments, self._settings)
        self._server = started  # as long as there is a reference, TensorFlow keeps it
        return self._open()

    def _open(self) -> Any:
        graph = tf.get_default_graph()
        return tf.Session(self._server.target, graph=graph, config=self._settings)

    def _cluster_settings(self, settings: Any) -> Any:
        """The tf.ConfigProto, with what the strategy wants in it."""
        raise NotImplementedError

    def _initial_value(self, variable: Any) -> Any:
        """The tensor to feed for a variable to begin with another value."""
        raise NotImplementedError

    def _initialize_with_values(self) -> None:
        """Runs every initializer, with the values that were restored."""
        feed = {
            self._initial_value(self._variables[name]): value
            for name, value in self._values.items()
        }
        self._tf_session.run(self._initializer, feed)
        self._has_begun = True

    def _run(self, fetches: Any, feed_dict: Any = None) -> Any:
        """As tf.Session's; notes the step, after the update where `fetches` is one."""
        step = self._step_after if fetches is self.model.train_step else self._global_step
        result, now = self._patiently(lambda: self._tf_session.run([fetches, step], feed_dict))
        self.step = int(now)
        return result

    def _patiently(self, function: Callable[[], Any]) -> Any:
        """`_call`, and what the strategy does where another task is lost."""
        raise NotImplementedError

    def _call(self, function: Callable[[], Any]) -> Any:
        return self.patience.call(function)

    def _why(self) -> str:
        """What a call that does not return may wait for."""
        others = {**self.task.parameter_servers, **self.task.workers}
        del others[self.task.name]
        absent = reachability.absent(others)
        if absent:
            return (
                f"{reachability.describe(absent)} can't be reached: start it again, then this one"
            )
        return (
            "every task can be reached, so one of them is slow or stopped: "
            "look at their output, or take a longer --stall-timeout"
        )
