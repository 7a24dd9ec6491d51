"""Run an original under `legacy run` and its port in a plain interpreter, for `port --check`."""

from __future__ import annotations

import ast
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from deep_mnist.errors import DeepMnistError
from deep_mnist.legacy import source
from deep_mnist.legacy.port.project import ported_path, project_files
from deep_mnist.legacy.shims import python2

__all__ = ["check_project", "check_script"]

# The first line of an error message, of Python or of `legacy run`.
ERROR = re.compile(r"^(?:error: .*|[\w.]+(?:Error|Exception|Interrupt|Exit)\b.*)", re.MULTILINE)

# Statements of a module that only defines something.
DEFINITIONS = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)


def check_script(script: Path, text: str, output: Path | None, seconds: float) -> bool:
    """Run a script and its port, print how each ended, and return whether neither failed.

    They run in the script's directory, where they may write files. What still runs when the time
    is over has not failed, and is killed.

    Args:
      script: the original.
      text: its port.
      output: the file of the port, None if it was not written.
      seconds: how long each may run.
    """
    with tempfile.TemporaryDirectory() as directory:
        port = output.resolve() if output else Path(directory, script.stem + ".py")
        if output is None:
            port.write_text(text, encoding="utf-8")
        return _check(script, port, script.resolve().parent, seconds)


def check_project(directory: Path, output: Path, seconds: float) -> bool:
    """Run the programs of a project and their ports; return whether none failed.

    A program is a notebook, or a module that no other module imports and that does more than to
    define functions and classes. Each runs in its own directory of the project, or of the port.

    Args:
      directory: the project.
      output: the ported project.
      seconds: how long each program and each port may run.
    """
    checked = []
    for script in _programs(directory):
        port = ported_path(output / script.relative_to(directory)).resolve()
        print(f"{script}: ", end="", file=sys.stderr)
        checked.append(_check(script, port, port.parent, seconds))
    return all(checked)


def _programs(directory: Path) -> list[Path]:
    trees, imported = {}, set()
    for path in project_files(directory):
        if path.suffix in (".py", ".ipynb"):
            with contextlib.suppress(DeepMnistError):
                trees[path], _ = python2.parsed(source.read(path), str(path))
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                imported |= {part for alias in node.names for part in alias.name.split(".")}
                imported |= set((getattr(node, "module", None) or "").split("."))
    return [
        path
        for path, tree in trees.items()
        if path.suffix == ".ipynb" or (path.stem not in imported and _does_something(tree))
    ]


def _does_something(tree: ast.Module) -> bool:
    return any(
        not isinstance(node, DEFINITIONS)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in tree.body
    )


def _check(script: Path, port: Path, directory: Path, seconds: float) -> bool:
    """Run an original and its port, which runs in a directory; print how each ended."""
    bridge = [sys.executable, "-m", "deep_mnist.legacy", "run", script.name]
    before, original_runs = _run(bridge, script.resolve().parent, seconds)
    after, port_runs = _run([sys.executable, str(port)], directory, seconds)
    print(f"check: the original {before}, the port {after}", file=sys.stderr)
    return original_runs and port_runs


def _run(command: list[str], directory: Path, seconds: float) -> tuple[str, bool]:
    """Run a command in a directory; return how it ended, and whether it did not fail."""
    path = os.pathsep.join(filter(None, (str(directory), os.environ.get("PYTHONPATH"))))
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        process = subprocess.Popen(  # noqa: S603, the user's own script
            command,
            cwd=directory,
            env={**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            return f"ran until it was stopped after {seconds:g} s", True
        finally:
            with contextlib.suppress(OSError):
                if hasattr(os, "killpg"):
                    os.killpg(process.pid, signal.SIGKILL)
                else:
                    process.kill()
            process.wait()
        errors.seek(0)
        text = errors.read()
    if code == 0:
        return "ran", True
    lines = ERROR.findall(text) or text.splitlines() or [f"exit code {code}"]
    return f"failed: {lines[-1].strip()}", False
