"""Faster gradients on CPUs: of matrix products, and of convolutions without AVX-512.

TensorFlow's gradient of Y = X W with respect to X is dY W^T, which reads the large matrix W
against its row order. (W dY^T)^T is the same product and reads W row by row. Without AVX-512,
TensorFlow's gradients of a convolution take longer than a convolution, and both can be written as
one. Times are in benchmarks/README.md.
"""

from __future__ import annotations

import contextlib
import functools
from contextlib import AbstractContextManager
from typing import Any

from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training.cpu_features import cpu_features

MATMUL, CONV2D = "DeepMnistMatMul", "DeepMnistConv2D"


def fast_gradients() -> AbstractContextManager[Any]:
    """Return a context in which tf.matmul, and with AVX2 tf.nn.conv2d, have faster gradients.

    The forward pass is unchanged. The gradients are those of products without transposed arguments,
    and of convolutions with stride 1, padding SAME, odd kernels and NHWC; of others they raise
    NotImplementedError.
    """
    _register()
    gradients = {"MatMul": MATMUL}
    features = cpu_features()
    if "avx2" in features and "avx512f" not in features:
        gradients["Conv2D"] = CONV2D
    override: AbstractContextManager[Any] = tf.get_default_graph().gradient_override_map(gradients)
    return override


@functools.cache
def _register() -> None:
    for name, gradient in ((MATMUL, _matmul_gradient), (CONV2D, _conv2d_gradient)):
        with contextlib.suppress(KeyError):  # registered before a notebook reloaded this module
            tf.RegisterGradient(name)(gradient)


def _matmul_gradient(op: Any, dy: Any) -> tuple[Any, Any]:
    """Return dL/dX = (W dY^T)^T and dL/dW = X^T dY."""
    if op.get_attr("transpose_a") or op.get_attr("transpose_b"):
        raise NotImplementedError(f"{op.name}: fast_gradients() expects untransposed matrices")
    x, W = op.inputs
    dx = tf.transpose(tf.matmul(W, dy, transpose_b=True))
    return dx, tf.matmul(x, dy, transpose_a=True)


def _conv2d_gradient(op: Any, dy: Any) -> tuple[Any, Any]:
    """Return dL/dX = dY * (W rotated by 180 degrees), and dL/dW = X * dY over the batch."""
    x, W = op.inputs  # [B, H, W, I], [k, l, I, O]; dy is [B, H, W, O]
    k, l = W.shape.as_list()[:2]  # noqa: E741
    if (
        not (k % 2 and l % 2)
        or op.get_attr("strides") != [1, 1, 1, 1]
        or op.get_attr("dilations") != [1, 1, 1, 1]
        or (op.get_attr("padding"), op.get_attr("data_format")) != (b"SAME", b"NHWC")
    ):
        raise NotImplementedError(
            f"{op.name}: fast_gradients() expects stride 1, padding SAME, an odd kernel and NHWC"
        )
    rotated = tf.transpose(tf.reverse(W, [0, 1]), [0, 1, 3, 2])  # [k, l, O, I]
    dx = tf.nn.conv2d(dy, rotated, strides=1, padding="SAME")  # [B, H, W, I]

    # A convolution whose images are X's channels, and whose channels are the images of the batch.
    images = tf.transpose(x, [3, 1, 2, 0])  # [I, H, W, B]
    kernel = tf.transpose(dy, [1, 2, 0, 3])  # [H, W, B, O]
    padding = [[0, 0], [k // 2, k // 2], [l // 2, l // 2], [0, 0]]
    dW = tf.nn.conv2d(images, kernel, strides=1, padding=padding)  # [I, k, l, O]
    return dx, tf.transpose(dW, [1, 2, 0, 3])
