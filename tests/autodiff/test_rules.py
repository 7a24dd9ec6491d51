"""Every rule against numbers that a pencil gives, and against central differences."""

import numpy as np
import pytest

from deep_mnist.autodiff import (
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
    gradient_check,
)


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


def test_relu_passes_nothing_at_zero_and_below():
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
    assert Log(epsilon=0).forward(np.array([np.e])) == 1


def test_add_sums_the_gradient_over_what_was_broadcast():
    add = Add()
    a, b = np.ones((2, 3)), np.array([10.0, 20.0, 30.0])
    assert add.forward(a, b).tolist() == [[11, 21, 31], [11, 21, 31]]
    a_grad, b_grad = add.backward(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    assert a_grad.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert b_grad.tolist() == [5, 7, 9]


@pytest.mark.parametrize(
    "shapes",
    [((2, 3), ()), ((2, 1), (1, 3)), ((4, 2, 3), (2, 1)), ((3,), (5, 1)), ((2,), (2,))],
)
def test_add_for_every_kind_of_broadcasting(shapes):
    gradient_check(Add(), *(np.random.default_rng(1).normal(size=shape) for shape in shapes))


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


OPERATIONS = {
    "Relu": Relu(),
    "Tanh": Tanh(),
    "Sigmoid": Sigmoid(),
    "Softmax": Softmax(),
    "LogSoftmax": LogSoftmax(),
    "Sum": Sum(),
    "Sum over rows": Sum(axis=0),
    "Mean": Mean(),
    "Mean over columns": Mean(axis=1),
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_rules_of_one_input_against_central_differences(operation):
    gradient_check(operation, np.random.default_rng(2).normal(size=(5, 7)))


def test_log_and_matmul_against_central_differences():
    random = np.random.default_rng(3)
    gradient_check(Log(), random.uniform(0.1, 1, size=(5, 7)))
    gradient_check(Matmul(), random.normal(size=(5, 7)), random.normal(size=(7, 3)))


def test_softmax_and_log_softmax_take_any_number_of_axes():
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


def test_float32_stays_float32():
    x = np.ones((2, 2), np.float32)
    for operation in (*OPERATIONS.values(), Log()):
        grad = np.ones_like(operation.forward(x))
        assert (grad.dtype, operation.backward(grad).dtype) == (np.float32, np.float32)
    assert Matmul().forward(x, x).dtype == np.float32


def test_wrt_takes_one_input_alone():
    matmul = Matmul()
    matmul.forward(np.ones((2, 3)), np.ones((3, 4)))
    assert matmul.backward(np.ones((2, 4)), wrt=1).shape == (3, 4)


def test_misuse_is_told():
    with pytest.raises(RuntimeError, match="Tanh: backward needs what forward remembers"):
        Tanh().backward(np.ones(3))
    with pytest.raises(TypeError, match="Matmul: expected 2 inputs, found 1"):
        Matmul().forward(np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"Matmul: expected two matrices, found shapes \(3,\)"):
        Matmul().forward(np.ones(3), np.ones((3, 2)))
    relu = Relu()
    relu.forward(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"Relu: expected dL/dy of y's shape \(2, 3\), found \(3"):
        relu.backward(np.ones((3, 2)))


def test_lists_and_numbers_will_do_and_gradients_are_the_callers_to_change():
    relu, total, add = Relu(), Sum(), Add()
    assert relu.forward([1.0, -2.0]).tolist() == [1, 0]
    assert relu.backward([3.0, 4.0]).tolist() == [3, 0]
    total.forward([1.0, 2.0])
    grad = total.backward(2.0)
    grad += 1
    assert grad.tolist() == [3, 3]
    add.forward(1.0, 2.0)
    assert add.backward(5.0) == (5, 5)
