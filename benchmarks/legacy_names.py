"""Share of the public names of releases of TensorFlow 1 that `legacy run` has, per module.

    python benchmarks/legacy_names.py names-1.0.txt names-1.15.txt

Each file has the names of one release, written by tensorflow1_names.py. Needs the extra [legacy].
"""

from __future__ import annotations

import argparse
import collections
from pathlib import Path

from deep_mnist.legacy import tf1_mode, tf1_module


def main() -> None:
    """Print a table: a row for each module, with the names found and in all of each release."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", type=Path, help="files written by tensorflow1_names.py")
    parser.add_argument("--missing", action="store_true", help="list the names that are missing")
    options = parser.parse_args()
    releases = [path.read_text("utf-8").split() for path in options.names]
    tf1_mode.start(eager=False)
    found = {name for name in sorted({n for names in releases for n in names}) if is_found(name)}
    if options.missing:
        print("\n".join(sorted({n for names in releases for n in names} - found)))
    total = [collections.Counter(map(module_of, names)) for names in releases]
    covered = [collections.Counter(map(module_of, found & set(names))) for names in releases]
    print(f"{'':<32}", *(f"{path.stem:>16}" for path in options.names))
    for module in sorted(set().union(*total)):
        row = [share(c[module], t[module]) for c, t in zip(covered, total, strict=True)]
        print(f"{module:<32}", *row)
    row = [share(c.total(), t.total()) for c, t in zip(covered, total, strict=True)]
    print(f"{'all':<32}", *row)


def module_of(name: str) -> str:
    """Return the module that a name is counted for: contrib.rnn, nn, or tf."""
    parts = name.split(".")
    if parts[0] == "contrib":
        return ".".join(parts[:2])
    return parts[0] if len(parts) > 1 else "tf"


def share(found: int, total: int) -> str:
    """Format one cell of the table."""
    return f"{found:>7} of {total:>5}" if total else " " * 16


def is_found(name: str) -> bool:
    """Whether a name leads to an object, not to a module that is only assumed."""
    try:
        value = tf1_module.find(name)
    except Exception:
        return False
    return not (isinstance(value, tf1_module.TF1Module) and value._guessed)


if __name__ == "__main__":
    main()
