"""The pretrained weights that are installed with deep_mnist."""

from __future__ import annotations

from pathlib import Path

from deep_mnist.errors import CheckpointError

PACKAGE = Path(__file__).parents[1]


def directory(name: str) -> Path:
    """Return the directory of a model's pretrained checkpoint.

    Args:
      name: softmax, cnn, mlp or fnn.

    Returns:
      saved/NAME in the installed package or in the repository, relative to the current directory
      if it is below.

    Raises:
      CheckpointError: this installation has none.
    """
    for saved in (PACKAGE / "saved", PACKAGE.parent / "saved"):
        path = saved / name
        if path.is_dir():
            current = Path.cwd()
            return path.relative_to(current) if path.is_relative_to(current) else path
    raise CheckpointError(
        f"this installation has no pretrained weights of {name}",
        hint="name a checkpoint, as in --restore CHECKPOINT",
    )
