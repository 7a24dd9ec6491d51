"""An operation: a function of arrays, and for each input the rule that gives its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Operation:
    """A function y = f(inputs) and the gradient of each of its inputs.

    L is any scalar that is computed from y. By the chain rule, dL/d(input) = dL/dy dy/d(input):
    whatever happens to y afterwards, dL/dy is all that an operation has to know about it.

    An operation can be used step by step, as in the source document:

    >>> from deep_mnist.autodiff import Matmul
    >>> x, W = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])
    >>> matmul = Matmul()
    >>> matmul.forward(x, W)
    array([[11.]])
    >>> x_grad, W_grad = matmul.backward(np.array([[1.0]]))
    >>> x_grad
    array([[3., 4.]])

    Or it is called, which records it on the tape for `gradients`. Then it can be used any number of
    times.
    """

    def __init__(
        self, name: str, forward: Callable[..., Any], *backward: Callable[..., Any]
    ) -> None:
        """Define an operation.

        Args:
          name: used in error messages.
          forward: the function, inputs -> y.
          backward: one rule for each input, (g, y, *inputs) -> dL/d(input), where g is dL/dy.
        """
        self.name = name
        self._forward = forward
        self.rules = backward
        self._latest: Tensor | None = None

    def __repr__(self) -> str:
        """Return the name."""
        return self.name

    # A number that underflows becomes 0, as near as its type allows: not worth NumPy's warning.
    @np.errstate(under="ignore")
    def __call__(self, *inputs: Any) -> Tensor:
        """Compute y and record it on the tape.

        Args:
          inputs: Tensors, arrays, or anything that NumPy can make an array of. Arrays are not
            copied, so do not change them before the gradients are computed.

        Raises:
          TypeError: the number of inputs is wrong.
        """
        if len(inputs) != len(self.rules):
            raise TypeError(f"{self}: expected {len(self.rules)} inputs, found {len(inputs)}")
        # An object with a shape is an array or another kind of matrix, and used as it is.
        recorded = tuple(x if hasattr(x, "shape") else np.asarray(x) for x in inputs)
        return Tensor(np.asarray(self._forward(*map(value_of, recorded))), self, recorded)

    def forward(self, *inputs: Any) -> Array:
        """Return y, and keep it and the inputs for `backward`.

        Raises:
          TypeError: the number of inputs is wrong.
        """
        self._latest = self(*inputs)
        return self._latest.value

    def backward(self, grad: Any) -> Any:
        """Return the gradient of each input of the latest `forward`.

        Args:
          grad: dL/dy, with y's shape.

        Returns:
          dL/d(input), with the input's shape; of several inputs a tuple, in their order.

        Raises:
          RuntimeError: `forward` was not called.
          ValueError: grad does not have y's shape.
        """
        if self._latest is None:
            raise RuntimeError(f"{self}: call forward before backward")
        grad = np.asarray(grad)
        if grad.shape != self._latest.shape:
            raise ValueError(
                f"{self}: expected dL/dy of y's shape {self._latest.shape}, found {grad.shape}"
            )
        result = tuple(self._latest.input_grad(i, grad) for i in range(len(self.rules)))
        return result if len(result) > 1 else result[0]


class Tensor:
    """A value on the tape: an array, the operation that computed it, and its inputs.

    Attributes:
      value: the array.
      operation: the Operation that computed it.
      inputs: what it was computed from, Tensors and arrays.
      depth: the number of operations on the longest path to it. It is larger than the depth of
        every input, so Tensors in the order of their depth are in topological order.
    """

    __slots__ = ("depth", "inputs", "operation", "value")
    __array_ufunc__ = None  # np.log(tensor) would not be on the tape: NumPy raises TypeError

    def __init__(self, value: Array, operation: Operation, inputs: tuple[Any, ...]) -> None:
        """Record a value, one deeper than its deepest input."""
        self.value = value
        self.operation = operation
        self.inputs = inputs
        self.depth: int = 1 + max((x.depth for x in inputs if isinstance(x, Tensor)), default=0)

    def __repr__(self) -> str:
        """Return the operation, shape and dtype."""
        return f"<Tensor {self.operation} {self.shape} {self.value.dtype}>"

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return self.value.shape

    @np.errstate(under="ignore")
    def input_grad(self, number: int, grad: Array) -> Array:
        """Return dL/d(inputs[number]) from grad = dL/d(value).

        Raises:
          ValueError: the operation's rule returned another shape than the input's.
        """
        rule = self.operation.rules[number]
        result = np.asarray(rule(grad, self.value, *map(value_of, self.inputs)))
        expected = self.inputs[number].shape
        if result.shape != expected:
            raise ValueError(
                f"{self.operation}, input {number}: expected a gradient of the input's shape "
                f"{expected}, found {result.shape}"
            )
        return result


def value_of(x: Any) -> Any:
    """Return the array of a Tensor, and anything else as it is."""
    return x.value if isinstance(x, Tensor) else x
