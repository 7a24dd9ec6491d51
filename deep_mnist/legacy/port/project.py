"""Port all modules of a project into a new directory, for `port PROJECT_DIR -o OUT_DIR`."""

from __future__ import annotations

import shutil
from pathlib import Path

from deep_mnist.errors import DeepMnistError
from deep_mnist.legacy import project_modules
from deep_mnist.legacy.port import script

__all__ = ["port_project"]

DATA_MODULE = """\
import sys

from deep_mnist import input_data

sys.modules[__name__] = input_data
"""


def port_project(directory: Path, output: Path) -> bool:
    """Write a project with ported modules, print the report, return whether it is complete.

    Files of other types are copied. Hidden files and __pycache__ are left out.

    Raises:
      DeepMnistError: the output exists, or is inside of the project.
    """
    if output.exists():
        raise DeepMnistError(f"{output}: expected a new directory, found an existing path")
    if directory.resolve() in output.resolve().parents:
        raise DeepMnistError(f"{output}: expected a directory outside of {directory}")
    paths = [path for path in sorted(directory.rglob("*")) if _belongs(path, directory)]
    ported = {path: _ported(path) for path in paths if path.suffix in (".py", ".ipynb")}
    # TensorFlow reads the variable when the first of the modules imports it.
    if any(script.uses_libraries(text) for text, _, _ in ported.values()):
        for path, (text, changed, _) in ported.items():
            if changed and not script.uses_libraries(text):
                ported[path] = _ported(path, legacy_keras=True)
    for path in paths:
        new = output / path.relative_to(directory)
        new.parent.mkdir(parents=True, exist_ok=True)
        if path in ported and ported[path][0]:
            new.write_text(ported[path][0], encoding="utf-8")
        else:
            shutil.copyfile(path, new)
    for path, (_, changed, remaining) in ported.items():
        script.report(path, changed, remaining)
    return not any(remaining for _, _, remaining in ported.values())


def _belongs(path: Path, directory: Path) -> bool:
    parts = path.relative_to(directory).parts
    return path.is_file() and not any(
        part.startswith(".") or part == "__pycache__" for part in parts
    )


def _ported(
    path: Path, legacy_keras: bool = False
) -> tuple[str, list[script.Note], list[script.Note]]:
    """Return the text of a ported module, "" where the file is copied, and the report's notes."""
    if path.suffix == ".ipynb":
        return "", [], [script.Note(1, "a notebook, copied as it is; port it by itself")]
    if project_modules._is_tutorial_module(path):
        return DATA_MODULE, [script.Note(1, "replaced by deep_mnist.input_data")], []
    try:
        return script.port(path, whole_project=True, legacy_keras=legacy_keras)
    except DeepMnistError as error:
        return "", [], [script.Note(1, f"copied as it is: {error.message}")]
