"""Port all modules of a project into a new directory."""

from __future__ import annotations

import shutil
from pathlib import Path

from deep_mnist.errors import DeepMnistError
from deep_mnist.legacy import project_modules
from deep_mnist.legacy.port.edits import Note
from deep_mnist.legacy.port.script import Port, port_script, report

__all__ = ["belongs", "port_project", "ported_path"]

DATA_MODULE = """\
import sys

from deep_mnist import input_data

sys.modules[__name__] = input_data
"""


def port_project(directory: Path, output: Path) -> bool:
    """Write a project with ported modules, print the report, return whether it is complete.

    A notebook becomes a script. Files of other types are copied. Hidden files and __pycache__ are
    left out.

    Raises:
      DeepMnistError: the output exists, or is inside of the project.
    """
    if output.exists():
        raise DeepMnistError(f"{output}: expected a new directory, found an existing path")
    if directory.resolve() in output.resolve().parents:
        raise DeepMnistError(f"{output}: expected a directory outside of {directory}")
    paths = [path for path in sorted(directory.rglob("*")) if belongs(path, directory)]
    ports = {path: _port(path, directory) for path in paths if path.suffix in (".py", ".ipynb")}
    # TensorFlow reads the variable when the first of the modules imports it.
    if any(port.uses_libraries for port in ports.values()):
        for path, port in ports.items():
            if port.changed and not port.uses_libraries:
                ports[path] = _port(path, directory, legacy_keras=True)
    for path in paths:
        new = output / path.relative_to(directory)
        new.parent.mkdir(parents=True, exist_ok=True)
        if path in ports and ports[path].text:
            ported_path(new).write_text(ports[path].text, encoding="utf-8")
        else:
            shutil.copyfile(path, new)
    for path, port in ports.items():
        report(path, port.changed, port.remaining)
    return not any(port.remaining for port in ports.values())


def ported_path(path: Path) -> Path:
    """Return where the port of a file is: that of the notebook `a.ipynb` is `a_ipynb.py`."""
    return path.with_name(f"{path.stem}_ipynb.py") if path.suffix == ".ipynb" else path


def belongs(path: Path, directory: Path) -> bool:
    """Whether a path is a file of the project in a directory."""
    parts = path.relative_to(directory).parts
    return path.is_file() and not any(
        part.startswith(".") or part == "__pycache__" for part in parts
    )


def _port(path: Path, directory: Path, legacy_keras: bool = False) -> Port:
    """Return the port of a module, with the text "" where the file is copied."""
    if project_modules.is_tutorial_module(path):
        return Port(DATA_MODULE, [Note(1, "replaced by deep_mnist.input_data")], [])
    try:
        return port_script(path, directory, legacy_keras)
    except DeepMnistError as error:
        return Port("", [], [Note(1, f"copied as it is: {error.message}")])
