"""The source document's own check: a chain of five operations, our gradients beside another's.

L is the sum of label * log(softmax(relu(x W1) W2)) for x [5, 6], W1 [6, 5], W2 [5, 6], all in
float64. TensorFlow, where it is installed, differentiates the same chain without any epsilon.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from deep_mnist.autodiff.operation import Array
from deep_mnist.autodiff.rules import EPSILON, Log, Matmul, Relu, Softmax

LABELS = (1, 0, 3, 5, 0)  # the class of each of the five rows

# Without an epsilon only rounding is left; with it, 1e-12 beside the smallest probability shows.
TOLERANCES = {EPSILON: 1e-6, 0.0: 1e-10}
DIFFERENCES_TOLERANCE = 1e-6


class Line(NamedTuple):
    """dL/d(inputs) of one operation, twice."""

    operation: str
    epsilon: float
    ours: float  # the first gradient's entry of the largest magnitude
    theirs: float  # the same entry
    difference: float  # largest of all entries, relative to their gradient's largest
    tolerance: float

    @property
    def agrees(self) -> bool:
        return self.difference <= self.tolerance


def compare(tf: Any | None) -> Iterator[Line]:
    """Yields a line per operation, from the last to the first, with and without the epsilons.

    Args:
      tf: the module tensorflow.compat.v1; without it central differences stand in.
    """
    random = np.random.default_rng(0)
    x, W1, W2 = (random.normal(size=shape) for shape in ((5, 6), (6, 5), (5, 6)))
    label = np.eye(6)[list(LABELS)]
    reference = None if tf is None else _tensorflow_gradients(tf, x, W1, W2, label)
    for epsilon, tolerance in TOLERANCES.items():
        ours = _gradients(x, W1, W2, label, epsilon)
        theirs = reference or _central_differences(x, W1, W2, label, epsilon)
        for operation, gradients in ours.items():
            pairs = list(zip(gradients, theirs[operation], strict=True))
            first, other = pairs[0]
            largest = np.abs(first).argmax()
            yield Line(
                operation,
                epsilon,
                float(first.flat[largest]),
                float(other.flat[largest]),
                max(float(np.abs(a - b).max() / np.abs(a).max()) for a, b in pairs),
                tolerance if reference else DIFFERENCES_TOLERANCE,
            )


def _gradients(
    x: Array, W1: Array, W2: Array, label: Array, epsilon: float
) -> dict[str, list[Array]]:
    """dL/d(inputs) of every operation, by our rules."""
    matmul1, relu, matmul2 = Matmul(), Relu(), Matmul()
    softmax, log = Softmax(epsilon), Log(epsilon)
    log.forward(softmax.forward(matmul2.forward(relu.forward(matmul1.forward(x, W1)), W2)))
    probability_grad = log.backward(label)
    h2_grad = softmax.backward(probability_grad)
    h1_relu_grad, W2_grad = matmul2.backward(h2_grad)
    h1_grad = relu.backward(h1_relu_grad)
    x_grad, W1_grad = matmul1.backward(h1_grad)
    return _by_operation(x_grad, W1_grad, h1_grad, h1_relu_grad, W2_grad, h2_grad, probability_grad)


def _tensorflow_gradients(
    tf: Any, x: Array, W1: Array, W2: Array, label: Array
) -> dict[str, list[Array]]:
    """The same by tf.gradients."""
    with tf.Graph().as_default(), tf.Session() as sess:
        x, W1, W2 = (tf.constant(value) for value in (x, W1, W2))
        h1 = tf.matmul(x, W1)
        h1_relu = tf.nn.relu(h1)
        h2 = tf.matmul(h1_relu, W2)
        probability = tf.nn.softmax(h2)
        loss = tf.reduce_sum(label * tf.log(probability))
        return _by_operation(
            *sess.run(tf.gradients(loss, [x, W1, h1, h1_relu, W2, h2, probability]))
        )


def _central_differences(
    x: Array, W1: Array, W2: Array, label: Array, epsilon: float
) -> dict[str, list[Array]]:
    """The same by moving every entry of every input, one at a time."""

    def after_softmax(probability: Array) -> float:
        return float(np.sum(label * Log(epsilon).forward(probability)))

    def after_matmul2(h2: Array) -> float:
        return after_softmax(Softmax(epsilon).forward(h2))

    def after_relu(h1_relu: Array) -> float:
        return after_matmul2(h1_relu @ W2)

    def after_matmul1(h1: Array) -> float:
        return after_relu(Relu().forward(h1))

    h1 = x @ W1
    h1_relu = Relu().forward(h1)
    h2 = h1_relu @ W2
    return _by_operation(
        _slope(lambda value: after_matmul1(value @ W1), x),
        _slope(lambda value: after_matmul1(x @ value), W1),
        _slope(after_matmul1, h1),
        _slope(after_relu, h1_relu),
        _slope(lambda value: after_matmul2(h1_relu @ value), W2),
        _slope(after_matmul2, h2),
        _slope(after_softmax, Softmax(epsilon).forward(h2)),
    )


def _slope(loss: Callable[[Array], float], at: Array) -> Array:
    gradient = np.empty_like(at)
    for index, value in np.ndenumerate(at):
        # In proportion: a probability of 1e-5 can't be moved by as much as a weight.
        step = 1e-5 * abs(value) or 1e-6
        ahead, behind = at.copy(), at.copy()
        ahead[index] += step
        behind[index] -= step
        gradient[index] = (loss(ahead) - loss(behind)) / (ahead[index] - behind[index])
    return gradient


def _by_operation(
    x: Array,
    W1: Array,
    h1: Array,
    h1_relu: Array,
    W2: Array,
    h2: Array,
    probability: Array,
) -> dict[str, list[Array]]:
    """Gradients, each named for what it is taken by, under the operation that hands it on."""
    return {
        "log": [probability],
        "softmax": [h2],
        "matmul 2": [h1_relu, W2],
        "relu": [h1],
        "matmul 1": [x, W1],
    }
