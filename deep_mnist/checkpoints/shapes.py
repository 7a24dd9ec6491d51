"""Variables as shapes: of a model in layers, of a file by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

Shape = tuple[int, ...]


class Spec(NamedTuple):
    """What a variable is like."""

    shape: Shape
    dtype: str

    def __str__(self) -> str:
        return f"{self.dtype}{list(self.shape)}"


class Layer(NamedTuple):
    """A weight of the model and its bias, with the shapes they have there."""

    weight: str
    weight_shape: Shape
    bias: str
    bias_shape: Shape
    channels: int  # of the image that is flattened into this layer, where one is


def layers_of(expected: Mapping[str, Shape]) -> list[Layer]:
    """A model's variables, in their order, as layers."""
    weights = [(name, shape) for name, shape in expected.items() if len(shape) > 1]
    biases = [(name, shape) for name, shape in expected.items() if len(shape) == 1]
    layers: list[Layer] = []
    channels = 1  # of the input, an image in grey
    for (weight, weight_shape), (bias, bias_shape) in zip(weights, biases, strict=True):
        assert weight_shape[-1:] == bias_shape, f"{bias} is not the bias of {weight}"
        layers.append(Layer(weight, weight_shape, bias, bias_shape, channels))
        channels = weight_shape[-1]
    assert len({layer.weight_shape for layer in layers}) == len(layers), "two layers of one shape"
    return layers


def squeezed(shape: Shape) -> Shape:
    """A shape without its sides of 1, which no value's place depends on."""
    return tuple(side for side in shape if side != 1)


def listed(names: Iterable[str], shapes: Mapping[str, Shape] | None = None) -> str:
    """The first few names, with their shapes."""
    names = list(names)
    words = [f"{n} {list(shapes[n])}" if shapes else n for n in names[:10]]
    rest = [f"{len(names) - 10} more"] if len(names) > 10 else []
    return ", ".join(words + rest) or "no weights"


def natural(name: str) -> list[tuple[str, int]]:
    """Orders Variable_2 before Variable_10."""
    parts = re.split(r"(\d+)", name)
    return [
        (text, int(number)) for text, number in zip(parts[::2], [*parts[1::2], "-1"], strict=True)
    ]
