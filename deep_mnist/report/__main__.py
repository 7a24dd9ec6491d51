"""Charts of runs: training curves, errors, weights.

    python -m deep_mnist.report saved/cnn                      the pretrained weights, into report/
    python -m deep_mnist.report RUN RUN RUN --out charts
    python -m deep_mnist.report RUN RUN RUN --html runs.html   one self-contained page

RUN is the directory of a run, finished or not. The charts are the training curves, the test
accuracies of several runs, the confusion matrix, the most confident errors, the weights of the
first layer, the CNN's feature maps, and for mlp and fnn the values that their source documents
print next to those of the runs. No display is needed.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from deep_mnist.cli import Parser, exit_code
from deep_mnist.cli.flags import HelpFormatter
from deep_mnist.data.io import check_new_path
from deep_mnist.errors import DeepMnistError
from deep_mnist.inference import PROGRAMS
from deep_mnist.lazy_tensorflow import import_quietly
from deep_mnist.report.runs import read_all
from deep_mnist.training.run_directory import write_text


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return exit_code("report", lambda: _run(argv))


def _run(argv: Sequence[str] | None) -> None:
    options = _parse(argv)
    html = None if options.html is None else Path(options.html)
    out = Path(options.out or "report") if options.out or html is None else None
    runs = read_all(options.runs)
    _check_paths(out, html)
    _check_installed()
    from deep_mnist.report import charts, figure, page  # here, because they import matplotlib

    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # no notices about fonts
    if any(PROGRAMS[run.model].has_graph and run.result is not None for run in runs):
        import_quietly()
    for run in runs:
        if run.warning:
            charts.warn(run.warning)
    with figure.style():
        drawn = []
        for chart in charts.draw(runs, options.data_dir):
            content = chart.content(options.format)
            drawn.append((chart, content))
            if out is not None:
                out.mkdir(parents=True, exist_ok=True)
                path = out / f"{chart.name}.{options.format}"
                path.write_bytes(content)
                print(path, flush=True)
        if not drawn:
            raise DeepMnistError("nothing to draw: no run has a report or a result")
        if html is not None:
            write_text(html, page.render(runs, drawn, options.format))
            print(html)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="python -m deep_mnist.report",
        description=__doc__,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="directory of a run")
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="new directory for the charts (default: report, unless --html is given)",
    )
    parser.add_argument("--html", metavar="FILE", help="new file for a page with all charts")
    parser.add_argument(
        "--format",
        choices=("svg", "png"),
        default="svg",
        help="file format of the charts (default: svg)",
    )
    parser.add_argument("--data-dir", metavar="DIR", help="directory with the dataset's files")
    return parser.parse_args(argv)


def _check_paths(out: Path | None, html: Path | None) -> None:
    if out is not None:
        check_new_path(out, "--out", directory=True)
    if html is not None:
        check_new_path(html, "--html")
        if not html.parent.is_dir():
            raise DeepMnistError(f"--html: no directory {html.parent}")


def _check_installed() -> None:
    for package in ("matplotlib", "jinja2"):
        if importlib.util.find_spec(package) is None:
            raise DeepMnistError(
                f"{package} is not installed",
                hint='install the extra with: pip install "deep_mnist[plots]"',
            )


if __name__ == "__main__":
    sys.exit(main())
