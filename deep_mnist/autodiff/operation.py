"""An operation: `forward` computes and remembers, `backward` hands the gradient on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Operation:
    """y = f(inputs), and for each input the rule that turns dL/dy into dL/d(input).

    L is a scalar that is computed from y somehow: backward needs to know of it only dL/dy.
    That is the chain rule, dL/dx = dL/dy dy/dx, and all there is to reverse mode: operations
    called forward in one order are called backward in the opposite one.

    Args:
      name: for messages.
      forward: inputs -> y.
      backward: one rule per input: (g, y, *inputs) -> dL/d(input), where g is dL/dy.
    """

    def __init__(
        self, name: str, forward: Callable[..., Any], *backward: Callable[..., Any]
    ) -> None:
        self.name = name
        self._forward = forward
        self._backward = backward
        self._inputs: tuple[Array, ...] = ()
        self._output: Array | None = None

    def __repr__(self) -> str:
        return self.name

    # What underflows here is zero to every digit there is, whatever np.seterr says elsewhere.
    @np.errstate(under="ignore")
    def forward(self, *inputs: Array) -> Array:
        """Computes y; keeps it and the inputs (not copies) for `backward`.

        Raises:
          TypeError: another number of inputs than the operation has.
        """
        if len(inputs) != len(self._backward):
            raise TypeError(f"{self}: expected {len(self._backward)} inputs, found {len(inputs)}")
        self._inputs = tuple(np.asarray(value) for value in inputs)
        self._output = np.asarray(self._forward(*self._inputs))
        return self._output

    @np.errstate(under="ignore")
    def backward(self, grad: Array, wrt: int | None = None) -> Any:
        """dL/d(input) for every input, from grad = dL/dy, of y's shape.

        Args:
          grad: dL/dy.
          wrt: the number of the one input whose gradient is wanted; the others cost nothing.

        Returns:
          The gradient with one input or with `wrt`, else a tuple of them in the inputs' order;
          each has its input's shape.

        Raises:
          RuntimeError: `forward` was not called before.
          ValueError: grad has another shape than y.
        """
        if self._output is None:
            raise RuntimeError(f"{self}: backward needs what forward remembers: call it first")
        grad = np.asarray(grad)
        if grad.shape != self._output.shape:
            raise ValueError(
                f"{self}: expected dL/dy of y's shape {self._output.shape}, found {grad.shape}"
            )
        rules = self._backward if wrt is None else [self._backward[wrt]]
        gradients = tuple(rule(grad, self._output, *self._inputs) for rule in rules)
        return gradients if len(gradients) > 1 else gradients[0]
