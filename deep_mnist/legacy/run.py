"""Runs a TF1 script as it stands.

    python -m deep_mnist.legacy run SCRIPT [ARGS...]

The script gets the TensorFlow of its time (tf1_module.py), is translated in memory where it is
Python 2 (shims/python2.py), finds MNIST wherever the project does, and writes its plots as PNG
files (plots.py). Where standard input has ended, the first three questions of `input()` are
answered by nothing. It has this process to itself: modes of TensorFlow, NumPy's old names,
sys.argv and `__main__` are set for it, and are not set back.

Exit codes: the script's own; 1 it raised; 2 it cannot be run, told in one line; 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, TracebackType

from deep_mnist.errors import DatasetError, DeepMnistError
from deep_mnist.lazy_tensorflow import import_quietly
from deep_mnist.legacy import source
from deep_mnist.legacy.install_hints import missing_package
from deep_mnist.legacy.plots import Plots
from deep_mnist.legacy.unsupported import RemovedModuleError, RemovedNameError

OURS = str(Path(__file__).parent)
EAGER = re.compile(r"\benable_(eager_execution|v2_behavior)\b")
GRAPH = re.compile(r"\b(Session|InteractiveSession|placeholder|contrib|estimator|app\.run)\b")
EAGER_ONLY = re.compile(r"\b(GradientTape|tf\.function)\b")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m deep_mnist.legacy run",
        description="Runs a TensorFlow 1 script as it stands.",
        allow_abbrev=False,
    )
    parser.add_argument("--show", action="store_true", help="keep plot windows; write no PNG files")
    parser.add_argument("script", help="a .py file or a Jupyter notebook")
    parser.add_argument("args", nargs=argparse.REMAINDER, help="the script's own arguments")
    options = parser.parse_args(argv)
    try:
        return run(Path(options.script), options.args, options.show)
    except (DeepMnistError, DatasetError) as error:
        print(f"legacy run: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("legacy run: stopped", file=sys.stderr)
        return 128 + signal.SIGINT


def run(script: Path, args: Sequence[str], show: bool = False) -> int:
    """Runs a script in this process and returns its exit code.

    Raises:
      DeepMnistError: it cannot be run.
    """
    text = source.read(script)
    import_quietly()
    from deep_mnist.legacy import imports, tf1_mode
    from deep_mnist.legacy.shims import numpy_compat, python2

    path = script.resolve()
    code = python2.compiled(text, str(script))
    said = re.sub(r"#.*", "", text)  # what is commented out is not asked for
    eager = bool(EAGER.search(said)) or bool(EAGER_ONLY.search(said) and not GRAPH.search(said))
    tf1_mode.start(eager)
    python2.install()
    numpy_compat.install()
    if show and not _has_display():
        print("legacy run: --show: there is no display here; plots become files", file=sys.stderr)
        show = False
    place = imports.Imports(path.parent, None if show else Plots(path.stem))
    module = ModuleType("__main__")
    module.__file__ = str(script)
    sys.modules["__main__"] = module
    sys.argv = [str(script), *args]
    sys.path.insert(0, str(path.parent))
    try:
        place.execute(code, module)
    except SystemExit as end:
        return _exit_code(end)
    except Exception as error:
        return _report(error, script)
    finally:
        _flush()
    return 0


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


def _report(error: BaseException, script: Path) -> int:
    """Says in one line what is not covered or not installed; else the script's own traceback."""
    where = _where(error.__traceback__, script.resolve().parent)
    line: str | None = None
    if isinstance(error, RemovedNameError | RemovedModuleError):
        what, instead = error.parts
        line = f"{where}: {what} {instead}"
    elif isinstance(error, ModuleNotFoundError) and where is not None and error.name:
        line = missing_package(error.name, where)
    elif isinstance(error, DeepMnistError | DatasetError):
        line = f"{where}: {error}" if where else str(error)
    if line is not None:
        print(f"legacy run: {line}", file=sys.stderr)
        return 2
    _without_our_frames(error)
    traceback.print_exception(error)
    return 1


def _where(trace: TracebackType | None, folder: Path) -> str | None:
    """file:line of the last frame of the script's own code."""
    found = None
    for frame, line in traceback.walk_tb(trace):
        path = Path(frame.f_code.co_filename)
        if path.name.startswith("<"):
            continue  # Python's own importer, which is no file
        if not path.is_relative_to(OURS) and folder in path.resolve().parents:
            found = f"{path}:{line}" if "site-packages" not in path.parts else found
    return found


def _without_our_frames(error: BaseException | None) -> None:
    """Takes the frames of this package out of an error and of those it came from."""
    while error is not None:
        kept: TracebackType | None = None
        frames = []
        trace = error.__traceback__
        while trace is not None:
            if not trace.tb_frame.f_code.co_filename.startswith(OURS):
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
        # Whoever read the output has gone; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
