"""Port one script: the steps from its text to the text for today's TensorFlow, and the report."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from deep_mnist.errors import DeepMnistError
from deep_mnist.legacy import libraries, project_modules, source
from deep_mnist.legacy.notebook import Notebook
from deep_mnist.legacy.port.arguments import rewrite_arguments
from deep_mnist.legacy.port.edits import Note, OverlapError, bound_names
from deep_mnist.legacy.port.helpers import Helpers
from deep_mnist.legacy.port.libraries import preamble
from deep_mnist.legacy.port.library_names import rewrite_library_names
from deep_mnist.legacy.port.notebooks import rewrite_magics
from deep_mnist.legacy.port.python2 import rewrite_counts, rewrite_python2
from deep_mnist.legacy.port.tensorflow_names import rewrite_tensorflow_names
from deep_mnist.legacy.port.verify import imported_modules, missing_names
from deep_mnist.legacy.shims import python2

__all__ = ["Port", "port_script", "report"]


class Port(NamedTuple):
    """A ported script.

    Attributes:
      text: the program.
      changed: the lines that were changed, and how.
      remaining: the lines that need review, and why.
    """

    text: str
    changed: list[Note]
    remaining: list[Note]

    @property
    def uses_libraries(self) -> bool:
        """Whether the program needs the original libraries."""
        return "TF_USE_LEGACY_KERAS" in self.text


def port_script(script: Path, project: Sequence[Path] = (), legacy_keras: bool = False) -> Port:
    """Return a script's or notebook's program for today's TensorFlow.

    Args:
      script: a .py file or a notebook.
      project: the directories of the script's project, if all of its modules are ported; it may
        add any of them to sys.path.
      legacy_keras: other modules of the project need tf_keras.

    Raises:
      DeepMnistError: the file is not found, is not Python, or cannot be rewritten.
    """
    try:
        with source.parsing(str(script)):
            return _ported(script, project, legacy_keras)
    except (SyntaxError, OverlapError) as error:
        raise DeepMnistError(
            f"{script}:{error.lineno}: this line cannot be rewritten; {error.args[0]}",
            hint="write it in a simpler way, and port the script again",
        ) from None
    except ValueError as error:  # a hexadecimal number of thousands of digits
        raise DeepMnistError(f"{script}: cannot be rewritten; {error}") from None


def _ported(script: Path, project: Sequence[Path], legacy_keras: bool) -> Port:
    from deep_mnist.lazy_tensorflow import import_quietly, tf

    import_quietly()
    libraries.use_legacy_keras()
    tf.Graph()  # imports TensorFlow without its notices
    original = source.read(script)
    text, is_python2 = python2.translated(original, str(script))
    helpers = Helpers(set(bound_names(ast.parse(text))))
    changed: list[Note] = []
    remaining: list[Note] = []
    if script.suffix == ".ipynb":
        is_python2 |= Notebook(script).is_python2
    if is_python2:
        divides = python2.FUTURE_DIVISION.search(original) is None
        text, notes, remaining = rewrite_python2(original, text, helpers, divides)
        changed += notes
    if script.suffix == ".ipynb":
        text, notes, by_hand = rewrite_magics(text)
        changed += notes
        remaining += by_hand
    text, notes = rewrite_counts(text)
    changed += notes
    text, notes = rewrite_arguments(text, helpers)
    changed += notes
    text, notes, unresolved, names = rewrite_tensorflow_names(
        text, helpers, _has_own_data_module(script.parent)
    )
    changed += notes
    text, notes, by_hand, imports = rewrite_library_names(text, helpers)
    changed += notes
    remaining += by_hand
    names.imports |= imports
    if legacy_keras:
        names.use("tf_keras")
    noted = {note.line for note in unresolved}
    remaining += [*unresolved, *(note for note in missing_names(text) if note.line not in noted)]
    missing, unported = imported_modules(text, project or [script.parent, Path.cwd()])
    remaining += missing if project else missing + unported
    return Port(_with_head(text, preamble(names)), changed, remaining)


def report(script: Path, changed: Iterable[Note], remaining: Iterable[Note]) -> None:
    """Print what was changed and what needs review, line by line, to standard error."""
    for title, notes in (("changed", set(changed)), ("to do", set(remaining))):
        for note in sorted(notes):
            print(f"{script}:{note.line}: {title}: {note.text}", file=sys.stderr)
    print(f"{len(set(changed))} changes, {len(set(remaining))} to do", file=sys.stderr)


def _has_own_data_module(directory: Path) -> bool:
    """Whether `import input_data` means a module of the project that is not the tutorial's."""
    path = directory / "input_data.py"
    return path.is_file() and not project_modules.is_tutorial_module(path)


def _with_head(text: str, head: str) -> str:
    """Return a program with more lines above its first statement."""
    if not head:
        return text
    lines = text.split("\n")
    after = 0
    for node in ast.parse(text).body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if not (is_docstring or is_future):
            break
        after = node.end_lineno or node.lineno
    if not after:
        while after < len(lines) and lines[after].startswith("#"):
            after += 1
    return "\n".join([*lines[:after], head.rstrip("\n") + "\n", *lines[after:]])
