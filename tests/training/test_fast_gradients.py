import importlib

import numpy as np
import pytest

from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training.fast_gradients import faster_backward


def gradients(make, *values):
    """dy/dx and dy/dW of sum(y * noise), TensorFlow's and ours."""
    found = []
    for ours in (False, True):
        with tf.Graph().as_default(), tf.Session() as sess:
            x, W = (tf.constant(value) for value in values)
            if ours:
                with faster_backward():
                    y = make(x, W)
            else:
                y = make(x, W)
            noise = np.random.default_rng(1).standard_normal(y.shape.as_list())
            found.append(sess.run([y, *tf.gradients(tf.reduce_sum(y * noise), [x, W])]))
    return found


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape)


@pytest.mark.parametrize(
    ("image", "kernel"),
    [
        ((3, 14, 14, 4), (5, 5, 4, 6)),
        ((2, 28, 28, 1), (5, 5, 1, 3)),
        ((2, 9, 5, 2), (3, 1, 2, 4)),
        ((1, 3, 3, 2), (7, 5, 2, 1)),  # wider than the image
    ],
)
def test_the_gradients_of_a_convolution_are_tensorflows(image, kernel):
    def convolution(x, W):
        return tf.nn.conv2d(x, W, strides=[1, 1, 1, 1], padding="SAME")

    theirs, ours = gradients(convolution, normal(*image), normal(*kernel))
    for expected, found in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


def test_the_gradients_of_a_product_are_tensorflows():
    theirs, ours = gradients(tf.matmul, normal(7, 30), normal(30, 11))
    for expected, found in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("shape", [(3, 14, 14, 4), (2, 28, 28, 1), (1, 2, 6, 3)])
def test_the_gradient_of_pooling_is_tensorflows_to_the_bit_where_pixels_are_as_large_too(shape):
    images = np.random.default_rng(0).integers(0, 3, shape).astype(np.float32)

    def pooling(x, W):
        return tf.nn.max_pool(x * W, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")

    theirs, ours = gradients(pooling, images, np.float32(1))
    for expected, found in zip(theirs, ours, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "operation",
    [
        lambda x: tf.nn.conv2d(x, tf.ones([3, 3, 4, 2]), strides=[1, 2, 2, 1], padding="SAME"),
        lambda x: tf.nn.conv2d(x, tf.ones([3, 3, 4, 2]), strides=[1, 1, 1, 1], padding="VALID"),
        lambda x: tf.nn.conv2d(x, tf.ones([2, 2, 4, 2]), strides=[1, 1, 1, 1], padding="SAME"),
        lambda x: tf.nn.max_pool(x, [1, 3, 3, 1], [1, 2, 2, 1], "SAME"),
        lambda x: tf.nn.max_pool(x[:, :7], [1, 2, 2, 1], [1, 2, 2, 1], "SAME"),
        lambda x: tf.matmul(x[0, 0], tf.ones([4, 4]), transpose_b=True),
        lambda x: tf.matmul(x[0, 0, :4], tf.ones([4, 4]), transpose_a=True),
    ],
)
def test_the_gradients_of_other_operations_are_refused_not_wrong(operation):
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [1, 8, 8, 4])
        with faster_backward():
            y = operation(x)
        with pytest.raises(NotImplementedError, match=r"build this one outside of faster_backward"):
            tf.gradients(y, x)


def test_the_module_can_be_loaded_again_as_notebooks_do():
    module = importlib.reload(importlib.import_module("deep_mnist.training.fast_gradients"))
    with tf.Graph().as_default(), module.faster_backward():
        y = tf.matmul(tf.ones([2, 3]), tf.ones([3, 4]))
    assert y.op.get_attr("_gradient_op_type") == b"DeepMnistMatMul"


def test_the_operations_stay_tensorflows_and_so_do_those_outside():
    with tf.Graph().as_default():
        with faster_backward():
            inside = tf.matmul(tf.ones([2, 3]), tf.ones([3, 4]))
        outside = tf.matmul(tf.ones([2, 3]), tf.ones([3, 4]))
        assert inside.op.type == outside.op.type == "MatMul"
        assert inside.op.get_attr("_gradient_op_type") == b"DeepMnistMatMul"
        with pytest.raises(ValueError, match="_gradient_op_type"):
            outside.op.get_attr("_gradient_op_type")
