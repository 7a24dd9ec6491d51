"""tf.contrib.learn.Experiment and learn_runner: an Estimator, its inputs and a schedule."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

__all__ = ["Experiment", "learn_runner"]


class Experiment:
    """Trains and evaluates an Estimator.

    Args:
      train_steps: the step to train up to; None trains until the inputs end.
      eval_steps: batches of an evaluation; None takes all of them.
      min_eval_frequency: steps between evaluations, where checkpoints are as frequent.
    """

    def __init__(
        self,
        estimator: Any,
        train_input_fn: Callable[..., Any],
        eval_input_fn: Callable[..., Any],
        eval_metrics: Any = None,
        train_steps: int | None = None,
        eval_steps: int | None = 100,
        train_monitors: Any = None,
        eval_hooks: Any = None,
        local_eval_frequency: Any = None,
        eval_delay_secs: float = 120,
        continuous_eval_throttle_secs: float = 60,
        min_eval_frequency: int | None = None,
        delay_workers_by_global_step: bool = False,
        export_strategies: Any = None,
        train_steps_per_iteration: int | None = None,
        **unused: Any,
    ) -> None:
        self.estimator = estimator
        self._train_input_fn, self._eval_input_fn = train_input_fn, eval_input_fn
        self._metrics, self._train_steps, self._eval_steps = eval_metrics, train_steps, eval_steps
        self._train_hooks, self._eval_hooks = list(train_monitors or []), list(eval_hooks or [])
        self._every = min_eval_frequency or local_eval_frequency
        self._iteration = train_steps_per_iteration

    def extend_train_hooks(self, additional_hooks: Any) -> None:
        """Add hooks to those of training."""
        self._train_hooks.extend(additional_hooks)

    def train(self, delay_secs: Any = None) -> Any:
        """Train up to train_steps."""
        return self._train(self._train_steps)

    def evaluate(self, delay_secs: Any = None, name: Any = None) -> dict[str, Any]:
        """Return the metrics of the latest checkpoint."""
        more = {"metrics": self._metrics} if self._metrics else {"hooks": self._eval_hooks}
        metrics = self.estimator.evaluate(
            input_fn=self._eval_input_fn, steps=self._eval_steps, **more
        )
        return dict(metrics)

    def train_and_evaluate(self) -> tuple[dict[str, Any], list[Any]]:
        """Train, evaluating at intervals and at the end; return (last metrics, no exports)."""
        saved = getattr(self.estimator.config, "save_checkpoints_steps", None)
        return self._alternate(max(self._every, saved) if self._every and saved else None), []

    local_run = train_and_evaluate

    def continuous_train_and_eval(self, continuous_eval_predicate_fn: Any = None) -> Any:
        """Alternate train_steps_per_iteration steps and evaluations; return (metrics, [])."""
        return self._alternate(self._iteration), []

    def test(self) -> dict[str, Any]:
        """Train one step; return the metrics of an evaluation."""
        self._train(1)
        return self.evaluate()

    def _alternate(self, every: int | None) -> dict[str, Any]:
        if every and self._train_steps:
            for step in range(every, self._train_steps, every):
                self._train(step)
                self.evaluate()
        self.train()
        return self.evaluate()

    def _train(self, step: int | None) -> Any:
        return self.estimator.train(self._train_input_fn, self._train_hooks, max_steps=step)


def _run(
    experiment_fn: Callable[..., Experiment],
    output_dir: Any = None,
    schedule: str | None = None,
    run_config: Any = None,
    hparams: Any = None,
) -> Any:
    """Run the schedule of the Experiment for a directory, or a RunConfig and hparams."""
    made = experiment_fn(output_dir) if run_config is None else experiment_fn(run_config, hparams)
    return getattr(made, schedule or "train_and_evaluate")()


learn_runner = SimpleNamespace(run=_run)
