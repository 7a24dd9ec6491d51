"""Charts in a notebook, where the value of a cell is displayed: `charts("softmax")["weights"]`."""

from __future__ import annotations

from deep_mnist import autodiff
from deep_mnist.data import Split
from deep_mnist.errors import DeepMnistError
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.report import charts as report_charts
from deep_mnist.report import digits as report_digits
from deep_mnist.report import gradient_check as report_gradient_check
from deep_mnist.report.figure import Chart, style
from deep_mnist.report.runs import read_all
from deep_mnist.training.run_directory import RESULT, default_root


def charts(program: str) -> dict[str, Chart]:
    """Return the charts of the newest finished run of a program in saved/runs/.

    Args:
      program: "softmax", "cnn", "mlp" or "fnn".

    Returns:
      The charts by name: "curves", "confusion", "misclassified", "weights"; of cnn also
      "feature-maps", and of mlp and fnn "published" if the run has the document's settings.

    Raises:
      DeepMnistError: no run of the program is finished.
    """
    finished = sorted(path.parent for path in default_root(program).glob(f"*/{RESULT}"))
    if not finished:
        raise DeepMnistError(f"no finished run of {program} in {default_root(program).absolute()}")
    (run,) = read_all([str(finished[-1])])
    with style():
        drawn = list(report_charts.draw([run], None))
    return {chart.name.removesuffix(f"-{run.kind}"): chart for chart in drawn}


def digits(split: Split, number: int, title: str) -> Chart:
    """Return a chart of the first images of a split and their labels."""
    with style():
        return report_digits.draw(Split(split.images[:number], split.labels[:number]), title)


def gradient_check() -> Chart:
    """Return a chart of autodiff's gradients, compared with TensorFlow's."""
    with style():
        return report_gradient_check.draw(autodiff.comparisons(tf))
