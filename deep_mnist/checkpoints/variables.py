"""Variables of a model and of a checkpoint as data: names, shapes and dtypes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

Shape = tuple[int, ...]

FLOAT_DTYPES = ("float32", "float64", "float16", "bfloat16")

# tf.train.ExponentialMovingAverage adds this to a variable's name.
AVERAGE_SUFFIX = "/ExponentialMovingAverage"
AVERAGE = re.compile(rf"{AVERAGE_SUFFIX}(_\d+)?$")

# Slots of TensorFlow 1's optimizers under a variable's name; Keras's under "training".
SLOT = re.compile(
    r"/(Adam|AdamW|LazyAdam|AdaMax|AMSGrad|NAdam|Nadam|Momentum|RMSProp|Adagrad|AdagradDA|Adadelta"
    r"|Ftrl|FtrlProximal|LARS|LAMB|ProximalAdagrad)(_\w+)?$"
)
KERAS_SLOT = re.compile(r"(^|/)training(_\d+)?/[A-Z]\w*/")


class Spec(NamedTuple):
    """Shape and dtype of a variable."""

    shape: Shape
    dtype: str

    def __str__(self) -> str:
        return f"{self.dtype}{list(self.shape)}"


class Layer(NamedTuple):
    """A weight of the model and its bias.

    `channels` is the number of channels of the layer's input, where that is a flattened image.
    """

    weight: str
    weight_shape: Shape
    bias: str
    bias_shape: Shape
    channels: int


def split_layers(expected: Mapping[str, Shape]) -> list[Layer]:
    """Return the variables of a model, which are in the order of its layers, as layers."""
    weights = [(name, shape) for name, shape in expected.items() if len(shape) > 1]
    biases = [(name, shape) for name, shape in expected.items() if len(shape) == 1]
    layers: list[Layer] = []
    channels = 1  # the input is a grayscale image
    for (weight, weight_shape), (bias, bias_shape) in zip(weights, biases, strict=True):
        assert weight_shape[-1:] == bias_shape, f"{bias} is not the bias of {weight}"
        layers.append(Layer(weight, weight_shape, bias, bias_shape, channels))
        channels = weight_shape[-1]
    assert len({layer.weight_shape for layer in layers}) == len(layers), "two layers of one shape"
    return layers


def non_weights(found: Mapping[str, Spec]) -> dict[str, str]:
    """Return the variables of a checkpoint that are not weights of a network.

    Args:
      found: the variables of the checkpoint by name.

    Returns:
      The reason by name: optimizer state, a moving average, a counter, or not floating point.
    """
    reasons = {}
    for name, (shape, dtype) in found.items():
        parent = name.rpartition("/")[0]
        if AVERAGE.search(name) and _is_averaged(parent, found):
            reasons[name] = f"moving average of {parent}"
        elif SLOT.search(name) or KERAS_SLOT.search(name):
            reasons[name] = "optimizer state"
        elif parent in found and found[parent].shape == shape:
            reasons[name] = f"optimizer state of {parent}"
        elif math.prod(shape) == 1:
            reasons[name] = "a single number, such as a step counter"
        elif dtype not in FLOAT_DTYPES or 0 in shape:
            reasons[name] = "not an array of floating-point numbers"
    return reasons


def _is_averaged(parent: str, found: Mapping[str, Spec]) -> bool:
    """Whether the averaged variable is in the checkpoint too, if need be outside of the scopes.

    Where it is not, as after saving `variables_to_restore()`, the averages are the weights.
    """
    scopes = parent.split("/")
    return any("/".join(scopes[start:]) in found for start in range(len(scopes)))


def spec_mismatch(expected: Mapping[str, Spec], found: Mapping[str, Spec]) -> str | None:
    """Return how two sets of variables differ, as the predicate of a sentence; None if equal."""
    missing = [f"{name} {expected[name]}" for name in sorted(expected.keys() - found.keys())]
    unexpected = [f"{name} {found[name]}" for name in sorted(found.keys() - expected.keys())]
    differing = [
        f"{name} {found[name]} instead of {expected[name]}"
        for name in sorted(expected.keys() & found.keys())
        if found[name] != expected[name]
    ]
    parts = [f"has no variable {summarize(missing)}"] if missing else []
    parts += [f"has the unexpected variable {summarize(unexpected)}"] if unexpected else []
    parts += [f"has {summarize(differing)}"] if differing else []
    return ", and ".join(parts) or None


def summarize(items: Iterable[str]) -> str:
    """Return the first ten items, and how many more there are."""
    items = list(items)
    more = [f"{len(items) - 10} more"] if len(items) > 10 else []
    return ", ".join(items[:10] + more)


def squeeze(shape: Shape) -> Shape:
    """Return a shape without its dimensions of size 1, as numpy.squeeze does."""
    return tuple(size for size in shape if size != 1)


def natural_key(name: str) -> list[tuple[str, int]]:
    """Return a sort key that orders Variable_2 before Variable_10."""
    parts = re.split(r"(\d+)", name)
    return [
        (text, int(number)) for text, number in zip(parts[::2], [*parts[1::2], "-1"], strict=True)
    ]
