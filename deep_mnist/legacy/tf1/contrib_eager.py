"""tf.contrib.eager: what tf lacks or has under another name."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tensorflow.python.eager import context

from deep_mnist.lazy_tensorflow import tf

__all__ = [
    "Iterator",
    "Saver",
    "Variable",
    "defun",
    "get_optimizer_variables",
    "gradients_function",
    "implicit_gradients",
    "implicit_value_and_gradients",
    "in_eager_mode",
    "list_devices",
    "make_template",
    "num_gpus",
    "py_func",
    "run",
    "value_and_gradients_function",
]

Variable = functools.partial(tf.Variable, use_resource=True)
Iterator = iter
Saver = tf.train.Saver
defun = tf.function
in_eager_mode = tf.executing_eagerly
make_template = tf.make_template
py_func = tf.py_function
num_gpus = context.num_gpus


def list_devices() -> list[str]:
    """Return the names of the devices."""
    names: list[str] = context.context().devices()
    return names


def get_optimizer_variables(optimizer: Any) -> list[Any]:
    """Return the slots of an optimizer."""
    return list(optimizer.variables())


def implicit_value_and_gradients(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that returns (value, [(gradient, variable), ...])."""

    def gradients(*args: Any, **kwargs: Any) -> Any:
        with tf.GradientTape() as tape:
            value = function(*args, **kwargs)
        watched = tape.watched_variables()
        return value, list(zip(tape.gradient(value, watched), watched, strict=True))

    return gradients


def implicit_gradients(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that returns (gradient, variable) for each trainable variable."""
    both = implicit_value_and_gradients(function)
    return lambda *args, **kwargs: both(*args, **kwargs)[1]


def value_and_gradients_function(
    function: Callable[..., Any], params: Any = None
) -> Callable[..., Any]:
    """Return a function that returns (value, gradients for the arguments)."""

    def gradients(*args: Any) -> Any:
        tensors = [tf.convert_to_tensor(arg) for arg in args]
        with tf.GradientTape() as tape:
            for tensor in tensors:
                tape.watch(tensor)
            value = function(*tensors)
        chosen = tensors if params is None else [tensors[i] for i in params]
        return value, tape.gradient(value, chosen)

    return gradients


def gradients_function(function: Callable[..., Any], params: Any = None) -> Callable[..., Any]:
    """Return a function that returns its gradient for each argument."""
    both = value_and_gradients_function(function, params)
    return lambda *args: both(*args)[1]


def run(main: Any = None, argv: Any = None) -> None:
    """Enable eager execution and run main."""
    tf.app.run(main, argv)
