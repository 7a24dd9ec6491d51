"""The command line of `legacy port`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deep_mnist.cli.exit_codes import exit_code
from deep_mnist.cli.flags import Parser
from deep_mnist.errors import DeepMnistError
from deep_mnist.legacy.port.check import check_project, check_script
from deep_mnist.legacy.port.project import port_project
from deep_mnist.legacy.port.script import port_script, report

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return exit_code("legacy port", lambda: _main(argv))


def _main(argv: Sequence[str] | None) -> int:
    parser = Parser(
        prog="python -m deep_mnist.legacy port",
        description="Rewrite a TensorFlow 1 script, notebook or project for tensorflow.compat.v1.",
    )
    parser.add_argument("script", help="a .py file, a Jupyter notebook or a project's directory")
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="new file (default: standard output); for a project, a new directory",
    )
    parser.add_argument(
        "--check",
        nargs="?",
        type=float,
        const=30.0,
        metavar="SECONDS",
        help="run the original under `legacy run` and the port in a plain interpreter, for 30 "
        "seconds each or those given, and report which of them fails",
    )
    options = parser.parse_args(argv)
    if options.check is not None and options.check <= 0:
        raise DeepMnistError(f"--check: expected seconds above 0, found {options.check:g}")
    script, output = Path(options.script), Path(options.output) if options.output else None
    if script.is_dir():
        return _port_project(script, output, options.check)
    if output and output.exists():
        raise DeepMnistError(f"{output}: expected a new file, found an existing one")
    port = port_script(script)
    if output:
        _write(output, port.text)
    else:
        print(port.text, end="")
    report(script, port.changed, port.remaining)
    runs = options.check is None or check_script(script, port.text, output, options.check)
    return 0 if runs and not port.remaining else 1


def _port_project(directory: Path, output: Path | None, seconds: float | None) -> int:
    if output is None:
        raise DeepMnistError(f"{directory}: a directory needs -o, the directory to write")
    is_complete = port_project(directory, output)
    runs = seconds is None or check_project(directory, output, seconds)
    return 0 if runs and is_complete else 1


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise DeepMnistError(f"{path}: expected a new file, found an existing one") from None
    except OSError as error:
        raise DeepMnistError(f"{path}: cannot be written; {error.strerror}") from None
