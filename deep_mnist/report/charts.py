"""The charts that a set of runs gets."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from deep_mnist import data
from deep_mnist.errors import DatasetUnreachableError, printable
from deep_mnist.report import accuracy, confusion, curves, filters, misclassified, published
from deep_mnist.report.figure import Chart
from deep_mnist.report.predictions import Predictions, predict
from deep_mnist.report.runs import Run, by_kind


def draw(runs: list[Run], data_dir: str | None) -> Iterator[Chart]:
    """Yield the charts as they are drawn: of all runs, then of each model and dataset.

    Predictions and weights are those of the first finished run of a model and dataset.

    Raises:
      DatasetError: data_dir does not have the dataset.
      DeepMnistError: a run's weights cannot be read.
    """
    datasets = dict.fromkeys(run.dataset for run in runs if run.result is not None)
    test_sets = {name: _load_test_set(name, data_dir) for name in datasets}
    overview = accuracy.draw(runs)
    if overview is not None:
        yield overview
    for group in by_kind(runs).values():
        yield from filter(None, _draw_group(group, test_sets))


def _load_test_set(dataset: str, data_dir: str | None) -> data.Split | None:
    try:
        return data.load_data(dataset, data_dir).test
    except DatasetUnreachableError as error:
        warn(f"skipped the charts of predictions and weights: {error.message}", error.hint)
        return None


def _draw_group(runs: list[Run], test_sets: dict[str, data.Split | None]) -> Iterator[Chart | None]:
    yield curves.draw(runs)
    comparison = published.compare(runs)
    if comparison is not None:
        yield published.draw(comparison)
    run = next((run for run in runs if run.result is not None), None)
    test = None if run is None else test_sets[run.dataset]
    if run is None or test is None:
        return
    predictions = predict(run, test)
    _compare_with_result(run, predictions)
    yield confusion.draw(run, predictions)
    yield misclassified.draw(run, predictions)
    yield filters.draw_weights(run, predictions)
    yield filters.draw_feature_maps(run, predictions)


def _compare_with_result(run: Run, predictions: Predictions) -> None:
    """Print a warning if the run's result has another test accuracy."""
    assert run.result is not None
    examples = run.result["test_examples"]
    correct = round(run.result["test_accuracy"] * examples)
    if (predictions.correct, len(predictions.labels)) != (correct, examples):
        warn(
            f"{run.directory}: the weights classify {predictions.correct} of "
            f"{len(predictions.labels)} test images correctly, result.json has {correct} of "
            f"{examples}"
        )


def warn(message: str, hint: str | None = None) -> None:
    """Print a warning to standard error, and what the user can do."""
    print(f"warning: report: {printable(message)}", file=sys.stderr)
    if hint is not None:
        print(f"hint: {printable(hint)}", file=sys.stderr)
