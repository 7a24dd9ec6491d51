"""`python -m deep_mnist.legacy COMMAND`: each command is the module of its name."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from deep_mnist.cli.exit_codes import exit_code
from deep_mnist.cli.flags import Parser
from deep_mnist.errors import DeepMnistError

COMMANDS = {
    "run": "run a TensorFlow 1 script or notebook unchanged",
    "port": "rewrite a script for tensorflow.compat.v1, with a report",
    "checkpoint": "describe a checkpoint and convert it",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; without one, list the commands."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] in COMMANDS:
        command = importlib.import_module(f"deep_mnist.legacy.{arguments[0]}")
        return int(command.main(arguments[1:]))
    return exit_code("legacy", lambda: _list(arguments))


def _list(arguments: list[str]) -> None:
    lines = [f"python -m deep_mnist.legacy {name:<10} {text}" for name, text in COMMANDS.items()]
    listing = "\n".join([*lines, "Each takes --help."])
    parser = Parser(
        prog="python -m deep_mnist.legacy",
        usage=f"python -m deep_mnist.legacy {{{','.join(COMMANDS)}}} ...",
        description=listing,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", nargs="*", help=argparse.SUPPRESS)
    command = parser.parse_args(arguments).command
    if command:
        raise DeepMnistError(
            f"no command {command[0]!r}", hint=f"choose one of {', '.join(COMMANDS)}"
        )
    print(listing)


if __name__ == "__main__":
    sys.exit(main())
