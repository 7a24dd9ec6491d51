"""Reverse-mode automatic differentiation in NumPy. TensorFlow is not needed.

    h = relu(matmul(x, W1))
    loss = reduce_sum(log(softmax(matmul(h, W2))))
    W1_grad, W2_grad = gradients(loss, [W1, W2])

Modules, in reading order:

    operation.py          Operation: a function and its backward rules; Tensor: its result
    tape.py               gradients: one walk from the output back to the inputs
    rules.py              the operations, each with its rule and the derivation
    gradient_check.py     gradients compared with central differences
    tensorflow_check.py   the source document's check: gradients compared with TensorFlow's
"""

from deep_mnist.autodiff.gradient_check import gradient_check
from deep_mnist.autodiff.operation import Array, Operation, Tensor
from deep_mnist.autodiff.rules import (
    Add,
    Log,
    LogSoftmax,
    Matmul,
    Mean,
    Multiply,
    Negative,
    Relu,
    Sigmoid,
    Softmax,
    Sum,
    Tanh,
)
from deep_mnist.autodiff.tape import gradients
from deep_mnist.autodiff.tensorflow_check import (
    Comparison,
    compare_with_tensorflow,
    comparisons,
)

__all__ = [
    "Add",
    "Array",
    "Comparison",
    "Log",
    "LogSoftmax",
    "Matmul",
    "Mean",
    "Multiply",
    "Negative",
    "Operation",
    "Relu",
    "Sigmoid",
    "Softmax",
    "Sum",
    "Tanh",
    "Tensor",
    "compare_with_tensorflow",
    "comparisons",
    "gradient_check",
    "gradients",
]
