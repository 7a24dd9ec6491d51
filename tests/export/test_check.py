"""What is let through, and what is not."""

import numpy as np
import pytest

from deep_mnist.errors import ExportError
from deep_mnist.export import check, saved_model
from deep_mnist.export.check import FLOAT, INT8
from deep_mnist.export.model import Answers

LABELS = np.random.default_rng(0).integers(0, 10, 1_000)
EXPECTED = np.full((1_000, 10), 0.02)
EXPECTED[np.arange(1_000), LABELS] = 0.82
IMAGES = np.zeros((1_000, 784), np.float32)


def checked(limits, change=lambda scores: scores, classes=LABELS):
    def run(batches):
        return [Answers(change(EXPECTED[: len(b)].copy()), classes[: len(b)]) for b in batches]

    return check.check(run, IMAGES, LABELS, EXPECTED, limits)


def test_the_same_answers_pass():
    for limits in (FLOAT, INT8):
        assert checked(limits) == (1_000, 0.0, 1.0, 1.0, 1.0)
    assert checked(FLOAT, lambda s: s + 5e-5).largest_difference == pytest.approx(5e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda s: s + 2e-4,
            "in a batch of 1000 a probability differs by 0.0002, more than 0.0001",
        ),
        (lambda s: s * np.nan, "differs by nan"),
        (lambda s: s[:1], r"of 1000 images it gives scores \[1, 10\] and classes \[1000\]"),
        (lambda s: s + (len(s) == 7), "in a batch of 7 a probability differs by 1,"),
    ],
)
def test_other_probabilities_do_not(change, message):
    with pytest.raises(ExportError, match=message):
        checked(FLOAT, change)


def test_int8_may_read_a_few_digits_otherwise_but_not_more():
    few, many = LABELS.copy(), LABELS.copy()
    few[:10] = (few[:10] + 1) % 10
    many[:11] = (many[:11] + 1) % 10
    assert checked(INT8, classes=few).accuracy == 0.99
    with pytest.raises(ExportError, match=r"it reads 98\.9% of the digits as the weights do"):
        checked(INT8, classes=many)
    with pytest.raises(ExportError, match=r"it reads 99\.0% of the digits .* less than 100%"):
        checked(FLOAT, classes=few)


def test_a_fresh_process_that_does_not_answer_is_given_up(monkeypatch, tmp_path):
    monkeypatch.setattr(saved_model, "SECONDS", 0.01)
    with pytest.raises(ExportError, match=r"did not load and run it in 0\.01 s"):
        saved_model.opened(tmp_path, None)([IMAGES[:1]])


def test_an_export_that_fails_in_a_batch_is_told_in_one_line():
    def run(batches):
        raise ValueError("Cannot set tensor: dimension mismatch\nin a long trace")

    with pytest.raises(
        ExportError, match=r"^it can't be loaded and run: Cannot set tensor: dimens"
    ):
        check.check(run, IMAGES, LABELS, EXPECTED, FLOAT)
