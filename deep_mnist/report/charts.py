"""Which pictures a set of runs gets."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from deep_mnist import data
from deep_mnist.errors import DatasetUnreachableError
from deep_mnist.report import (
    accuracy,
    confusion,
    curves,
    figure,
    filters,
    misclassified,
    predictions,
    published,
)
from deep_mnist.report.figure import Picture
from deep_mnist.report.runs import Run, by_kind


def draw(runs: list[Run], data_dir: str | None) -> Iterator[Picture]:
    """Yields the pictures as they are drawn: of all runs, then kind by kind.

    What looks into a model is drawn of the first finished run of its kind.

    Raises:
      DatasetError: the data set is not where data_dir says.
      DeepMnistError: a run's weights can't be read.
    """
    yield from _drawn(accuracy.draw, runs)
    tests: dict[str, data.Split | None] = {}
    for group in by_kind(runs).values():
        yield from _drawn(curves.draw, group)
        comparison = published.compare(group)
        if comparison is not None:
            yield from _drawn(published.draw, comparison)
        finished = next((run for run in group if run.result is not None), None)
        if finished is None:
            continue
        if finished.dataset not in tests:
            tests[finished.dataset] = _test_digits(finished.dataset, data_dir)
        test = tests[finished.dataset]
        if test is not None:
            yield from _of_answers(finished, predictions.read(finished, test))


def _of_answers(run: Run, read: predictions.Answers) -> Iterator[Picture]:
    _compare_with_result(run, read)
    for picture in (
        confusion.draw,
        misclassified.draw,
        filters.draw_weights,
        filters.draw_feature_maps,
    ):
        yield from _drawn(picture, run, read)


def _drawn(draw: Callable[..., Picture | None], *what: Any) -> Iterator[Picture]:
    with figure.settings():
        picture = draw(*what)
    if picture is not None:
        yield picture


def _test_digits(dataset: str, data_dir: str | None) -> data.Split | None:
    try:
        return data.load_data(dataset, data_dir).test
    except DatasetUnreachableError as error:
        print(f"report: left out what needs the test digits: {error}", file=sys.stderr)
        return None


def _compare_with_result(run: Run, read: predictions.Answers) -> None:
    assert run.result is not None
    said = round(run.result["test_accuracy"] * run.result["test_examples"])
    if (read.correct, len(read.labels)) != (said, run.result["test_examples"]):
        print(
            f"report: {run.directory}: its weights read {read.correct} of {len(read.labels)} here, "
            f"its result says {said} of {run.result['test_examples']}",
            file=sys.stderr,
        )
