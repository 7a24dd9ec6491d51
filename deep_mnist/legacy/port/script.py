"""Write a TF1 script as a program for tensorflow.compat.v1 that runs without this project.

    python -m deep_mnist.legacy port SCRIPT [-o OUT] [--check [SECONDS]]
    python -m deep_mnist.legacy port PROJECT_DIR -o OUT_DIR

Python 2 becomes Python 3 (fissix); names that NumPy, SciPy and Python dropped become today's; names
and orders of arguments of r0.x become those of 1.15, by the engine of TensorFlow's own
tf_upgrade_v2; tf.contrib, tf.estimator and private modules become names of the original libraries
(libraries.py); the tutorial's data module becomes deep_mnist.input_data.
The report on standard error names each line that was changed, and each that
needs a person. With --check the original and the port are run (check.py).

Exit codes: 0 everything was ported and, with --check, both ran; 1 otherwise, as reported; 2 it
cannot be ported.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import io
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from deep_mnist.cli.exit_codes import exit_code
from deep_mnist.cli.flags import Parser
from deep_mnist.errors import DeepMnistError
from deep_mnist.legacy import compiler, libraries, project_modules, source
from deep_mnist.legacy.port import check, library_names, tensorflow_names
from deep_mnist.legacy.port.libraries import dotted, importable

DATA_MODULES = (
    "tensorflow.examples.tutorials.mnist",
    "tensorflow.models.image.mnist",
    "tensorflow.g3doc.tutorials.mnist",
)
DATA_FILES = "tensorflow.contrib.learn.python.learn.datasets"
V1 = "tensorflow.compat.v1"
HEAD = f"import {V1} as tf; tf.disable_v2_behavior()"
STRICT_DIVISION = (
    "division of whole numbers gave a whole number under Python 2: write // where that was meant"
)


class Note(NamedTuple):
    """A line of the script and what was done, or remains to be done, there."""

    line: int
    text: str


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return exit_code("legacy port", lambda: _main(argv))


def _main(argv: Sequence[str] | None) -> int:
    parser = Parser(
        prog="python -m deep_mnist.legacy port",
        description="Write a TensorFlow 1 script as a program for today's TensorFlow.",
    )
    parser.add_argument("script", help="a .py file, a Jupyter notebook or a project's directory")
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="a new file, standard output if not given; for a directory a new directory",
    )
    parser.add_argument(
        "--check",
        nargs="?",
        type=float,
        const=30.0,
        metavar="SECONDS",
        help="run the original under `legacy run` and the port in a plain interpreter for some "
        "seconds each (30), and compare that neither fails",
    )
    options = parser.parse_args(argv)
    script: Path
    output: Path | None
    script, output = Path(options.script), options.output and Path(options.output)
    if options.check is not None and options.check <= 0:
        raise DeepMnistError(f"--check: expected seconds above 0, found {options.check:g}")
    if script.is_dir():
        if output is None:
            raise DeepMnistError(f"{script}: a directory needs -o, the directory to write")
        if options.check is not None:
            raise DeepMnistError(
                f"--check: expected a script, found the directory {script}",
                hint="port the directory, then run its ported script",
            )
        from deep_mnist.legacy.port.project import port_project

        return 0 if port_project(script, output) else 1
    if output and output.exists():
        raise DeepMnistError(f"{output}: expected a new file, found an existing one")
    text, changed, remaining = port(script)
    if output:
        _write(output, text)
    else:
        print(text, end="")
    report(script, changed, remaining)
    checked = options.check is None or check.check(script, text, output, options.check)
    return 1 if remaining or not checked else 0


def report(script: Path, changed: list[Note], remaining: list[Note]) -> None:
    """Print what was changed and what needs a person, line by line, to standard error."""
    for title, notes in (("changed", changed), ("to do", remaining)):
        for note in sorted(set(notes)):
            print(f"{script}:{note.line}: {title}: {note.text}", file=sys.stderr)
    print(f"{len(set(changed))} changes, {len(set(remaining))} to do", file=sys.stderr)


def port(
    script: Path, whole_project: bool = False, legacy_keras: bool = False
) -> tuple[str, list[Note], list[Note]]:
    """A script's text for today's TensorFlow, what was changed in it, and what remains to do.

    Raises:
      DeepMnistError: it is not there, or no Python.
    """
    from deep_mnist.lazy_tensorflow import import_quietly, tf
    from deep_mnist.legacy.shims import python2

    import_quietly()
    libraries.use_legacy_keras()
    original = source.read(script)
    text, two = python2.translated(original, str(script))
    changed = [
        Note(number, "Python 2 to 3")
        for number, (old, new) in enumerate(
            zip(original.split("\n"), text.split("\n"), strict=False), 1
        )
        if two and old.rstrip() != new.rstrip()
    ]
    tf.Graph()  # imports TensorFlow without its notices, before tf_upgrade_v2 does
    text, upgraded = _upgraded(text, str(script))
    text, renamed, nameless, head = tensorflow_names.with_libraries(text, _is_data, legacy_keras)
    text, imported = imports_of_today(text, _has_own_data_module(script.parent))
    text, others, functions = library_names.with_todays_names(text)
    remaining = [*map(Note._make, nameless), *_uncovered(text)]
    imported += map(Note._make, renamed + others)
    if not whole_project:
        remaining += _unported_modules(text, script.parent)
    if two and not python2.FUTURE_DIVISION.search(original):
        remaining += [Note(line, STRICT_DIVISION) for line in _divisions(text)]
    return _with_head(text, head + functions), changed + upgraded + imported, remaining


def _is_data(node: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(node, ast.Import):
        return any("input_data" in alias.name for alias in node.names)
    return node.module != "tensorflow" and _new_import(node) is not None


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


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise DeepMnistError(f"{path}: expected a new file, found an existing one") from None
    except OSError as error:
        raise DeepMnistError(f"{path}: cannot be written; {error.strerror}") from None


def _upgraded(text: str, path: str) -> tuple[str, list[Note]]:
    """Names and arguments of r0.x -> those of 1.15, by tf_upgrade_v2's engine."""
    from tensorflow.tools.compatibility import ast_edits

    from deep_mnist.legacy.port import arguments

    upgrader = ast_edits.ASTCodeUpgrader(arguments.specification())
    # It prints its log as well, and walks trees as Python 3.7 had them.
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        _, result, log, errors = upgrader.update_string_pasta(text, path)
    if result is None:
        raise DeepMnistError(f"{path}: tf_upgrade_v2 cannot read it: {' '.join(errors)[:200]}")
    notes = []
    for entry in log:
        found = re.match(r"(\d+):\d+: \w+: (.*)", str(entry), re.S)
        if found:
            notes.append(Note(int(found[1]), found[2].strip()))
    return result, notes


def uses_libraries(text: str) -> bool:
    """Whether a ported program needs the original libraries."""
    return "TF_USE_LEGACY_KERAS" in text


def _has_own_data_module(directory: Path) -> bool:
    """Whether `import input_data` means a module of the project that is not the tutorial's."""
    path = directory / "input_data.py"
    return path.is_file() and not project_modules._is_tutorial_module(path)


def imports_of_today(text: str, own_data_module: bool = False) -> tuple[str, list[Note]]:
    """Rewrite the imports of TensorFlow and of the tutorial's data module, each on its line.

    Args:
      own_data_module: `import input_data` means another module, and stays.
    """
    edits, notes = tensorflow_names.Edits(text), []
    for node in ast.walk(ast.parse(text)):
        new = _new_import(node) if isinstance(node, ast.Import | ast.ImportFrom) else None
        if new and own_data_module and ast.unparse(node).startswith("import input_data"):
            continue
        if new is not None and isinstance(node, ast.Import | ast.ImportFrom):
            edits.replace(node, new)
            notes.append(Note(node.lineno, f"import written as `{new}`"))
    return edits.applied(), notes


def _new_import(node: ast.Import | ast.ImportFrom) -> str | None:
    if isinstance(node, ast.Import):
        parts = [_new_name(alias) for alias in node.names]
        if all(part is None for part in parts):
            return None
        return "; ".join(
            part or f"import {ast.unparse(alias)}"
            for part, alias in zip(parts, node.names, strict=True)
        )
    module, names = node.module or "", ", ".join(ast.unparse(alias) for alias in node.names)
    only = [alias.name for alias in node.names]
    if module == "tensorflow" and "*" not in only:
        off = "disable_v2_behavior"
        return f"from {V1} import {names}, {off}; {off}()"
    if module in DATA_MODULES and only == ["input_data"]:
        return f"from deep_mnist import {names}"
    if module == DATA_FILES and only == ["mnist"]:
        asname = node.names[0].asname or "mnist"
        return f"from deep_mnist import input_data as {asname}"
    if module == f"{DATA_FILES}.mnist" or module in {f"{m}.input_data" for m in DATA_MODULES}:
        return f"from deep_mnist.input_data import {names}"
    return None


def _new_name(alias: ast.alias) -> str | None:
    """What one name of an `import` becomes; None if it stays."""
    if alias.name == "tensorflow":
        head = HEAD if alias.asname in (None, "tf") else HEAD.replace(" tf", f" {alias.asname}")
        return head if alias.asname else f"{HEAD}; tensorflow = tf"
    if alias.name == "input_data" or alias.name in {f"{m}.input_data" for m in DATA_MODULES}:
        if alias.asname is None and alias.name != "input_data":
            return None
        name = alias.asname or "input_data"
        return "from deep_mnist import input_data" + (f" as {name}" if alias.asname else "")
    return None


def _uncovered(text: str) -> Iterator[Note]:
    """Yield the imports of modules and names that are not there today."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and _may_be_gone(node.module or ""):
            if not importable(str(node.module), [alias.name for alias in node.names]):
                names = ", ".join(alias.name for alias in node.names)
                yield Note(node.lineno, f"{node.module} of today has no {names}")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if _may_be_gone(alias.name) and not importable(alias.name, []):
                    yield Note(node.lineno, f"{alias.name} is not there any more")


def _unported_modules(text: str, directory: Path) -> Iterator[Note]:
    """Yield the imports of modules that need porting, or that are not found."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or alias.name for alias in node.names]
        else:
            continue
        for name in dict.fromkeys(names):
            path = directory.joinpath(*name.split("."))
            top = directory / name.partition(".")[0]
            files = [path.with_suffix(".py"), *top.glob("**/*.py")]
            if any(file.is_file() and _needs_porting(file) for file in files):
                yield Note(node.lineno, f"{name} is a module of the project; port it too")
            elif getattr(node, "level", 0) or node not in tree.body:  # relative, or in a `try`
                continue
            elif not _is_found(name.partition(".")[0], directory):
                yield Note(node.lineno, f"{name} is neither installed nor next to the script")


def _is_found(name: str, directory: Path) -> bool:
    if (directory / name).is_dir() or (directory / f"{name}.py").is_file():
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except ValueError:  # a module without a specification, such as __main__
        return True


def _needs_porting(path: Path) -> bool:
    text = source.read(path)
    return bool(
        re.search(r"\b(tensorflow|keras|input_data|yann\.lecun\.com)\b", text)
    ) or compiler.is_python2(text)


def _may_be_gone(module: str) -> bool:
    return module.startswith("tensorflow.") or module == "scipy.misc"


def _divisions(text: str) -> Iterator[int]:
    """The lines that divide what may be whole numbers: neither side is written as a float."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            sides = (node.left, node.right)
            if not any(_is_float(side) for side in sides):
                yield node.lineno


def _is_float(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float)
    if isinstance(node, ast.Call):
        return dotted(node.func) in ("float", "np.sqrt", "math.sqrt")
    return isinstance(node, ast.BinOp) and (_is_float(node.left) or _is_float(node.right))
