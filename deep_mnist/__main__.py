"""`python -m deep_mnist` lists the commands."""

from __future__ import annotations

import sys

COMMANDS = {
    "softmax": "softmax regression: the smallest complete program",
    "cnn": "the Deep MNIST convolutional network",
}


def main() -> int:
    """Prints the commands, a line each."""
    for name, line in COMMANDS.items():
        print(f"python -m deep_mnist.{name:<10} {line}")
    print("Each takes --help.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
