"""`python -m deep_mnist.legacy COMMAND`: each command is the module of its name here."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "run": "runs an old script as it stands",
    "port": "writes an old script out for tensorflow.compat.v1, with a report",
    "checkpoint": "tells what an old checkpoint is, and writes it as one of ours",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Hands the rest of the command line to the command's own `main`, and its exit code back."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] in COMMANDS:
        command = importlib.import_module(f"deep_mnist.legacy.{words[0]}")
        return int(command.main(words[1:]))
    lines = [f"python -m deep_mnist.legacy {name:<10} {line}" for name, line in COMMANDS.items()]
    listing = "\n".join([*lines, "Each takes --help."])
    parser = argparse.ArgumentParser(
        prog="python -m deep_mnist.legacy",
        usage=f"python -m deep_mnist.legacy {{{','.join(COMMANDS)}}} ...",
        description=listing,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args(words)
    print(listing)
    return 0


if __name__ == "__main__":
    sys.exit(main())
