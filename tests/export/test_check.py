"""How much an export may differ from the model."""

import numpy as np
import pytest

from deep_mnist.errors import ExportError
from deep_mnist.export import check, saved_model
from deep_mnist.export.check import FLOAT, INT8
from deep_mnist.export.model import Outputs

LABELS = np.random.default_rng(0).integers(0, 10, 1_000)
EXPECTED = np.full((1_000, 10), 0.02)
EXPECTED[np.arange(1_000), LABELS] = 0.82
IMAGES = np.zeros((1_000, 784), np.float32)


def compare(tolerance, change=lambda scores: scores, classes=LABELS):
    def run(batches):
        return [Outputs(change(EXPECTED[: len(b)].copy()), classes[: len(b)]) for b in batches]

    return check.check(run, IMAGES, LABELS, EXPECTED, tolerance)


def test_equal_and_nearly_equal_outputs_pass():
    for tolerance in (FLOAT, INT8):
        assert compare(tolerance) == (1_000, 0.0, 1.0, 1.0, 1.0)
    assert compare(FLOAT, lambda s: s + 5e-5).largest_difference == pytest.approx(5e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda s: s + 2e-4,
            "in a batch of 1000 a probability differs by 0.0002, expected at most 0.0001",
        ),
        (lambda s: s * np.nan, "differs by nan"),
        (lambda s: s[:1], r"for 1000 images, found \[1, 10\] and \[1000\]"),
        (lambda s: s + (len(s) == 7), "in a batch of 7 a probability differs by 1,"),
    ],
)
def test_other_probabilities_are_an_error(change, message):
    with pytest.raises(ExportError, match=message):
        compare(FLOAT, change)


def test_int8_may_predict_another_label_for_1_percent_of_the_images():
    few, many = LABELS.copy(), LABELS.copy()
    few[:10] = (few[:10] + 1) % 10
    many[:11] = (many[:11] + 1) % 10
    assert compare(INT8, classes=few).accuracy == 0.99
    with pytest.raises(
        ExportError, match=r"agree .* on 98\.9% of the images, expected at least 99%"
    ):
        compare(INT8, classes=many)
    with pytest.raises(
        ExportError, match=r"agree .* on 99\.0% of the images, expected at least 100%"
    ):
        compare(FLOAT, classes=few)


def test_a_process_that_takes_too_long_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setattr(saved_model, "TIMEOUT", 0.01)
    with pytest.raises(ExportError, match=r"did not load and run it in 0\.01 s"):
        saved_model.run(tmp_path, None, [IMAGES[:1]])


def test_an_export_that_raises_is_an_error_with_the_first_line():
    def run(batches):
        raise ValueError("Cannot set tensor: dimension mismatch\nin a long trace")

    message = r"^it cannot be loaded and run \(ValueError: Cannot set tensor: dimension mismatch\)$"
    with pytest.raises(ExportError, match=message):
        check.check(run, IMAGES, LABELS, EXPECTED, FLOAT)
