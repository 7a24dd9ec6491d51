"""Share of the public names of TensorFlow 1 that `legacy run` has, per module.

    pip download --no-deps --only-binary=:all: --python-version 37 tensorflow==1.15.5
    unzip -q tensorflow-1.15.5-*.whl -d tensorflow1
    python benchmarks/legacy_names.py tensorflow1

The names are read, not imported: those of `_api/v1`, of Keras, and of the docstrings and
`_allowed_symbols` of tf.contrib. Needs the extra [legacy].
"""

from __future__ import annotations

import argparse
import ast
import collections
import re
from pathlib import Path

from deep_mnist.legacy import tf1_mode, tf1_module


def main() -> None:
    """Print a table: module, names found, names in all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path, help="directory of an unpacked TensorFlow 1 wheel")
    parser.add_argument("--missing", action="store_true", help="list the names that are missing")
    options = parser.parse_args()
    names = public_names(options.wheel)
    tf1_mode.start(eager=False)
    total, found = collections.Counter[str](), collections.Counter[str]()
    for name in names:
        parts = name.split(".")
        module = ".".join(parts[:2]) if parts[0] == "contrib" else parts[0]
        module = "tf" if len(parts) == 1 else module
        total[module] += 1
        found[module] += is_found(name)
        if options.missing and not is_found(name):
            print(name)
    for module in sorted(total):
        print(f"{module:<32} {found[module]:>5} of {total[module]:>5}")
    print(f"{'all':<32} {found.total():>5} of {total.total():>5}")


def public_names(wheel: Path) -> list[str]:
    """Return the dotted names, below `tensorflow`, of an unpacked wheel."""
    names = set()
    for api in wheel.rglob("_api/v1/__init__.py"):
        names |= listed(api.parent)
    for api in wheel.rglob("keras/api/_v1/keras/__init__.py"):
        names |= {f"keras.{name}" for name in listed(api.parent)}
    for init in wheel.rglob("contrib/*/__init__.py"):
        text = init.read_text("utf-8", "replace")
        own = set(re.findall(r"^@@(\w+)", text, re.M))
        allowed = re.search(r"_allowed_symbols\s*=\s*\[(.*?)\]", text, re.S)
        own |= set(re.findall(r"['\"](\w+)['\"]", allowed[1] if allowed else ""))
        names |= {f"contrib.{init.parent.name}.{name}" for name in own or imported(init)}
    return sorted(names)


def listed(root: Path) -> set[str]:
    """Return the names that the packages below a directory import, without tf.compat."""
    names = set()
    for init in root.rglob("__init__.py"):
        package = init.parent.relative_to(root).parts
        if package[:1] != ("compat",):
            names |= {".".join((*package, name)) for name in imported(init)}
    return names


def imported(init: Path) -> set[str]:
    """Return the public names that a file imports."""
    tree = ast.parse(init.read_text("utf-8", "replace"))
    names = {
        alias.asname or alias.name.partition(".")[0]
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        if getattr(node, "module", None) != "__future__"
        for alias in node.names
    }
    return {name for name in names if not name.startswith("_") and name != "*"}


def is_found(name: str) -> bool:
    """Whether a name leads to an object, not to a module that is only assumed."""
    try:
        return not getattr(tf1_module.find(name), "_guessed", False)
    except Exception:
        return False


if __name__ == "__main__":
    main()
