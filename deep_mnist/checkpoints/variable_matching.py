"""Match the variables of a checkpoint with those of a model, by shape, name and order.

TensorFlow 1 programs rarely named their variables: the same network is `Variable` .. `Variable_7`
in one checkpoint and `conv1/Variable`, `fc2/bias` or `W_conv1` in another, next to an optimizer's
variables and sometimes to other networks. A match that is certain is returned with its reason.
Anything else is an error that lists the choices. No files and no TensorFlow here.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from deep_mnist.checkpoints.variables import (
    AVERAGE,
    AVERAGE_SUFFIX,
    FLOAT_DTYPES,
    Layer,
    Shape,
    Spec,
    natural_key,
    non_weights,
    split_layers,
    squeeze,
    summarize,
)
from deep_mnist.errors import AmbiguousCheckpointError, CheckpointError, ModelMismatchError

# The part of a name that distinguishes a weight from its bias: W_conv1 and b_conv1, fc/kernel and
# fc/bias, h1_w and h1_b. Without it, the two names are equal.
ROLE = re.compile(
    r"^(weights?|kernels?|filters?|biases|bias|w|b)|(weights?|kernels?|biases|bias|_w|_b)(?=[_\d]*$)",
    re.IGNORECASE,
)
NORMALIZATION = re.compile(
    r"(^|/)(gamma|beta|moving_mean|moving_variance)(_\d+)?$|batch_?norm", re.IGNORECASE
)

IsConstant = Callable[[str], bool]
AreEqual = Callable[[str, str], bool]


class Source(NamedTuple):
    """The variable of the checkpoint that is a variable of the model, and why."""

    name: str
    reason: str


class Match(NamedTuple):
    """The variables of a checkpoint as those of a model.

    Attributes:
      sources: by the model's names, in its order.
      unused: the other variables of the checkpoint, and why they are not used.
    """

    sources: dict[str, Source]
    unused: dict[str, str]


class _Pair(NamedTuple):
    """A weight of the checkpoint and its bias."""

    weight: str
    bias: str
    reason: str


def match_variables(
    expected: Mapping[str, Shape],
    found: Mapping[str, Spec],
    is_constant: IsConstant,
    prefer: Sequence[str] = (),
    checkpoint: str = "checkpoint",
    are_equal: AreEqual = lambda first, second: False,
) -> Match:
    """Find the variables of a model in a checkpoint.

    Args:
      expected: shapes of the model's variables by name, in the order of its layers, each weight
        before its bias. No two weights have the same shape.
      found: the variables of the checkpoint.
      is_constant: returns whether all values of a variable of the checkpoint are equal. It is
        called only for variables of the model's shapes, where it decides.
      prefer: names of variables of the checkpoint, or patterns such as "scope/*", that are
        preferred to all others. By default the moving averages, if the checkpoint has those of
        all variables under the model's names.
      checkpoint: name of the checkpoint in error messages.
      are_equal: returns whether two variables of the checkpoint have the same bits. It is called
        only where it decides. Of equal copies of a network the first is used.

    Returns:
      The match.

    Raises:
      AmbiguousCheckpointError: several variables fit, or an unused one may belong to the network.
      ModelMismatchError: the checkpoint is of another model.
      CheckpointError: no variable matches a name in `prefer`.
    """
    layers = split_layers(expected)
    found = {name: found[name] for name in sorted(found, key=natural_key)}
    averages = [name + AVERAGE_SUFFIX for name in expected]
    if not prefer and found.keys() >= set(averages):
        prefer = averages
    unused = non_weights(found)
    preferred = _preferred(found, unused, prefer, checkpoint)
    unused = {name: reason for name, reason in unused.items() if name not in preferred}
    weights = {name: spec.shape for name, spec in found.items() if name not in unused}
    if not preferred:
        _check_not_normalized(layers, weights, checkpoint)

    pairs = _pair_biases(weights, is_constant)
    options = [_options(layer, weights, pairs, preferred) for layer in layers]
    if not all(options):
        raise _mismatch(layers, options, weights, found, checkpoint)
    chosen, not_chosen = _choose(options, is_constant, are_equal, checkpoint)
    unused |= not_chosen

    def source(name: str, shape: Shape, reason: str) -> Source:
        if name in preferred:
            reason = "moving average" if name in averages else "selected by name"
        if weights[name] != shape:
            reason += f", reshaped from {list(weights[name])}"
        return Source(name, reason)

    sources = {}
    for layer, pair in zip(layers, chosen, strict=True):
        sources[layer.weight] = source(pair.weight, layer.weight_shape, pair.reason)
        sources[layer.bias] = source(pair.bias, layer.bias_shape, pair.reason)

    used = {source.name for source in sources.values()}
    others = {name: shape for name, shape in weights.items() if name not in used | unused.keys()}
    if not used <= preferred:
        _check_trained(chosen, others, is_constant, checkpoint)
        suspects = _possible_parts(layers, others)
        if suspects:
            names = summarize(f"{name} {list(weights[name])}" for name in suspects)
            raise AmbiguousCheckpointError(
                f"{checkpoint} also has {names}, which may be a part of the same network",
                [sorted(used, key=natural_key)],
            )
    unused |= dict.fromkeys(others, "not in this model")
    return Match({name: sources[name] for name in expected}, unused)


def _preferred(
    found: Mapping[str, Spec], unused: Mapping[str, str], prefer: Sequence[str], checkpoint: str
) -> set[str]:
    preferred: set[str] = set()
    for pattern in prefer:
        matching = {
            name
            for name in found
            if fnmatchcase(name, pattern)
            and (name not in unused or (AVERAGE.search(name) and AVERAGE.search(pattern)))
        }
        if not matching:
            names = summarize(name for name in found if name not in unused) or "no weights"
            raise CheckpointError(
                f"{checkpoint} has no weights that match {pattern}: it has {names}"
            )
        preferred |= matching
    return preferred


def _pair_biases(weights: Mapping[str, Shape], is_constant: IsConstant) -> list[_Pair]:
    """Return every weight of the checkpoint with its bias, as far as that is certain."""
    pairs = []
    for size in sorted({shape[-1] for shape in weights.values()}):
        matrices = [n for n, s in weights.items() if len(squeeze(s)) > 1 and s[-1] == size]
        vectors = [n for n, s in weights.items() if squeeze(s) == (size,)]
        if len(matrices) == len(vectors) == 1:
            pairs.append(_Pair(matrices[0], vectors[0], "only variables of their shape"))
            continue
        for key, reason in (
            (_without_role, "same shape and name"),
            (lambda name: name.rpartition("/")[0], "same shape and scope"),
        ):
            matrices_by, vectors_by = _unique(matrices, key), _unique(vectors, key)
            for common in matrices_by.keys() & vectors_by.keys():
                pairs.append(_Pair(matrices_by[common], vectors_by[common], reason))
                matrices.remove(matrices_by[common])
                vectors.remove(vectors_by[common])
        if len(matrices) == len(vectors):
            in_order = list(zip(matrices, vectors, strict=True))
            # No bias is trained without its weight: such pairs show that the order is another.
            if not any(is_constant(matrix) and not is_constant(b) for matrix, b in in_order):
                pairs += [_Pair(matrix, b, "same shape and order") for matrix, b in in_order]
    return pairs


def _unique(names: Iterable[str], key: Callable[[str], str]) -> dict[str, str]:
    """Return the names by key, without those that share their key with another."""
    names = list(names)
    count = Counter(map(key, names))
    return {key(name): name for name in names if count[key(name)] == 1}


def _without_role(name: str) -> str:
    return "/".join(ROLE.sub("", part) for part in name.split("/"))


def _options(
    layer: Layer, weights: Mapping[str, Shape], pairs: Iterable[_Pair], preferred: set[str]
) -> list[_Pair]:
    """Return the variables of the checkpoint that may be this layer."""
    matrices = [n for n, s in weights.items() if _is_reshape(s, layer.weight_shape, layer.channels)]
    matrices = [name for name in matrices if name in preferred] or matrices
    vectors = [n for n, s in weights.items() if squeeze(s) == layer.bias_shape]
    preferred_vectors = [name for name in vectors if name in preferred]
    pair_of = {pair.weight: pair for pair in pairs}
    options = []
    for matrix in matrices:
        pair = pair_of.get(matrix)
        if pair is not None and (not preferred_vectors or pair.bias in preferred_vectors):
            options.append(pair)
        else:
            options += [_Pair(matrix, b, "same shape") for b in preferred_vectors or vectors]
    return options


def _is_reshape(source: Shape, target: Shape, channels: int) -> bool:
    """Whether numpy.reshape makes `target` of `source` and every value keeps its meaning.

    Dimensions of size 1 may differ, and a square image of `channels` may be flattened or not.
    """
    if squeeze(source) == squeeze(target):
        return True
    if len(target) != 2 or not source or source[-1] != target[-1]:
        return False
    side = math.isqrt(target[0] // channels)
    return side * side * channels == target[0] and squeeze(source[:-1]) == squeeze(
        (side, side, channels)
    )


def _choose(
    options: Sequence[list[_Pair]], is_constant: IsConstant, are_equal: AreEqual, checkpoint: str
) -> tuple[list[_Pair], dict[str, str]]:
    """Return one option for each layer: the only one, or the only one that was trained.

    Returns:
      The chosen options, and the variables that were not chosen with the reason.
    """
    distinct, copies = _without_copies(options, are_equal)
    remaining, untrained = _without_untrained(distinct, is_constant)
    if all(len(pairs) == 1 for pairs in remaining):
        return [pairs[0] for pairs in remaining], copies | untrained

    remaining, _ = _without_untrained(options, is_constant)
    ambiguous = [pairs for pairs in remaining if len(pairs) > 1]
    count = max(map(len, ambiguous))
    choices = [
        [n for pairs in remaining for n in pairs[min(i, len(pairs) - 1)][:2]] for i in range(count)
    ]
    message = f"{checkpoint} has several variables that fit the model: " + " or ".join(
        ",".join(choice) for choice in choices[:10]
    )
    if all(len({pair.weight for pair in pairs}) == 1 for pairs in ambiguous):
        message += (
            "; several vectors fit the same weights, which suggests another network, with batch "
            "normalization or PReLU"
        )
    raise AmbiguousCheckpointError(message, choices)


def _without_copies(
    options: Sequence[list[_Pair]], are_equal: AreEqual
) -> tuple[list[list[_Pair]], dict[str, str]]:
    """Return the options without copies of others, and the variables of the copies."""
    remaining: list[list[_Pair]] = []
    unused: dict[str, str] = {}
    for pairs in options:
        distinct: list[_Pair] = []
        for pair in pairs:
            for first in distinct:
                both = ((first.weight, pair.weight), (first.bias, pair.bias))
                if all(name != copy and are_equal(name, copy) for name, copy in both):
                    unused |= {copy: f"equal to {name}" for name, copy in both}
                    break
            else:
                distinct.append(pair)
        remaining.append(distinct)
    return remaining, unused


def _without_untrained(
    options: Sequence[list[_Pair]], is_constant: IsConstant
) -> tuple[list[list[_Pair]], dict[str, str]]:
    """Return the options without the untrained ones where one is trained, and their variables.

    A training step changes the values of a bias, or the rows of a weight, by different amounts.
    Where all are equal, they are initial values.
    """
    remaining, unused = [], {}
    for pairs in options:
        untrained = [p for p in pairs if is_constant(p.weight) or is_constant(p.bias)]
        if len(pairs) > 1 and len(untrained) == len(pairs) - 1:
            (kept,) = (pair for pair in pairs if pair not in untrained)
            for pair in untrained:
                constant = pair.weight if is_constant(pair.weight) else pair.bias
                for name in {pair.weight, pair.bias} - {kept.weight, kept.bias}:
                    unused[name] = f"untrained: all values of {constant} are equal"
            names = ", ".join(f"{pair.weight} and {pair.bias}" for pair in untrained)
            pairs = [kept._replace(reason=f"{kept.reason}; {names} are untrained")]
        remaining.append(pairs)
    return remaining, unused


def _mismatch(
    layers: Sequence[Layer],
    options: Sequence[list[_Pair]],
    weights: Mapping[str, Shape],
    found: Mapping[str, Spec],
    checkpoint: str,
) -> ModelMismatchError:
    """Return the error that lists the missing variables and what the checkpoint has instead."""
    missing = {
        name: shape
        for layer, pairs in zip(layers, options, strict=True)
        if not pairs
        for name, shape, channels in (
            (layer.weight, layer.weight_shape, layer.channels),
            (layer.bias, layer.bias_shape, 1),
        )
        if not any(_is_reshape(s, shape, channels) for s in weights.values())
    }
    matrices = {name: shape for name, shape in weights.items() if len(squeeze(shape)) > 1}
    distance = len(missing) / (2 * len(layers)) + abs(len(matrices) - len(layers)) / 100

    known = {shape for layer in layers for shape in (layer.weight_shape, layer.bias_shape)}
    sizes = {math.prod(shape) for shape in missing.values()}
    others = [
        f"{name} {spec}"
        for name, spec in found.items()
        if (name in weights and spec.shape not in known)
        or (spec.dtype not in FLOAT_DTYPES and math.prod(spec.shape) in sizes)
    ]
    message = f"{checkpoint} has no variable " + summarize(
        f"{name} {list(shape)}" for name, shape in missing.items()
    )
    if others or not weights:
        message += f", found {summarize(others) or 'no weights'}"
    return ModelMismatchError(message, distance)


def _check_not_normalized(
    layers: Sequence[Layer], weights: Mapping[str, Shape], checkpoint: str
) -> None:
    """Raise ModelMismatchError if the network has batch normalization."""
    sizes = {layer.bias_shape for layer in layers}
    names = [n for n, s in weights.items() if NORMALIZATION.search(n) and squeeze(s) in sizes]
    if names:
        shapes = {squeeze(shape) for shape in weights.values()}
        missing = [layer for layer in layers if squeeze(layer.weight_shape) not in shapes]
        raise ModelMismatchError(
            f"{checkpoint} has the batch-normalization variables {summarize(names)}, "
            "which the model does not have",
            distance=len(missing) / len(layers),
        )


def _check_trained(
    chosen: Sequence[_Pair],
    others: Mapping[str, Shape],
    is_constant: IsConstant,
    checkpoint: str,
) -> None:
    """Raise ModelMismatchError if the match is untrained and there is another network."""
    others = {name: shape for name, shape in others.items() if len(squeeze(shape)) > 1}
    if others and all(is_constant(pair.weight) for pair in chosen):
        names = ", ".join(pair.weight for pair in chosen)
        raise ModelMismatchError(
            f"{checkpoint} has only initial values (all equal) for {names}, and the weights of "
            f"another network: {summarize(others)}",
            distance=0.5,
        )


def _possible_parts(layers: Sequence[Layer], others: Mapping[str, Shape]) -> list[str]:
    """Return the unused variables that may be a part of the matched network.

    To ignore one of these would change the predictions:
    - a layer, or the last one of a chain of layers, from the input or output of a layer of the
      model to the input or output of one. A chain from the images to the classes is a network of
      its own, and one that ends elsewhere has no influence;
    - the last layer of a chain to six numbers: the affine map of a spatial transformer (arXiv
      1506.02025), which moves the image before the model gets it;
    - a vector of a layer's size that is not the bias of an unused layer, such as PReLU's slopes.
    """
    affine_map = ("dense", 6)
    # The features at the input, between the layers, and at the output.
    points = [
        {_input(layers[0].weight_shape), ("dense", 784), ("image", 1)},
        *(
            {_output(before.weight_shape), _input(after.weight_shape)}
            for before, after in itertools.pairwise(layers)
        ),
        {_output(layers[-1].weight_shape)},
    ]
    matrices = {name: shape for name, shape in others.items() if len(squeeze(shape)) > 1}
    suspects = set()
    for start in points:
        ends = [affine_map]
        for end in points:
            if not (start is points[0] and end is points[-1]):
                ends += end
        suspects |= {n for n in _reachable(matrices, start) if _output(matrices[n]) in ends}

    # Of each size, as many vectors as unused weights are their biases.
    unpaired = Counter(shape[-1] for shape in matrices.values())
    sizes = {size for point in points for _, size in point if size != 1}
    for name, shape in others.items():
        if len(squeeze(shape)) == 1:
            (size,) = squeeze(shape)
            unpaired[size] -= 1
            if unpaired[size] < 0 and size in sizes:
                suspects.add(name)
    return sorted(suspects, key=natural_key)


def _reachable(matrices: Mapping[str, Shape], start: set[tuple[str, int]]) -> set[str]:
    """Return the names of the layers of all chains that begin with the features `start`."""
    chain = {name for name, shape in matrices.items() if _input(shape) in start}
    reached: set[str] = set()
    while chain:
        reached |= chain
        chain = {
            name
            for name, shape in matrices.items()
            if name not in reached and any(_leads_to(matrices[before], shape) for before in chain)
        }
    return reached


def _input(shape: Shape) -> tuple[str, int]:
    """Return the kind and number of the features that a layer with this weight takes."""
    return ("dense" if len(shape) == 2 else "image", shape[-2])


def _output(shape: Shape) -> tuple[str, int]:
    """Return the kind and number of the features that a layer with this weight returns."""
    return ("dense" if len(shape) == 2 else "image", shape[-1])


def _leads_to(before: Shape, after: Shape) -> bool:
    """Whether a layer's output can be the input of another, flattened if need be."""
    (kind, size), (next_kind, next_size) = _output(before), _input(after)
    if kind == next_kind:
        return size == next_size
    flat, channels = (next_size, size) if kind == "image" else (size, next_size)
    return flat % channels == 0 and math.isqrt(flat // channels) ** 2 == flat // channels
