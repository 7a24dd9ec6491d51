import importlib

import numpy as np
import pytest

from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training.fast_gradients import fast_gradients


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
