"""`python -m deep_mnist` and `deep-mnist`: list and run the commands.

deep-mnist cnn --recipe fast    is    python -m deep_mnist.cnn --recipe fast
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import sys
from collections.abc import Sequence

from deep_mnist import __version__
from deep_mnist.cli import Parser, exit_code
from deep_mnist.errors import DeepMnistError

# A command, what it does, and the arguments of an example.
GROUPS = {
    "train": (
        ("softmax", "train softmax regression", ""),
        ("cnn", "train the convolutional network of Deep MNIST", "--recipe fast"),
        ("mlp", "train an MLP from raw tensors", ""),
        ("fnn", "train a network in NumPy alone", ""),
        ("distributed", "train on several processes or machines", "softmax --local 1ps,2w"),
    ),
    "use": (
        ("predict", "classify the digits on your own images", "photo.jpg"),
        ("serve", "serve a web page to draw digits on, and a JSON API", ""),
        ("export", "export trained weights to other runtimes", "cnn exports"),
    ),
    "inspect": (("report", "draw charts of runs", "saved/cnn"),),
    "migrate": (
        ("legacy run", "run a TensorFlow 1 script or notebook unchanged", "script.py"),
        ("legacy port", "rewrite it for tensorflow.compat.v1", "script.py -o new_script.py"),
        ("legacy checkpoint", "describe and convert a checkpoint", "model.ckpt-1000"),
    ),
}
COMMANDS = {name.split()[0] for commands in GROUPS.values() for name, _, _ in commands}
MODULES = {"distributed", "export", "report", "legacy"}  # packages with a __main__


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; without one, list the commands."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments and arguments[0] in COMMANDS:
        name = arguments[0]
        module = f"deep_mnist.{name}.__main__" if name in MODULES else f"deep_mnist.{name}"
        code: int = importlib.import_module(module).main(arguments[1:])
        return code
    return exit_code("deep-mnist", lambda: _list(arguments))


def _list(arguments: list[str]) -> None:
    listing = "\n".join(
        f"{group}:\n" + "\n".join(map(_describe, commands)) for group, commands in GROUPS.items()
    )
    parser = Parser(
        prog="deep-mnist",
        usage="deep-mnist COMMAND [flags]",
        description=f"{listing}\n\nEach takes --help.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    command = parser.parse_args(arguments).command
    if command is not None:
        similar = difflib.get_close_matches(command, COMMANDS, 1)
        raise DeepMnistError(
            f"no command {command!r}",
            hint=f"did you mean {similar[0]}?" if similar else "list the commands with: deep-mnist",
        )
    parser.print_help()


def _describe(command: tuple[str, str, str]) -> str:
    name, text, example = command
    return f"  {name:<18} {text}\n{'':21}deep-mnist {name} {example}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
