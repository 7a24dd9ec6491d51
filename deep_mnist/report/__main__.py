"""Pictures of runs: curves, mistakes, weights; people would rather look than read.

    python -m deep_mnist.report saved/cnn                    the weights that ship, into report/
    python -m deep_mnist.report RUN RUN RUN --out pictures
    python -m deep_mnist.report RUN RUN RUN --html runs.html   one page, nothing else to keep

RUN is the directory of a run, finished or not. Drawn are training curves, the test accuracy of
several runs, what is taken for what, the surest mistakes, the weights of the first layer, the
CNN's feature maps, and for mlp and fnn the figures that their documents print; without a display.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from deep_mnist import inference
from deep_mnist.cli.exit_codes import exit_code
from deep_mnist.cli.flags import Parser
from deep_mnist.errors import DeepMnistError
from deep_mnist.lazy_tensorflow import import_quietly
from deep_mnist.report import charts, figure, page, runs
from deep_mnist.training.metrics import METRICS
from deep_mnist.training.run_directory import write_text

FORMATS = {"svg": figure.svg, "png": figure.png}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return exit_code("report", lambda: _run(argv))


def _run(argv: Sequence[str] | None) -> None:
    options = _parser().parse_args(argv)
    html = None if options.html is None else Path(options.html)
    out = Path(options.out or "report") if options.out or html is None else None
    asked = runs.read_all(options.runs)
    _check_places(out, html)
    if importlib.util.find_spec("matplotlib") is None:
        raise DeepMnistError('drawing needs matplotlib: pip install "deep_mnist[plots]"')
    figure.silence()
    if any(inference.PROGRAMS[run.model].has_graph and run.result is not None for run in asked):
        import_quietly()

    for run in asked:
        if run.lost:
            print(f"report: {run.directory / METRICS}: {run.lost}", file=sys.stderr)
    pictures = []
    for picture in charts.draw(asked, options.data_dir):
        pictures.append(picture)
        if out is not None:
            file = out / f"{picture.name}.{options.format}"
            try:
                out.mkdir(parents=True, exist_ok=True)
                file.write_bytes(FORMATS[options.format](picture))
            except OSError as error:
                raise DeepMnistError(f"{file} can't be written: {error.strerror}") from None
            print(file, flush=True)
    if not pictures:
        raise DeepMnistError("there is nothing to draw yet: no run has a report or a result")
    if html is not None:
        write_text(html, page.write(asked, pictures, options.format))
        print(html)


def _parser() -> Parser:
    parser = Parser(
        prog="python -m deep_mnist.report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="the directory of a run")
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="a new directory for the pictures (default: report, where there is no --html)",
    )
    parser.add_argument("--html", metavar="FILE", help="a new file for all of them on one page")
    parser.add_argument(
        "--format", choices=FORMATS, default="svg", help="of the pictures (default: svg)"
    )
    parser.add_argument("--data-dir", metavar="DIR", help="the only place to look for the data")
    return parser


def _check_places(out: Path | None, html: Path | None) -> None:
    if out is not None and out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise DeepMnistError(f"--out {out} exists and is not an empty directory: name a new one")
    if html is not None and html.exists():
        raise DeepMnistError(f"--html {html} exists: name a new file")
    if html is not None and not html.parent.is_dir():
        raise DeepMnistError(f"--html {html}: there is no directory {html.parent}")


if __name__ == "__main__":
    sys.exit(main())
