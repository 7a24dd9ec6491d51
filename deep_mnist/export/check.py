"""Whether an export answers as the weights do, in batches of several sizes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from deep_mnist.errors import ExportError
from deep_mnist.export.model import Images, Run

EXAMPLES = 1_000
BATCHES = (EXAMPLES, 7, 1)  # the first images each: an export takes any number


class Limits(NamedTuple):
    """How far the answers of an export may be from those of the weights."""

    difference: float  # of a probability
    near: float  # what its answer may be worth less than the best, in our probabilities, ...
    agreement: float  # ... in at least this fraction of the examples
    accuracy: float  # fraction by which it may be lower


# float32 sums in another order: 1e-6 for the weights that ship, a hundred times that is a fault.
# Where probabilities differ no more, the accuracy can't but by ties.
FLOAT = Limits(difference=1e-4, near=1e-4, agreement=1.0, accuracy=1.0)
# 256 steps a layer move a probability by up to 0.06 where the model is in doubt, and more where its
# outputs are large; so what counts is what it reads, where the model itself is not in doubt.
INT8 = Limits(difference=1.0, near=0.1, agreement=0.99, accuracy=0.02)


class Figures(NamedTuple):
    """What the check found."""

    test_examples: int
    largest_difference: float  # between two probabilities
    agreement: float  # fraction of the examples that both read as the same
    accuracy: float  # of the export
    session_accuracy: float  # of the weights in our session


def check(
    run: Run,
    images: Images,
    labels: npt.NDArray[Any],
    expected: npt.NDArray[Any],
    limits: Limits,
) -> Figures:
    """Runs an export on images [N, 784] whose probabilities [N, 10] are `expected`.

    Raises:
      ExportError: it fails in a batch, or its answers are beyond the limits.
    """
    try:
        results = run([images[:size] for size in BATCHES])
    except ExportError:
        raise
    except Exception as error:
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        raise ExportError(f"it can't be loaded and run: {first_line}") from error
    differences = []
    for size, (scores, classes) in zip(BATCHES, results, strict=True):
        wanted = expected[:size]
        if scores.shape != wanted.shape or classes.shape != wanted.shape[:1]:
            raise ExportError(
                f"of {len(wanted)} images it gives scores {list(scores.shape)} and classes "
                f"{list(classes.shape)}"
            )
        differences.append(np.abs(scores - wanted).max())
        if not differences[-1] <= limits.difference:
            raise ExportError(
                f"in a batch of {len(wanted)} a probability differs by {differences[-1]:.2g}, "
                f"more than {limits.difference:g}"
            )
    classes = results[0].classes
    ours = expected.argmax(axis=1)
    figures = Figures(
        len(images),
        float(max(differences)),
        float(np.mean(classes == ours)),
        float(np.mean(classes == labels)),
        float(np.mean(ours == labels)),
    )
    worth = expected[np.arange(len(images)), classes]
    agreeing = float(np.mean(worth >= expected.max(axis=1) - limits.near))
    if agreeing < limits.agreement:
        raise ExportError(
            f"it reads {agreeing:.1%} of the digits as the weights do, less than "
            f"{limits.agreement:.0%}"
        )
    if figures.accuracy < figures.session_accuracy - limits.accuracy:
        raise ExportError(
            f"its accuracy is {figures.accuracy:.4g}, that of the weights "
            f"{figures.session_accuracy:.4g}"
        )
    return figures
