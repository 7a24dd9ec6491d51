"""The gradients of autodiff's operations, compared with TensorFlow's."""

from __future__ import annotations

from deep_mnist.autodiff import Comparison
from deep_mnist.report.figure import Chart, create

SMALLEST = 1e-17  # where a difference of 0 is drawn


def draw(comparisons: list[Comparison]) -> Chart:
    """Draw the relative difference of each operation's gradients, with epsilon and without."""
    largest = max(row.difference for row in comparisons)
    title = f"The gradients differ from TensorFlow's by at most {largest:.0e}"
    caption = "Relative to the largest gradient of each operation. Vertical lines: tolerances."
    figure = create(title, caption, 3)
    axes = figure.subplots()
    for epsilon, marker in ((1e-12, "o"), (0.0, "s")):
        rows = [row for row in comparisons if row.epsilon == epsilon]
        label = f"epsilon {epsilon:g}"
        differences = [max(row.difference, SMALLEST) for row in rows]
        (points,) = axes.plot(differences, [row.operation for row in rows], marker, label=label)
        axes.axvline(rows[0].tolerance, color=points.get_color(), linestyle="--", linewidth=0.8)
    axes.set(
        xscale="log", xlim=(SMALLEST / 2, max(1e-5, 2 * largest)), xlabel="relative difference"
    )
    axes.margins(y=0.15)
    axes.legend(loc="center")
    alt = "; ".join(
        f"{row.operation}, epsilon {row.epsilon:g}: {row.difference:.0e}" for row in comparisons
    )
    return Chart("gradient-check", title, f"Relative differences. {alt}.", figure)
