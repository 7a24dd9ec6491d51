"""Run a TF1 script or notebook unchanged.

    python -m deep_mnist.legacy run SCRIPT [ARGS...]

The script and the modules of its project get TensorFlow 1 (imports.py), are translated in memory
where they are Python 2, find MNIST wherever deep_mnist does, and write their plots as PNG files.
Where standard input has ended, the first three calls of `input()` return an empty string. The
script has this process for itself: TensorFlow's modes, NumPy's old names, sys.argv, sys.path and
`__main__` are changed and not restored.

Exit codes: the script's own; 1 it raised an exception; 2 it cannot be run; 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any

from deep_mnist.cli.exit_codes import exit_code, print_error
from deep_mnist.cli.flags import Parser
from deep_mnist.errors import DeepMnistError
from deep_mnist.lazy_tensorflow import import_quietly
from deep_mnist.legacy import source
from deep_mnist.legacy.install_hints import missing_module
from deep_mnist.legacy.notebook import Notebook
from deep_mnist.legacy.plots import Plots
from deep_mnist.legacy.unsupported import RemovedModuleError, RemovedNameError

BRIDGE = str(Path(__file__).parent)
EAGER = re.compile(r"\benable_(eager_execution|v2_behavior)\b")
GRAPH = re.compile(r"\b(Session|InteractiveSession|placeholder|contrib|estimator|app\.run)\b")
EAGER_ONLY = re.compile(r"\b(GradientTape|tf\.function)\b")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return exit_code("legacy run", lambda: _main(argv))


def _main(argv: Sequence[str] | None) -> int:
    parser = Parser(
        prog="python -m deep_mnist.legacy run",
        description="Run a TensorFlow 1 script or notebook unchanged.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--show", action="store_true", help="open plot windows instead of writing PNG files"
    )
    parser.add_argument("script", help="a .py file or a Jupyter notebook")
    parser.add_argument("args", nargs=argparse.REMAINDER, help="arguments of the script")
    options = parser.parse_args(argv)
    return run(Path(options.script), options.args, options.show)


def run(script: Path, args: Sequence[str], show: bool = False) -> int:
    """Run a script in this process and return its exit code.

    Args:
      script: a .py file or a notebook.
      args: the script's own arguments.
      show: open plot windows instead of writing PNG files.

    Raises:
      DeepMnistError: it cannot be run.
    """
    notebook = Notebook(script) if script.suffix == ".ipynb" else None
    text = source.read(script) if notebook is None else notebook.text
    import_quietly()
    from deep_mnist.legacy import compiler, downloads, imports, project_modules
    from deep_mnist.legacy.shims import numpy_compat, python2

    code = compiler.compiled(text, str(script))[0] if notebook is None else None
    if show and not _has_display():
        print(
            "warning: legacy run: --show: no display; plots are written to files", file=sys.stderr
        )
        show = False
    plots = None if show else Plots(script.stem)
    python2.install()
    numpy_compat.install()
    downloads.serve_mnist_from_disk()
    imports.install(_is_eager(text), plots, _input_builtins())
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    sys.argv = [str(script), *args]
    sys.path.insert(0, str(script.resolve().parent))
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(1, str(Path.cwd()))

    def execute(code: CodeType) -> None:
        project_modules.execute(code, module)

    try:
        if notebook is not None:
            notebook.run(execute, project_modules.shell(), plots)
        elif code is not None:
            module.__file__ = str(script)
            execute(code)
    except SystemExit as end:
        return _exit_code(end)
    except Exception as error:
        return _report(error)
    finally:
        _flush()
    return 0


def _is_eager(text: str) -> bool:
    """Whether a script enables eager execution itself, so that TensorFlow's modes are kept."""
    code = re.sub(r"#.*", "", text)
    return bool(EAGER.search(code)) or bool(EAGER_ONLY.search(code) and not GRAPH.search(code))


def _input_builtins() -> dict[str, Any]:
    """Return input() and raw_input() for a process where standard input may have ended."""
    ended = 0

    def read_line(prompt: object = "") -> str:
        nonlocal ended
        try:
            return input(prompt)
        except EOFError:
            ended += 1
            if ended > 3:
                raise
            print()
            return ""

    return {"input": read_line, "raw_input": read_line}


def _has_display() -> bool:
    return sys.platform in ("win32", "darwin") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )


def _exit_code(end: SystemExit) -> int:
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code & 0xFF
    print(end.code, file=sys.stderr)
    return 1


def _report(error: Exception) -> int:
    """Print what the bridge does not support as an error, else the script's own traceback."""
    where = _where(error.__traceback__)
    known: DeepMnistError | None = None
    if isinstance(error, RemovedNameError | RemovedModuleError):
        message, _, hint = " ".join(error.parts).partition(": ")
        known = DeepMnistError(f"{where}: {message}", hint=hint or None)
    elif isinstance(error, ModuleNotFoundError) and where is not None and error.name:
        known = missing_module(error.name, where)
    elif isinstance(error, DeepMnistError):
        message = f"{where}: {error.message}" if where else error.message
        known = DeepMnistError(message, hint=error.hint)
    if known is not None:
        print_error("legacy run", known)
        return 2
    _remove_bridge_frames(error)
    traceback.print_exception(error)
    return 1


def _where(trace: TracebackType | None) -> str | None:
    """Return file and line of the last frame of the user's own code."""
    from deep_mnist.legacy import project_modules

    found = None
    for frame, line in traceback.walk_tb(trace):
        path = frame.f_code.co_filename
        if not path.startswith("<") and project_modules.is_own_path(path):
            name = os.path.relpath(path) if Path(path).is_relative_to(Path.cwd()) else path
            found = f"{name}, line {line}" if ".ipynb, cell " in name else f"{name}:{line}"
    return found


def _remove_bridge_frames(error: BaseException | None) -> None:
    """Remove the frames of this package from an error and from those that it came from."""
    while error is not None:
        kept: TracebackType | None = None
        frames = []
        trace = error.__traceback__
        while trace is not None:
            if not trace.tb_frame.f_code.co_filename.startswith(BRIDGE):
                frames.append(trace)
            trace = trace.tb_next
        for entry in reversed(frames):
            kept = TracebackType(kept, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
        error.__traceback__ = kept
        error = error.__cause__ or error.__context__


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of the output is gone; Python would fail again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
