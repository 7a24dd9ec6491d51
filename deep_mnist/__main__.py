"""`python -m deep_mnist` lists the commands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from deep_mnist import __version__

COMMANDS = {
    "softmax": "softmax regression: the smallest complete program",
    "cnn": "the Deep MNIST convolutional network",
    "mlp": "an MLP from raw tensors, its gradients applied by hand",
    "fnn": "a network in NumPy alone, differentiated by hand",
    "predict": "the digits on your own pictures",
    "serve": "a page to draw a digit on, read by all four while one draws",
    "export": "trained weights for other runtimes, each export checked in its own",
    "report": "pictures of runs: curves, mistakes, weights; and a page of them",
    "legacy": "programs and checkpoints of TensorFlow 1, as they are",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the commands, a line each; they are modules, not arguments."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments and arguments[0] in COMMANDS:
        command = f"python -m deep_mnist.{arguments[0]}"
        print(f"deep_mnist: commands are modules, with a dot: {command}", file=sys.stderr)
        return 2
    lines = [f"python -m deep_mnist.{name:<10} {line}" for name, line in COMMANDS.items()]
    listing = "\n".join([*lines, "Each takes --help."])
    parser = argparse.ArgumentParser(
        prog="python -m deep_mnist",
        usage="python -m deep_mnist.COMMAND [flags]",
        description=listing,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.parse_args(arguments)
    print(listing)
    return 0


if __name__ == "__main__":
    sys.exit(main())
