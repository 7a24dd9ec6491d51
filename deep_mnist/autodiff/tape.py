"""Reverse-mode differentiation: one walk over the tape, from the output back to the inputs.

The Tensor that an operation returns refers to the operation and to its inputs, which may be
Tensors, too. These references are the tape; it is freed with the last Tensor. Nothing here knows
what an operation computes: that is in rules.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deep_mnist.autodiff.operation import Array, Tensor


def gradients(output: Tensor, inputs: Sequence[Any]) -> list[Array]:
    """Return the gradient of a scalar with respect to each input, like tf.gradients.

    A value that is used several times has the sum of the gradients of its uses. The walk visits
    only what lies between the inputs and the output: in matmul(x, W), the gradient of x is not
    computed if only W is an input.

    Args:
      output: a scalar, the result of an operation.
      inputs: Tensors, or arrays that operations were called with. An array is recognized by
        identity: W.copy() is not W.

    Returns:
      The gradients in the order of the inputs, each with its input's shape.

    Raises:
      ValueError: output is not a scalar on the tape, or does not depend on an input. (There,
        tf.gradients returns None, which then fails in the arithmetic that follows.)

    Example:
      >>> from deep_mnist.autodiff import Matmul, Relu, Sum
      >>> x, W = np.array([[1.0, 2.0]]), np.array([[3.0, -1.0], [4.0, -2.0]])
      >>> loss = Sum()(Relu()(Matmul()(x, W)))
      >>> loss.value
      array(11.)
      >>> gradients(loss, [W])  # the second unit is 0 after Relu, and so is its gradient
      [array([[1., 0.],
             [2., 0.]])]
    """
    if not isinstance(output, Tensor):
        raise ValueError(f"output: expected the result of an operation, found {type(output)}")
    if output.shape != ():
        raise ValueError(f"output: expected a scalar, found the shape {output.shape}")
    tape = recorded(output)

    # Forward: what depends on the inputs?
    needed = {id(x) for x in inputs}
    for tensor in tape:
        if any(id(x) in needed for x in tensor.inputs):
            needed.add(id(tensor))

    # Backward: a Tensor comes after all that was computed from it, so its gradient is complete.
    grads: dict[int, Array] = {id(output): np.ones_like(output.value)}
    for tensor in reversed(tape):
        if id(tensor) not in needed:
            continue
        for number, x in enumerate(tensor.inputs):
            if id(x) in needed:
                grad = tensor.input_grad(number, grads[id(tensor)])
                grads[id(x)] = grads[id(x)] + grad if id(x) in grads else grad

    for number, x in enumerate(inputs):
        if id(x) not in grads:
            raise ValueError(
                f"input {number}: expected an array or Tensor that the output was computed from, "
                f"found another one, of shape {np.shape(x)}"
            )
    return [np.asarray(grads[id(x)]) for x in inputs]


def recorded(output: Tensor) -> list[Tensor]:
    """Return the Tensors that `output` was computed from, and itself, inputs before outputs."""
    found = {id(output): output}
    unvisited = [output]
    while unvisited:
        for x in unvisited.pop().inputs:
            if isinstance(x, Tensor) and id(x) not in found:
                found[id(x)] = x
                unvisited.append(x)
    return sorted(found.values(), key=lambda tensor: tensor.depth)
