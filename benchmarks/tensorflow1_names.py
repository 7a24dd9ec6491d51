"""Print the public names of an installed TensorFlow 1, one a line: input of legacy_names.py.

    python3.7 -m venv tensorflow1
    tensorflow1/bin/pip install "protobuf<3.21" tensorflow==1.15.5
    tensorflow1/bin/python benchmarks/tensorflow1_names.py > names-1.15.txt

Names are dotted, below `tensorflow`: the members of its modules, as dir() lists them, each module
under its shortest name. Runs on the Python 3.6 and 3.7 of TensorFlow 1.
"""

import collections
import importlib
import types

# Modules that only TensorFlow itself uses, and other libraries.
PRIVATE = {"compat", "compiler", "core", "examples", "include", "ops", "python", "tools"}
PRIVATE |= {"pywrap_tensorflow", "raw_ops"}
FUTURE = {"absolute_import", "division", "print_function"}


def main() -> None:
    """Print the names, sorted."""
    tensorflow = importlib.import_module("tensorflow")
    importlib.import_module("tensorflow.contrib")  # loaded lazily
    queue = collections.deque([("", tensorflow)])
    visited, names = set(), []
    while queue:
        path, module = queue.popleft()
        if id(module) in visited:
            continue
        visited.add(id(module))
        for name in dir(module):
            if name.startswith("_") or name in PRIVATE | FUTURE:
                continue
            value = getattr(module, name, None)
            dotted = (path + "." + name).lstrip(".")
            if not isinstance(value, types.ModuleType):
                names.append(dotted)
            elif is_public(dotted, value):
                names.append(dotted)
                queue.append((dotted, value))
    print("\n".join(sorted(names)))


def is_public(path: str, module: types.ModuleType) -> bool:
    """Whether a module is part of the API: modules of contrib import many others."""
    name = getattr(module, "__name__", "")
    if path.startswith("contrib."):
        return "contrib" in name and (path.count(".") < 2 or ".python." not in name)
    return name.startswith("tensorflow") or name in ("contrib", "estimator", "keras")


if __name__ == "__main__":
    main()
