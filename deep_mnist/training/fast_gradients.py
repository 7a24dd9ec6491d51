"""The same gradients by quicker kernels: backward passes written as forward operations.

On a CPU the forward kernels are well tuned, the backward ones less so: at the sizes of the Deep
MNIST network they take up to twice as long for as many multiplications (measured:
benchmarks/results/step.json).
"""

from __future__ import annotations

import contextlib
import functools
from contextlib import AbstractContextManager
from typing import Any

from deep_mnist.lazy_tensorflow import tf

CONVOLUTION, PRODUCT, POOLING = "DeepMnistConv2D", "DeepMnistMatMul", "DeepMnistMaxPool"


def faster_backward() -> AbstractContextManager[Any]:
    """Gradients of the conv2d, matmul and max_pool of tf.nn made inside are those of this file.

    For convolutions with stride 1, padding SAME and sides of odd length, in NHWC, for products
    without transpositions, and for pooling of 2x2 blocks that cover an image of known size; taking
    the gradient of others raises NotImplementedError. The operations themselves are TensorFlow's.
    """
    _register()
    override: AbstractContextManager[Any] = tf.get_default_graph().gradient_override_map(
        {"Conv2D": CONVOLUTION, "MatMul": PRODUCT, "MaxPool": POOLING}
    )
    return override


@functools.cache
def _register() -> None:
    rules = {CONVOLUTION: _convolution, PRODUCT: _product, POOLING: _pooling}
    for name, rule in rules.items():
        with contextlib.suppress(KeyError):  # a notebook has reloaded this module
            tf.RegisterGradient(name)(rule)


def _expect(op: Any, suits: bool, what: str) -> None:
    if not suits:
        raise NotImplementedError(
            f"{op.name}: the quicker gradient of {op.type} is for {what}; "
            "build this one outside of faster_backward()"
        )


def _convolution(op: Any, gradient: Any) -> tuple[Any, Any]:
    """y = x * W: dx = dy * (W, turned around); dW = x * dy, with the batch as the channels.

    x [B, H, W, I], W [k, l, I, O], dy [B, H, W, O]
    """
    x, W = op.inputs
    suits = all(side is not None and side % 2 for side in W.shape[:2].as_list())
    suits &= op.get_attr("strides") == op.get_attr("dilations") == [1, 1, 1, 1]
    suits &= (op.get_attr("padding"), op.get_attr("data_format")) == (b"SAME", b"NHWC")
    _expect(op, suits, "stride 1, padding SAME, odd sides and NHWC")
    k, l = (side // 2 for side in W.shape[:2].as_list())  # noqa: E741
    turned = tf.transpose(tf.reverse(W, [0, 1]), [0, 1, 3, 2])  # [k, l, O, I]
    dx = tf.nn.conv2d(gradient, turned, strides=1, padding="SAME")  # [B, H, W, I]

    images = tf.transpose(x, [3, 1, 2, 0])  # [I, H, W, B]
    filters = tf.transpose(gradient, [1, 2, 0, 3])  # [H, W, B, O]
    padding = [[0, 0], [k, k], [l, l], [0, 0]]
    dW = tf.nn.conv2d(images, filters, strides=1, padding=padding)  # [I, k, l, O]
    return dx, tf.transpose(dW, [1, 2, 0, 3])


def _product(op: Any, gradient: Any) -> tuple[Any, Any]:
    """Y = X W: dX = (W dY^T)^T, which reads the large matrix in the order it lies; dW = X^T dY."""
    x, W = op.inputs
    suits = not op.get_attr("transpose_a") and not op.get_attr("transpose_b")
    _expect(op, suits, "matrices as they are, not transposed")
    dx = tf.transpose(tf.matmul(W, gradient, transpose_b=True))
    return dx, tf.matmul(x, gradient, transpose_a=True)


def _pooling(op: Any, gradient: Any) -> Any:
    """y = max of each 2x2 block: dx is dy at the first place of the block that is as large, else 0.

    Decided in two rounds, within the rows and then between them. x [B, H, W, C]
    """
    x = op.inputs[0]
    H, W, C = x.shape[1:].as_list()
    suits = all(side is not None and side % 2 == 0 for side in (H, W)) and C is not None
    suits &= op.get_attr("ksize") == op.get_attr("strides") == [1, 2, 2, 1]
    suits &= op.get_attr("data_format") == b"NHWC"
    _expect(op, suits, "blocks of 2x2 on images of known, even sides in NHWC")
    left, right = tf.split(tf.reshape(x, [-1, 2 * C]), 2, axis=1)  # [B * H * W/2, C]
    rows = tf.reshape(tf.maximum(left, right), [-1, W * C])
    upper, lower = tf.split(rows, 2, axis=1)  # [B * H/2, W/2 * C]

    dy = tf.reshape(gradient, [-1, W // 2 * C])
    d_upper = tf.where(upper >= lower, dy, tf.zeros_like(dy))
    d_rows = tf.reshape(tf.concat([d_upper, dy - d_upper], axis=1), [-1, C])
    d_left = tf.where(left >= right, d_rows, tf.zeros_like(d_rows))
    return tf.reshape(tf.concat([d_left, d_rows - d_left], axis=1), tf.shape(x))
