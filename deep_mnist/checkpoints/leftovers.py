"""What a file holds beside a model: an optimizer's, another network's, or a part of its own.

The first two are left out; the last would be left out at the price of a wrong answer.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from deep_mnist.checkpoints.shapes import Layer, Shape, Spec, listed, natural, squeezed
from deep_mnist.errors import AmbiguousCheckpointError, ModelMismatchError

FLOATS = ("float32", "float64", "float16", "bfloat16")

# What the optimizers of TensorFlow 1 add under a variable's name, and Keras's under their own.
SLOT = re.compile(
    r"/(Adam|AdamW|LazyAdam|AdaMax|AMSGrad|NAdam|Nadam|Momentum|RMSProp|Adagrad|AdagradDA|Adadelta"
    r"|Ftrl|FtrlProximal|LARS|LAMB|ProximalAdagrad)(_\w+)?$"
)
OPTIMIZER = re.compile(r"(^|/)training(_\d+)?/[A-Z]\w*/")
AVERAGE_SUFFIX = "/ExponentialMovingAverage"
AVERAGE = re.compile(rf"{AVERAGE_SUFFIX}(_\d+)?$")
NORMALIZATION = re.compile(
    r"(^|/)(gamma|beta|moving_mean|moving_variance)(_\d+)?$|batch_?norm", re.IGNORECASE
)


def bookkeeping(found: Mapping[str, Spec]) -> dict[str, str]:
    """The variables that are no network's, by name, with the reason."""
    reasons = {}
    for name, (shape, dtype) in found.items():
        parent = name.rpartition("/")[0]
        if AVERAGE.search(name) and _averaged(parent, found):
            reasons[name] = f"a moving average of {parent}"
        elif SLOT.search(name) or OPTIMIZER.search(name):
            reasons[name] = "an optimizer's"
        elif parent in found and found[parent].shape == shape:
            reasons[name] = f"a slot of {parent}"
        elif math.prod(shape) == 1:
            reasons[name] = "a single number, as a step is"
        elif dtype not in FLOATS or 0 in shape:
            reasons[name] = f"no weight: {found[name]}"
    return reasons


def _averaged(parent: str, found: Mapping[str, Spec]) -> bool:
    """Whether the averaged variable is there too, if need be outside of the average's scopes.

    Where it is not, as where `averages.variables_to_restore()` were saved, they are the weights.
    """
    scopes = parent.split("/")
    return any("/".join(scopes[start:]) in found for start in range(len(scopes)))


def check_not_normalized(layers: Sequence[Layer], plain: Mapping[str, Shape]) -> None:
    sizes = {layer.bias_shape for layer in layers}
    names = [n for n, s in plain.items() if NORMALIZATION.search(n) and squeezed(s) in sizes]
    if names:
        shapes = {squeezed(shape) for shape in plain.values()}
        lacking = [layer for layer in layers if squeezed(layer.weight_shape) not in shapes]
        raise ModelMismatchError(
            f"it is of a network with batch normalization ({listed(names)}), which computes "
            "something else from the same weights",
            distance=len(lacking) / len(layers),
        )


def check_not_in_the_way(
    layers: Sequence[Layer], others: Mapping[str, Shape], used: set[str]
) -> None:
    """Refuses what may be a part of the same network, where leaving it out changes the answer.

    That is a layer, or a chain of layers, that leads from the input or output of one of the model's
    layers to that of one, as well as a vector that is no such layer's bias. A chain from the image
    to the classes is a network of its own; one that ends elsewhere has no influence on the answer,
    unless it ends in six numbers: those of the affine map with which a spatial transformer (arXiv
    1506.02025) moves the image before the model sees it.
    """
    affine = ("dense", 6)
    sides = [
        {_entry(layers[0].weight_shape), ("dense", 784), ("image", 1)},
        *(
            {_exit(before.weight_shape), _entry(after.weight_shape)}
            for before, after in itertools.pairwise(layers)
        ),
        {_exit(layers[-1].weight_shape)},
    ]
    weights = {name: shape for name, shape in others.items() if len(squeezed(shape)) > 1}
    suspects = []
    for start, side in enumerate(sides):
        chain = {n: s for n, s in weights.items() if _entry(s) in side}
        reached: dict[str, Shape] = {}
        while chain:
            reached |= chain
            chain = {
                name: shape
                for name, shape in weights.items()
                if name not in reached and any(_leads_to(s, shape) for s in chain.values())
            }
        for end, other_side in enumerate(sides):
            ends = [n for n, s in reached.items() if _exit(s) in other_side]
            if ends and (start, end) != (0, len(sides) - 1):
                suspects += ends
        suspects += [name for name, shape in reached.items() if _exit(shape) == affine]
    spare = Counter(shape[-1] for shape in weights.values())
    inside = {size for side in sides for _, size in side if size != 1}
    for name, shape in others.items():
        if len(squeezed(shape)) == 1:
            size = squeezed(shape)[0]
            spare[size] -= 1
            if spare[size] < 0 and size in inside:
                suspects.append(name)
    if suspects:
        names = sorted(set(suspects), key=natural)
        raise AmbiguousCheckpointError(
            f"beside the model's variables it holds {listed(names, others)}, which may stand "
            "between its layers, in another network",
            [sorted(used, key=natural)],
        )


def _entry(shape: Shape) -> tuple[str, int]:
    return ("dense" if len(shape) == 2 else "image", shape[-2])


def _exit(shape: Shape) -> tuple[str, int]:
    return ("dense" if len(shape) == 2 else "image", shape[-1])


def _leads_to(before: Shape, after: Shape) -> bool:
    (kind, size), (next_kind, next_size) = _exit(before), _entry(after)
    if kind == next_kind:
        return size == next_size
    flat, channels = (next_size, size) if kind == "image" else (size, next_size)
    return flat % channels == 0 and math.isqrt(flat // channels) ** 2 == flat // channels
