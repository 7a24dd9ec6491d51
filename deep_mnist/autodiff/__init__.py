"""Reverse-mode differentiation by hand: operations that know their own backward rule. NumPy alone.

Read in this order:

    operation.py        forward remembers, backward applies the rule
    rules.py            the rules, each with its derivation
    gradient_check.py   a gradient held against central differences
    comparison.py       the source document's check against TensorFlow
"""

from deep_mnist.autodiff.tensorflow_check import compare
from deep_mnist.autodiff.gradient_check import gradient_check
from deep_mnist.autodiff.operation import Array, Operation
from deep_mnist.autodiff.rules import (
    Add,
    Log,
    LogSoftmax,
    Matmul,
    Mean,
    Relu,
    Sigmoid,
    Softmax,
    Sum,
    Tanh,
)
from deep_mnist.errors import GradientCheckError

__all__ = [
    "Add",
    "Array",
    "GradientCheckError",
    "Log",
    "LogSoftmax",
    "Matmul",
    "Mean",
    "Operation",
    "Relu",
    "Sigmoid",
    "Softmax",
    "Sum",
    "Tanh",
    "compare",
    "gradient_check",
]
