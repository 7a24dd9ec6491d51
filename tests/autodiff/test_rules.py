"""Every rule: worked by hand, against central differences, and against tf.gradients."""

import importlib.util

import numpy as np
import pytest

from deep_mnist.autodiff import (
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
    gradient_check,
    gradients,
)
from deep_mnist.lazy_tensorflow import tf


@pytest.fixture(autouse=True)
def _strict_arithmetic():
    with np.errstate(all="raise"):
        yield


def test_matmul():
    matmul = Matmul()
    x, W = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0, 5.0], [6.0, 7.0, 8.0]])
    assert matmul.forward(x, W).tolist() == [[15, 18, 21]]
    x_grad, W_grad = matmul.backward(np.array([[1.0, 0.0, 10.0]]))
    assert x_grad.tolist() == [[53, 86]]
    assert W_grad.tolist() == [[1, 0, 10], [2, 0, 20]]


def test_relu_has_no_gradient_at_zero_and_below():
    relu = Relu()
    assert relu.forward(np.array([-1.0, 0.0, 2.0])).tolist() == [0, 0, 2]
    assert relu.backward(np.array([5.0, 6.0, 7.0])).tolist() == [0, 0, 7]


def test_softmax_is_over_the_last_axis():
    softmax = Softmax(epsilon=0)
    y = softmax.forward(np.log([[1.0, 3.0], [1.0, 1.0]]))
    np.testing.assert_allclose(y, [[0.25, 0.75], [0.5, 0.5]], rtol=1e-15)
    np.testing.assert_allclose(
        softmax.backward(np.array([[1.0, 0.0], [0.0, 4.0]])),
        [[0.1875, -0.1875], [-1, 1]],
        rtol=1e-15,
    )


def test_log_has_the_documents_epsilon():
    log = Log()
    assert log.forward(np.array([0.0, 1.0])).tolist() == [np.log(1e-12), np.log(1 + 1e-12)]
    np.testing.assert_allclose(log.backward(np.array([1.0, 3.0])), [1e12, 3], rtol=1e-11)
    np.testing.assert_allclose(Log(epsilon=0).forward(np.array([np.e])), [1.0], rtol=1e-15)


def test_add_sums_the_gradient_over_what_was_broadcast():
    add = Add()
    a, b = np.ones((2, 3)), np.array([10.0, 20.0, 30.0])
    assert add.forward(a, b).tolist() == [[11, 21, 31], [11, 21, 31]]
    a_grad, b_grad = add.backward(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    assert a_grad.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert b_grad.tolist() == [5, 7, 9]


def test_multiply_and_negative():
    multiply, negative = Multiply(), Negative()
    a, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 6.0])
    assert multiply.forward(a, b).tolist() == [[5, 12], [15, 24]]
    a_grad, b_grad = multiply.backward(np.array([[1.0, 10.0], [100.0, 1000.0]]))
    assert a_grad.tolist() == [[5, 60], [500, 6000]]
    assert b_grad.tolist() == [301, 4020]
    assert negative.forward(b).tolist() == [-5, -6]
    assert negative.backward(np.array([1.0, -2.0])).tolist() == [-1, 2]


@pytest.mark.parametrize("operation", [Add(), Multiply()], ids=str)
@pytest.mark.parametrize(
    "shapes",
    [((2, 3), ()), ((2, 1), (1, 3)), ((4, 2, 3), (2, 1)), ((3,), (5, 1)), ((2,), (2,)), ((), (3,))],
)
def test_every_kind_of_broadcasting(operation, shapes):
    random = np.random.default_rng(1)
    gradient_check(operation, *(random.normal(size=shape) for shape in shapes))


def test_sum_and_mean():
    x = np.array([[1.0, 2.0], [3.0, 6.0]])
    total, mean, rows = Sum(), Mean(), Mean(axis=1)
    assert (total.forward(x), mean.forward(x), rows.forward(x).tolist()) == (12, 3, [1.5, 4.5])
    assert total.backward(np.array(2.0)).tolist() == [[2, 2], [2, 2]]
    assert mean.backward(np.array(2.0)).tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert rows.backward(np.array([2.0, 4.0])).tolist() == [[1, 1], [2, 2]]


def test_tanh_and_sigmoid():
    tanh, sigmoid = Tanh(), Sigmoid()
    assert (tanh.forward(np.array([0.0])), tanh.backward(np.array([3.0]))) == (0, 3)
    assert (sigmoid.forward(np.array([0.0])), sigmoid.backward(np.array([4.0]))) == (0.5, 1)
    assert sigmoid.forward(np.log([3.0])) == pytest.approx(0.75)


# Odd sizes: an exchanged axis cannot pass.
random = np.random.default_rng(2)
X, Y, W, POSITIVE = (
    random.normal(size=(5, 7)),
    random.normal(size=(5, 7)),
    random.normal(size=(7, 3)),
    random.uniform(0.1, 1, size=(5, 7)),
)

# Name: our operation, TensorFlow's, and inputs.
CASES = {
    "matmul": (Matmul(), lambda x, W: tf.matmul(x, W), (X, W)),
    "add": (Add(), lambda a, b: a + b, (X, Y)),
    "add a row": (Add(), lambda a, b: a + b, (X, Y[0])),
    "add a column": (Add(), lambda a, b: a + b, (X, Y[:, :1])),
    "multiply": (Multiply(), lambda a, b: a * b, (X, Y)),
    "multiply by a row": (Multiply(), lambda a, b: a * b, (X, Y[0])),
    "negative": (Negative(), lambda x: -x, (X,)),
    "sum": (Sum(), lambda x: tf.reduce_sum(x), (X,)),
    "sum over axis 0": (Sum(axis=0), lambda x: tf.reduce_sum(x, 0), (X,)),
    "mean": (Mean(), lambda x: tf.reduce_mean(x), (X,)),
    "mean over axis 1": (Mean(axis=1), lambda x: tf.reduce_mean(x, 1), (X,)),
    "relu": (Relu(), lambda x: tf.nn.relu(x), (X,)),
    "tanh": (Tanh(), lambda x: tf.tanh(x), (X,)),
    "sigmoid": (Sigmoid(), lambda x: tf.sigmoid(x), (X,)),
    "log": (Log(epsilon=0), lambda x: tf.log(x), (POSITIVE,)),
    "softmax": (Softmax(epsilon=0), lambda x: tf.nn.softmax(x), (X,)),
    "log_softmax": (LogSoftmax(), lambda x: tf.nn.log_softmax(x), (X,)),
}
each_case = pytest.mark.parametrize(
    ("operation", "tensorflow_op", "inputs"), CASES.values(), ids=CASES.keys()
)


@each_case
def test_rules_against_central_differences(operation, tensorflow_op, inputs):
    gradient_check(operation, *inputs)


@pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow")
@each_case
def test_rules_against_tensorflow(operation, tensorflow_op, inputs):
    y = operation(*inputs)
    weights = np.random.default_rng(3).normal(size=y.shape)  # dL/dy, different everywhere
    ours = gradients(Sum()(Multiply()(y, weights)), inputs)
    with tf.Graph().as_default(), tf.Session() as sess, np.errstate(all="warn"):
        constants = [tf.constant(value) for value in inputs]
        theirs = tensorflow_op(*constants)
        value, *expected = sess.run(
            [theirs, *tf.gradients(tf.reduce_sum(theirs * weights), constants)]
        )
    np.testing.assert_allclose(y.value, value, rtol=1e-12, atol=1e-14)
    for our, their in zip(ours, expected, strict=True):
        np.testing.assert_allclose(our, their, rtol=1e-12, atol=1e-14)


def test_logs_epsilon_is_in_its_gradient():
    gradient_check(Log(epsilon=0.5), POSITIVE)


def test_softmax_and_log_softmax_accept_any_number_of_axes():
    x = np.random.default_rng(4).normal(size=(2, 3, 4))
    gradient_check(Softmax(), x)
    gradient_check(LogSoftmax(), x)
    np.testing.assert_allclose(
        np.exp(LogSoftmax().forward(x)), Softmax(epsilon=0).forward(x), rtol=1e-14
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_everything_stays_finite_at_logits_of_1e4(dtype):
    logits = np.array([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4]], dtype)
    label = np.array([[0, 1, 0], [0, 0, 1]], dtype)
    softmax, log, fused = Softmax(), Log(), LogSoftmax()
    log_p = log.forward(softmax.forward(logits))
    assert np.isfinite(log_p).all()
    assert np.isfinite(softmax.backward(log.backward(label))).all()
    assert fused.forward(logits)[0].tolist() == [0, -2e4, -1e4]
    assert fused.backward(label)[0].tolist() == [-1, 1, 0]
    for squash in (Tanh(), Sigmoid()):
        assert np.isfinite(squash.forward(logits)).all()
        assert squash.backward(label).max() <= 1


@each_case
def test_float32_stays_float32(operation, tensorflow_op, inputs):
    y = operation.forward(*(value.astype(np.float32) for value in inputs))
    grads = operation.backward(np.ones_like(y))
    assert y.dtype == np.float32
    for grad in grads if isinstance(grads, tuple) else [grads]:
        assert grad.dtype == np.float32


def test_wrong_calls_are_errors():
    with pytest.raises(RuntimeError, match="Tanh: call forward before backward"):
        Tanh().backward(np.ones(3))
    with pytest.raises(TypeError, match="Matmul: expected 2 inputs, found 1"):
        Matmul().forward(np.ones((2, 2)))
    with pytest.raises(TypeError, match="Relu: expected 1 inputs, found 2"):
        Relu()(np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match=r"Matmul: expected two matrices, found shapes \(3,\)"):
        Matmul().forward(np.ones(3), np.ones((3, 2)))
    relu = Relu()
    relu.forward(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"Relu: expected dL/dy of y's shape \(2, 3\), found \(3"):
        relu.backward(np.ones((3, 2)))


def test_lists_and_numbers_are_converted():
    relu, total, add = Relu(), Sum(), Add()
    assert relu.forward([1.0, -2.0]).tolist() == [1, 0]
    assert relu.backward([3.0, 4.0]).tolist() == [3, 0]
    assert total.forward([1.0, 2.0]) == 3
    grad = total.backward(2.0)
    grad += 1  # gradients may be changed by the caller
    assert grad.tolist() == [3, 3]
    assert add.forward(1.0, 2.0) == 3
    assert add.backward(5.0) == (5, 5)
