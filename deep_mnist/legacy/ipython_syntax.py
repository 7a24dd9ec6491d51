"""IPython's syntax as Python: magics, shell commands and help, line by line.

Magics that run a statement (`%time`, `%timeit`, `%%time`, `%%capture`) become that statement,
`%%writefile` writes its file, and what remains calls `__ipython__.skip`, which prints a warning.
Every line keeps its number.
"""

from __future__ import annotations

import io
import re
import textwrap
import tokenize
import warnings
from typing import NamedTuple

__all__ = ["Translated", "translated"]

CELL_MAGIC = re.compile(r"\A(\s*)%%\s*(\w+)[ \t]*([^\n]*)\n?")
LINE_MAGIC = re.compile(r"^(\s*)%\s*([A-Za-z]\w*)\s*(.*)$")
SHELL = re.compile(r"^(\s*)(!.*)$")
HELP = re.compile(r"^(\s*)(\?{1,2}\s*[\w.*%]+|[\w.*%]+\s*\?{1,2})\s*(#.*)?$")
ASSIGNED = re.compile(r"^(\s*)([A-Za-z_][\w.,\s\[\]]*?)\s*=\s*([!%])\s*(.*)$")
TIMEIT_OPTIONS = re.compile(r"^(?:-[nrp]\s*\d+\s+|-[tcoq]\s+)+")
EOF_ERRORS = ("EOF in multi-line", "unexpected EOF in multi-line", "unterminated triple-quoted")

RUN = frozenset({"time", "timeit", "prun"})
RUN_CELL = frozenset({"time", "timeit", "prun", "capture"})
NO_EFFECT = frozenset("autoreload config load_ext matplotlib precision reload_ext".split())
PYLAB = (
    "from pylab import *; import numpy as np; import matplotlib; import matplotlib.pyplot as plt"
)


class Translated(NamedTuple):
    """Python text, and whether its cell is to be timed."""

    text: str
    timed: bool


def translated(text: str) -> Translated:
    """Return the text of a cell or script as Python."""
    timed = False
    magic = CELL_MAGIC.match(text)
    if magic:
        before, name, arguments = magic.groups()
        if name not in RUN_CELL:
            return Translated(before + _cell_call(name, arguments, text[magic.end() :]), False)
        timed = name != "capture"
        setup = TIMEIT_OPTIONS.sub("", arguments + " ").strip() if name == "timeit" else ""
        text = f"{before}{setup}\n{text[magic.end() :]}"
    elif _is_python(text):
        return Translated(text, False)
    return Translated(_lines(text), timed)


def _cell_call(name: str, arguments: str, body: str) -> str:
    if name in ("writefile", "file"):
        return f"__ipython__.write_file({arguments!r}, {body!r})"
    return f"__ipython__.skip({f'%%{name}'!r})"


def _lines(text: str) -> str:
    lines = text.split("\n")
    start = 0  # of the statement
    for number, line in enumerate(lines):
        new = _line(line)
        if new is None:
            continue
        if _is_unfinished(lines[start:number]):
            continue
        lines[number] = new
        start = number + 1
        while line.endswith("\\") and start < len(lines):
            line, lines[start] = lines[start], ""
            start += 1
    return "\n".join(lines)


def _line(line: str) -> str | None:
    """Return one line as Python; None where it is not IPython's."""
    if found := LINE_MAGIC.match(line):
        indent, name, rest = found.groups()
        return indent + _line_magic(name, rest)
    if found := SHELL.match(line) or HELP.match(line):
        return f"{found[1]}__ipython__.skip({found[2]!r})"
    if found := ASSIGNED.match(line):
        indent, target, kind, rest = found.groups()
        if kind == "!":
            return f"{indent}{target} = __ipython__.skip({f'!{rest}'!r}, [])"
        name, _, rest = rest.partition(" ")
        if name in RUN:
            return f"{indent}{target} = {_statement(name, rest) or None}"
        return f"{indent}{target} = __ipython__.skip({f'%{name} {rest}'.strip()!r})"
    return None


def _line_magic(name: str, rest: str) -> str:
    if name in NO_EFFECT:
        return "pass"
    if name == "pylab":
        return PYLAB
    if name in RUN:
        statement = _statement(name, rest)
        timed = f"with __ipython__.timed(): {statement}"
        return timed if _is_python(timed) else statement or "pass"
    return f"__ipython__.skip({f'%{name} {rest}'.strip()!r})"


def _statement(name: str, rest: str) -> str:
    return TIMEIT_OPTIONS.sub("", rest).strip() if name == "timeit" else rest.strip()


def _is_unfinished(lines: list[str]) -> bool:
    """Whether the last of these lines goes on in the next one."""
    if lines and lines[-1].endswith("\\"):
        return True
    text = textwrap.dedent("\n".join(lines)) + "\n"
    try:
        for _ in tokenize.generate_tokens(io.StringIO(text).readline):
            pass
    except tokenize.TokenError as error:
        return str(error.args[0]).startswith(EOF_ERRORS)
    except SyntaxError:
        return False
    return False


def _is_python(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "cell", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    except ValueError:  # null bytes: reported where the text is compiled
        return True
    return True
