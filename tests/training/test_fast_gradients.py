import importlib

import numpy as np
import pytest

from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training.fast_gradients import fast_gradients

AVX2 = "flags : fpu avx2 fma\n"
AVX512 = "flags : fpu avx2 fma avx512f\n"


def product_and_gradients(x, W, noise):
    """x W, and the gradients of sum(x W * noise) with respect to x and W."""
    x, W = tf.constant(x), tf.constant(W)
    y = tf.matmul(x, W)
    return [y, *tf.gradients(tf.reduce_sum(y * noise), [x, W])]


def test_the_gradients_of_a_product_are_tensorflows(graph):
    random = np.random.default_rng(0)
    arguments = [random.standard_normal(shape) for shape in ((7, 30), (30, 11), (7, 11))]
    tensorflows = product_and_gradients(*arguments)
    with fast_gradients():
        ours = product_and_gradients(*arguments)
    with tf.Session() as sess:
        for expected, found in zip(*sess.run([tensorflows, ours]), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("transposed", ["transpose_a", "transpose_b"])
def test_the_gradient_of_a_transposed_product_is_an_error(graph, transposed):
    x = tf.placeholder(tf.float32, [4, 4])
    with fast_gradients():
        y = tf.matmul(x, tf.ones([4, 4]), **{transposed: True})
    with pytest.raises(NotImplementedError, match=r"fast_gradients\(\) expects untransposed"):
        tf.gradients(y, x)


def convolution_and_gradients(x, W, noise):
    """x * W, and the gradients of sum((x * W) noise) with respect to x and W."""
    x, W = tf.constant(x), tf.constant(W)
    y = tf.nn.conv2d(x, W, strides=1, padding="SAME")
    return [y, *tf.gradients(tf.reduce_sum(y * noise), [x, W])]


def test_the_gradients_of_a_convolution_with_avx2_are_tensorflows(graph, cpuinfo):
    random = np.random.default_rng(0)
    shapes = ((4, 9, 7, 3), (5, 3, 3, 6), (4, 9, 7, 6))
    arguments = [random.standard_normal(shape) for shape in shapes]
    tensorflows = convolution_and_gradients(*arguments)
    cpuinfo(AVX2)
    with fast_gradients():
        ours = convolution_and_gradients(*arguments)
    assert ours[0].op.get_attr("_gradient_op_type") == b"DeepMnistConv2D"
    with tf.Session() as sess:
        for expected, found in zip(*sess.run([tensorflows, ours]), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("text", [AVX512, "Features : neon\n"], ids=["avx512", "arm"])
def test_the_gradients_of_a_convolution_are_replaced_only_with_avx2_alone(graph, cpuinfo, text):
    cpuinfo(text)
    with fast_gradients():
        y = tf.nn.conv2d(tf.ones([1, 8, 8, 1]), tf.ones([5, 5, 1, 2]), 1, "SAME")
    with pytest.raises(ValueError, match="_gradient_op_type"):
        y.op.get_attr("_gradient_op_type")


@pytest.mark.parametrize(
    ("kernel", "strides", "padding"), [(4, 1, "SAME"), (5, 2, "SAME"), (5, 1, "VALID")]
)
def test_the_gradient_of_another_convolution_is_an_error(graph, cpuinfo, kernel, strides, padding):
    cpuinfo(AVX2)
    x = tf.placeholder(tf.float32, [2, 8, 8, 1])
    with fast_gradients():
        y = tf.nn.conv2d(x, tf.ones([kernel, kernel, 1, 2]), strides, padding)
    with pytest.raises(NotImplementedError, match=r"fast_gradients\(\) expects stride 1"):
        tf.gradients(y, x)


def test_only_products_within_the_context_have_the_gradient(graph):
    with fast_gradients():
        inside = tf.matmul(tf.ones([2, 3]), tf.ones([3, 4]))
    outside = tf.matmul(tf.ones([2, 3]), tf.ones([3, 4]))
    assert inside.op.type == outside.op.type == "MatMul"
    assert inside.op.get_attr("_gradient_op_type") == b"DeepMnistMatMul"
    with pytest.raises(ValueError, match="_gradient_op_type"):
        outside.op.get_attr("_gradient_op_type")


def test_the_module_can_be_reloaded_as_in_a_notebook(graph):
    module = importlib.reload(importlib.import_module("deep_mnist.training.fast_gradients"))
    with module.fast_gradients():
        y = tf.matmul(tf.ones([2, 3]), tf.ones([3, 4]))
    assert y.op.get_attr("_gradient_op_type") == b"DeepMnistMatMul"
