"""The source document's check: gradients of five operations in a chain, compared with TensorFlow's.

    L = Σ label log(softmax(relu(x W1) W2))        x [5, 6], W1 [6, 5], W2 [5, 6], float64

TensorFlow's operations have no ε. If it is not installed, central differences are the reference.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from deep_mnist.autodiff.operation import Array, Tensor, value_of
from deep_mnist.autodiff.rules import EPSILON, Log, Matmul, Multiply, Relu, Softmax, Sum
from deep_mnist.autodiff.tape import gradients, recorded

LABELS = [1, 0, 3, 5, 0]  # of each row of x, as in the document


class Comparison(NamedTuple):
    """The gradients of one operation's inputs, and those of a reference."""

    operation: str
    epsilon: float  # of our Softmax and Log
    ours: float  # the element with the largest magnitude of the first input's gradient
    reference: float  # the same element
    difference: float  # the largest of any element, relative to the largest gradient
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether the difference is at most the tolerance; NaN is not."""
        return self.difference <= self.tolerance


def compare_with_tensorflow(tf: Any | None) -> bool:
    """Print a comparison of dL/d(inputs) for each operation, with ε and without.

    Args:
      tf: the module tensorflow.compat.v1, or None if it is not installed.

    Returns:
      Whether all gradients agree.
    """
    if tf is None:
        print("TensorFlow is not installed: comparing with central differences")
    compared = comparisons(tf)
    name = "differences" if tf is None else "TensorFlow"
    for row in compared:
        print(
            f"epsilon {row.epsilon:<5g}  {row.operation:8}  ours {row.ours:.10f}  "
            f"{name} {row.reference:.10f}  relative difference {row.difference:.0e}"
            f"{'' if row.agrees else f', MORE THAN {row.tolerance:.0e}'}"
        )
    return all(row.agrees for row in compared)


def comparisons(tf: Any | None) -> list[Comparison]:
    """Compare the gradients of each operation with TensorFlow's, with ε and without.

    Args:
      tf: the module tensorflow.compat.v1, or None for central differences as the reference.
    """
    compared = []
    random = np.random.default_rng(0)
    x, W1, W2 = (random.normal(size=shape) for shape in ([5, 6], [6, 5], [5, 6]))
    arrays = [x, W1, W2, np.eye(6)[LABELS]]
    for epsilon in (EPSILON, 0.0):
        operations = [Matmul(), Relu(), Softmax(epsilon), Log(epsilon), Multiply(), Sum()]
        loss, inputs = chain(*operations, *arrays)
        if tf is None:
            tolerance = 1e-6
            reference = {op: [numeric_gradient(loss, x) for x in inputs[op]] for op in inputs}
        else:
            tolerance = 1e-6 if epsilon else 1e-10  # without ε, only rounding
            reference = tensorflow_gradients(tf, arrays)
        for op in inputs:
            pairs = list(zip(gradients(loss, inputs[op]), reference[op], strict=True))
            difference = max(float(np.abs(a - b).max() / np.abs(a).max()) for a, b in pairs)
            largest = np.abs(pairs[0][0]).argmax()
            ours, theirs = (float(grad.flat[largest]) for grad in pairs[0])
            compared.append(Comparison(op, epsilon, ours, theirs, difference, tolerance))
    return compared


def chain(
    matmul: Any,
    relu: Any,
    softmax: Any,
    log: Any,
    multiply: Any,
    reduce_sum: Any,
    x: Any,
    W1: Any,
    W2: Any,
    label: Any,
) -> tuple[Any, dict[str, list[Any]]]:
    """Return L and the inputs of each operation, whichever library the operations are from."""
    h1 = matmul(x, W1)
    h1_relu = relu(h1)
    h2 = matmul(h1_relu, W2)
    p = softmax(h2)
    loss = reduce_sum(multiply(label, log(p)))
    return loss, {
        "log": [p],
        "softmax": [h2],
        "matmul 2": [h1_relu, W2],
        "relu": [h1],
        "matmul 1": [x, W1],
    }


def tensorflow_gradients(tf: Any, arrays: list[Array]) -> Any:
    """Return dL/d(inputs) of each operation by tf.gradients."""
    operations = [tf.matmul, tf.nn.relu, tf.nn.softmax, tf.log, tf.multiply, tf.reduce_sum]
    with tf.Graph().as_default(), tf.Session() as sess:
        loss, inputs = chain(*operations, *map(tf.constant, arrays))
        return sess.run({op: tf.gradients(loss, inputs[op]) for op in inputs})


def numeric_gradient(loss: Tensor, x: Any) -> Array:
    """Return dL/dx by central differences, by computing L from other values of x."""
    gradient: Array = np.empty_like(value_of(x))
    for index, element in np.ndenumerate(value_of(x)):
        # Relative: a probability of 1e-5 cannot be moved as far as a weight of 1.
        h = 1e-5 * abs(element) or 1e-6
        losses = []
        for moved in (element + h, element - h):
            values = {id(x): value_of(x).copy()}
            values[id(x)][index] = moved
            for tensor in recorded(loss):
                if tensor is not x:
                    inputs = [values.get(id(y), value_of(y)) for y in tensor.inputs]
                    values[id(tensor)] = tensor.operation(*inputs).value
            losses.append(values[id(loss)])
        gradient[index] = (losses[0] - losses[1]) / (2 * h)
    return gradient
