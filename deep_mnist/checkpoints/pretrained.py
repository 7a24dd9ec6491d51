"""Where the trained weights that come with deep_mnist are."""

from __future__ import annotations

from pathlib import Path

from deep_mnist.errors import DeepMnistError

PACKAGE = Path(__file__).parents[1]


def directory(name: str) -> Path:
    """The directory of a model's shipped checkpoint: in an installed package, or in a checkout.

    Raises:
      DeepMnistError: this installation has none.
    """
    for saved in (PACKAGE / "saved", PACKAGE.parent / "saved"):
        place = saved / name
        if place.is_dir():
            here = Path.cwd()
            return place.relative_to(here) if place.is_relative_to(here) else place
    raise DeepMnistError(
        f"this installation has no trained {name}: name a checkpoint after --restore"
    )
