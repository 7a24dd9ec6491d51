"""Compare an export with the model that was exported, in batches of several sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from deep_mnist.errors import ExportError
from deep_mnist.export.library_output import first_line
from deep_mnist.export.model import Images, Outputs

EXAMPLES = 1_000
BATCH_SIZES = (EXAMPLES, 7, 1)


class Tolerance(NamedTuple):
    """How much an export may differ from the model."""

    difference: float  # of a probability
    margin: float  # a label agrees if it is at most this less probable than the model's label
    agreement: float  # least fraction of the images whose labels agree
    accuracy_loss: float


# In float32 the order of a sum changes a probability by about 1e-6.
FLOAT = Tolerance(difference=1e-4, margin=1e-4, agreement=1.0, accuracy_loss=1.0)
# With 256 values for each tensor, probabilities near 0.5 change by up to 0.06, and by more if the
# logits are large. So the labels are compared, and only where the model is confident.
INT8 = Tolerance(difference=1.0, margin=0.1, agreement=0.99, accuracy_loss=0.02)


class Comparison(NamedTuple):
    """How an export compares with the model. The names are keys of the export's JSON record."""

    test_examples: int
    largest_difference: float  # between two probabilities
    agreement: float  # fraction of the images with equal labels
    accuracy: float  # of the export
    session_accuracy: float  # of the model


def check(
    run: Callable[[Sequence[Images]], list[Outputs]],
    images: Images,
    labels: npt.NDArray[Any],
    expected: npt.NDArray[Any],
    tolerance: Tolerance,
) -> Comparison:
    """Run an export and compare its outputs with the model's.

    Args:
      run: runs the export on batches.
      images: [EXAMPLES, 784] float32 in [0, 1].
      labels: [EXAMPLES] true labels.
      expected: [EXAMPLES, 10] float64, the model's probabilities.
      tolerance: how much may differ.

    Raises:
      ExportError: the export fails on a batch, or differs by more than the tolerance.
    """
    try:
        results = run([images[:size] for size in BATCH_SIZES])
    except ExportError:
        raise
    except Exception as error:
        raise ExportError(f"it cannot be loaded and run ({first_line(error)})") from error
    differences = [
        _difference(outputs, expected[:size], tolerance)
        for size, outputs in zip(BATCH_SIZES, results, strict=True)
    ]
    predicted = results[0].classes
    model_labels = expected.argmax(axis=1)
    comparison = Comparison(
        test_examples=len(images),
        largest_difference=max(differences),
        agreement=float(np.mean(predicted == model_labels)),
        accuracy=float(np.mean(predicted == labels)),
        session_accuracy=float(np.mean(model_labels == labels)),
    )
    probabilities = expected[np.arange(len(images)), predicted]
    agreement = float(np.mean(probabilities >= expected.max(axis=1) - tolerance.margin))
    if agreement < tolerance.agreement:
        raise ExportError(
            f"its labels agree with the model's on {agreement:.1%} of the images, "
            f"expected at least {tolerance.agreement:.0%}"
        )
    if comparison.accuracy < comparison.session_accuracy - tolerance.accuracy_loss:
        raise ExportError(
            f"its accuracy is {comparison.accuracy:.4g}, the model's is "
            f"{comparison.session_accuracy:.4g}"
        )
    return comparison


def _difference(outputs: Outputs, expected: npt.NDArray[Any], tolerance: Tolerance) -> float:
    """Return the largest difference between probabilities in a batch, and check it."""
    scores, classes = outputs
    size = len(expected)
    if scores.shape != expected.shape or classes.shape != (size,):
        raise ExportError(
            f"expected scores [{size}, 10] and classes [{size}] for {size} images, "
            f"found {list(scores.shape)} and {list(classes.shape)}"
        )
    difference = float(np.abs(scores - expected).max())
    if not difference <= tolerance.difference:  # also if it is NaN
        raise ExportError(
            f"in a batch of {size} a probability differs by {difference:.2g}, "
            f"expected at most {tolerance.difference:g}"
        )
    return difference
