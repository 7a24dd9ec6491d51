"""Which variable of a file is which of a model's: by shape, role and number, never by a guess.

The tutorials named no variables, so the same network is `Variable` .. `Variable_7` in one file and
`conv1/Variable`, `fc2/bias` or `W_conv1` in another, among an optimizer's variables and sometimes
beside other networks. What is certain is said with its reason; what is not, is an error that lists
the choices. Nothing here reads a file or knows TensorFlow.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from deep_mnist.checkpoints.leftovers import (
    AVERAGE,
    AVERAGE_SUFFIX,
    FLOATS,
    bookkeeping,
    check_not_in_the_way,
    check_not_normalized,
)
from deep_mnist.checkpoints.shapes import Layer, Shape, Spec, layers_of, listed, natural, squeezed
from deep_mnist.errors import AmbiguousCheckpointError, DeepMnistError, ModelMismatchError

# Words at the ends of a name that tell a weight from its bias: W_conv1 and b_conv1, fc/kernel and
# fc/bias, h1_w and h1_b. Without them, the two names are one.
ROLE = re.compile(
    r"^(weights?|kernels?|filters?|biases|bias|w|b)|(weights?|kernels?|biases|bias|_w|_b)(?=[_\d]*$)",
    re.IGNORECASE,
)


class Source(NamedTuple):
    """The variable of the file that one of the model's is read from."""

    name: str
    reason: str


class Assignment(NamedTuple):
    """A file's variables as a model's."""

    sources: dict[str, Source]  # by the model's names, in its order
    ignored: dict[str, str]  # the file's others, and why they are left out


class _Pair(NamedTuple):
    """A weight of the file and its bias."""

    weight: str
    bias: str
    reason: str


def assign(
    expected: Mapping[str, Shape],
    found: Mapping[str, Spec],
    is_constant: Callable[[str], bool],
    take: Sequence[str] = (),
) -> Assignment:
    """Finds the model's variables in a file.

    Args:
      expected: the model's variables in the order of its layers, each weight before its bias; no
        two weights have one shape.
      found: the file's variables.
      is_constant: whether all values of a variable in the file are equal; asked only of variables
        as large as the model's, where it decides.
      take: names, or patterns of names as in "scope/*", that are preferred to all others; without
        it, the moving averages of all the model's variables, if the file has them under its names.

    Raises:
      AmbiguousCheckpointError: there are choices, and no rule that is safe; `take` decides.
      ModelMismatchError: there is nothing to choose from, or more than this model.
    """
    layers = layers_of(expected)
    averages = [name + AVERAGE_SUFFIX for name in expected]
    if not take and found.keys() >= set(averages):
        take = averages
    ignored = bookkeeping(found)
    taken = _taken(found, ignored, take)
    ignored = {name: why for name, why in ignored.items() if name not in taken}
    plain = {name: found[name].shape for name in sorted(found, key=natural) if name not in ignored}
    if not taken:
        check_not_normalized(layers, plain)

    pairs = _paired(plain, is_constant)
    options = [_options(layer, plain, pairs, taken) for layer in layers]
    if not all(options):
        raise _explained(layers, options, plain, found)
    chosen = _chosen(layers, options, is_constant, ignored)

    sources = {}
    for layer, pair in zip(layers, chosen, strict=True):
        for name, shape, source in (
            (layer.weight, layer.weight_shape, pair.weight),
            (layer.bias, layer.bias_shape, pair.bias),
        ):
            reason = pair.reason
            if source in taken:
                reason = "the moving average" if source in averages else "taken by name"
            if plain[source] != shape:
                reason += f", reshaped from {list(plain[source])} without moving a value"
            sources[name] = Source(source, reason)

    used = {source.name for source in sources.values()}
    others = {name: shape for name, shape in plain.items() if name not in used}
    if not used <= taken:
        _check_trained(chosen, others, is_constant)
        check_not_in_the_way(layers, {k: s for k, s in others.items() if k not in ignored}, used)
    for name in others:
        ignored.setdefault(name, "belongs to no layer of this model")
    return Assignment({name: sources[name] for name in expected}, ignored)


def _taken(found: Mapping[str, Spec], ignored: Mapping[str, str], take: Sequence[str]) -> set[str]:
    taken: set[str] = set()
    for pattern in take:
        matching = {
            name
            for name in found
            if fnmatchcase(name, pattern)
            and (name not in ignored or (AVERAGE.search(name) and AVERAGE.search(pattern)))
        }
        if not matching:
            raise DeepMnistError(
                f"--take {pattern}: expected the name of a weight in the file, or a pattern of "
                f"names, found none among {listed(n for n in found if n not in ignored)}"
            )
        taken |= matching
    return taken


def _paired(plain: Mapping[str, Shape], is_constant: Callable[[str], bool]) -> list[_Pair]:
    """Every weight of the file with its bias, as far as that is certain."""
    pairs = []
    for size in sorted({shape[-1] for shape in plain.values()}):
        weights = [n for n, s in plain.items() if len(squeezed(s)) > 1 and s[-1] == size]
        vectors = [n for n, s in plain.items() if squeezed(s) == (size,)]
        if len(weights) == len(vectors) == 1:
            pairs.append(_Pair(weights[0], vectors[0], "the only ones of their shape"))
            continue
        for key, reason in (
            (_without_role, "by shape and name"),
            (lambda name: name.rpartition("/")[0], "by shape and scope"),
        ):
            weights_by, vectors_by = _unique(weights, key), _unique(vectors, key)
            for common in weights_by.keys() & vectors_by.keys():
                pairs.append(_Pair(weights_by[common], vectors_by[common], reason))
                weights.remove(weights_by[common])
                vectors.remove(vectors_by[common])
        if len(weights) == len(vectors):
            by_number = list(zip(weights, vectors, strict=True))
            # No bias learns beside a weight that doesn't: then the numbers are in another order.
            if not any(is_constant(w) and not is_constant(b) for w, b in by_number):
                pairs += [_Pair(w, b, "by shape and number") for w, b in by_number]
    return pairs


def _unique(names: Iterable[str], key: Callable[[str], str]) -> dict[str, str]:
    """The names by key, without those whose key is not theirs alone."""
    names = list(names)
    count = Counter(map(key, names))
    return {key(name): name for name in names if count[key(name)] == 1}


def _without_role(name: str) -> str:
    return "/".join(ROLE.sub("", part) for part in name.split("/"))


def _options(
    layer: Layer, plain: Mapping[str, Shape], pairs: Iterable[_Pair], taken: set[str]
) -> list[_Pair]:
    """What of the file may be this layer."""
    weights = [
        n for n, s in plain.items() if _is_same_layout(s, layer.weight_shape, layer.channels)
    ]
    vectors = [n for n, s in plain.items() if squeezed(s) == layer.bias_shape]
    weights = [name for name in weights if name in taken] or weights
    taken_vectors = [name for name in vectors if name in taken]
    bias_of = {pair.weight: pair for pair in pairs}
    options = []
    for weight in weights:
        pair = bias_of.get(weight)
        if pair is not None and (not taken_vectors or pair.bias in taken_vectors):
            options.append(pair)
        else:
            options += [_Pair(weight, b, "by shape") for b in taken_vectors or vectors]
    return options


def _is_same_layout(source: Shape, target: Shape, channels: int) -> bool:
    """Whether a reshape alone makes `target` of `source`, and each value keeps its meaning.

    Sides of 1 come and go freely; a square image of that many channels may be flattened or not.
    """
    if squeezed(source) == squeezed(target):
        return True
    if len(target) != 2 or not source or source[-1] != target[-1]:
        return False
    side = math.isqrt(target[0] // channels)
    return side * side * channels == target[0] and squeezed(source[:-1]) == squeezed(
        (side, side, channels)
    )


def _chosen(
    layers: Sequence[Layer],
    options: Sequence[list[_Pair]],
    is_constant: Callable[[str], bool],
    ignored: dict[str, str],
) -> list[_Pair]:
    """One option a layer; where there are several, the only one that was ever trained.

    A step of training moves the ten values of a bias, or the rows of a weight, by different
    amounts: those that are all equal still have their initial value.
    """
    left = []
    for pairs in options:
        untrained = [p for p in pairs if is_constant(p.weight) or is_constant(p.bias)]
        if len(pairs) > 1 and len(untrained) == len(pairs) - 1:
            kept = next(pair for pair in pairs if pair not in untrained)
            for pair in untrained:
                constant = pair.weight if is_constant(pair.weight) else pair.bias
                for name in {pair.weight, pair.bias} - {kept.weight, kept.bias}:
                    ignored[name] = f"never trained: all values of {constant} are equal"
            names = ", ".join(f"{pair.weight} and {pair.bias}" for pair in untrained)
            left.append([kept._replace(reason=f"{kept.reason}; {names} were never trained")])
        else:
            left.append(pairs)
    if all(len(pairs) == 1 for pairs in left):
        return [pairs[0] for pairs in left]
    open_layers = [pairs for pairs in left if len(pairs) > 1]
    if len({len(pairs) for pairs in open_layers}) == 1:
        whole = [pairs * (len(open_layers[0]) // len(pairs)) for pairs in left]
        choices = [[n for p in choice for n in p[:2]] for choice in zip(*whole, strict=True)]
        sets = " or ".join(",".join(names) for names in choices)
        message = f"{len(choices)} of what it holds fit the model: {sets}"
    else:
        choices = [[n for pairs in left for n in pairs[-1][:2]]]
        sets = "; ".join(
            f"{layer.weight}, {layer.bias}: " + " or ".join(f"{p.weight},{p.bias}" for p in pairs)
            for layer, pairs in zip(layers, left, strict=True)
            if len(pairs) > 1
        )
        message = f"more than one choice fits the model: {sets}"
    if all(len({pair.weight for pair in pairs}) == 1 for pairs in open_layers):
        message += (
            "; several vectors for the same weights, as another network has them, with batch "
            "normalization or slopes of its activations"
        )
    raise AmbiguousCheckpointError(message, choices)


def _explained(
    layers: Sequence[Layer],
    options: Sequence[list[_Pair]],
    plain: Mapping[str, Shape],
    found: Mapping[str, Spec],
) -> ModelMismatchError:
    """Why the file is not of this model: what is expected of it, and what it has instead."""
    lacking = [layer for layer, pairs in zip(layers, options, strict=True) if not pairs]
    missing = {}
    for layer in lacking:
        for name, shape, channels in (
            (layer.weight, layer.weight_shape, layer.channels),
            (layer.bias, layer.bias_shape, 1),
        ):
            if not any(_is_same_layout(s, shape, channels) for s in plain.values()):
                missing[name] = shape
    wanted = ", ".join(f"{name} {list(shape)}" for name, shape in missing.items())
    weights = {name: shape for name, shape in plain.items() if len(squeezed(shape)) > 1}
    distance = len(missing) / (2 * len(layers)) + abs(len(weights) - len(layers)) / 100
    reasons = []
    for target in missing.values():
        if len(target) > 1:
            reasons += [
                f"{name} {list(shape)} has as many values in another arrangement, which is not "
                "undone by guess"
                for name, shape in weights.items()
                if math.prod(shape) == math.prod(target)
            ]
        reasons += [
            f"{name} is quantized ({spec})"
            for name, spec in found.items()
            if spec.dtype not in FLOATS and math.prod(spec.shape) == math.prod(target) > 1
        ]
    last = layers[-1].weight_shape
    inner = {shape[-2] for shape in weights.values()}
    if layers[-1] in lacking and len(weights) == len(layers):
        reasons += [
            f"it tells {shape[-1]} classes apart, not {last[-1]}"
            for shape in weights.values()
            if shape[:-1] == last[:-1] and shape[-1] not in {*inner, last[-1]}
        ]
    known = {shape for layer in layers for shape in (layer.weight_shape, layer.bias_shape)}
    others = [name for name, shape in plain.items() if shape not in known]
    if others or not plain:
        wanted += f", and has {listed(others, plain)}"
    return ModelMismatchError("; ".join([f"it lacks {wanted}", *reasons]), distance)


def _check_trained(
    chosen: Sequence[_Pair], others: Mapping[str, Shape], is_constant: Callable[[str], bool]
) -> None:
    """An untrained model of its own is what it is; beside another network it is a leftover."""
    another = [name for name, shape in others.items() if len(squeezed(shape)) > 1]
    if another and all(is_constant(pair.weight) for pair in chosen):
        names = ", ".join(pair.weight for pair in chosen)
        raise ModelMismatchError(
            f"{names} was never trained (its values are all equal), and stands beside the weights "
            f"of another network: {listed(another)}",
            distance=0.5,
        )
