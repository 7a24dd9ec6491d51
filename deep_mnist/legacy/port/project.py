"""Port all modules of a project into a new directory."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from deep_mnist.errors import DeepMnistError
from deep_mnist.legacy import project_modules
from deep_mnist.legacy.port.edits import Note
from deep_mnist.legacy.port.script import Port, port_script, report

__all__ = ["port_project", "ported_path", "project_directories", "project_files"]

SKIPPED = ("__pycache__", "node_modules", "site-packages")
DATA_MODULE = """\
import sys

from deep_mnist import input_data

sys.modules[__name__] = input_data
"""


def port_project(directory: Path, output: Path) -> bool:
    """Write a project with ported modules, print the report, return whether it is complete.

    A notebook becomes a script. Files of other types are copied.

    Raises:
      DeepMnistError: the output exists, is inside of the project or cannot be written, or two
        files of the project have the same port.
    """
    if output.exists():
        raise DeepMnistError(f"{output}: expected a new directory, found an existing path")
    if directory.resolve() in output.resolve().parents:
        raise DeepMnistError(f"{output}: expected a directory outside of {directory}")
    paths, directories = project_files(directory), project_directories(directory)
    for path in paths:
        if path != ported_path(path) and ported_path(path) in paths:
            raise DeepMnistError(
                f"{path}: its port would be {ported_path(path).name}, which the project has",
                hint="rename one of them",
            )
    ports = {path: _port(path, directories) for path in paths if path.suffix in (".py", ".ipynb")}
    # TensorFlow reads the variable when the first of the modules imports it.
    if any(port.uses_libraries for port in ports.values()):
        for path, port in ports.items():
            if port.changed and not port.uses_libraries:
                ports[path] = _port(path, directories, legacy_keras=True)
    for path in paths:
        text = ports[path].text if path in ports else ""
        _write(path, output / path.relative_to(directory), text)
    for path, port in ports.items():
        report(path, port.changed, port.remaining)
    return not any(port.remaining for port in ports.values())


def ported_path(path: Path) -> Path:
    """Return where the port of a file is: that of the notebook `a.ipynb` is `a_ipynb.py`."""
    return path.with_name(f"{path.stem}_ipynb.py") if path.suffix == ".ipynb" else path


def project_directories(directory: Path) -> list[Path]:
    """Return the directories of a project: not hidden ones, caches, and installed packages."""
    found = []
    for name, inner, files in os.walk(directory):
        inner[:] = [part for part in inner if not part.startswith(".") and part not in SKIPPED]
        if "pyvenv.cfg" in files and Path(name) != directory:  # a virtual environment
            inner.clear()
        else:
            found.append(Path(name))
    return found


def project_files(directory: Path) -> list[Path]:
    """Return the files of a project that are not hidden."""
    return sorted(
        path
        for inner in project_directories(directory)
        for path in inner.iterdir()
        if path.is_file() and not path.name.startswith(".")
    )


def _write(path: Path, new: Path, text: str) -> None:
    """Write the port of a file, or copy the file where there is none."""
    try:
        new.parent.mkdir(parents=True, exist_ok=True)
        if text:
            ported_path(new).write_text(text, encoding="utf-8")
        else:
            shutil.copyfile(path, new)
    except OSError as error:
        raise DeepMnistError(f"{new}: cannot be written; {error.strerror}") from None


def _port(path: Path, directories: Sequence[Path], legacy_keras: bool = False) -> Port:
    """Return the port of a module, with the text "" where the file is copied."""
    if project_modules.is_tutorial_module(path):
        return Port(DATA_MODULE, [Note(1, "replaced by deep_mnist.input_data")], [])
    try:
        return port_script(path, directories, legacy_keras)
    except DeepMnistError as error:
        return Port("", [], [Note(1, f"copied as it is: {error.message}")])
