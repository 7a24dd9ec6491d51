"""Recording operations, and gradients(output, inputs)."""

import importlib.util

import numpy as np
import pytest

from deep_mnist.autodiff import (
    Add,
    Log,
    Matmul,
    Multiply,
    Operation,
    Relu,
    Softmax,
    Sum,
    Tensor,
    gradients,
)
from deep_mnist.lazy_tensorflow import tf

add, matmul, multiply, relu, reduce_sum = Add(), Matmul(), Multiply(), Relu(), Sum()


def test_a_call_returns_the_value_the_operation_and_its_inputs():
    x, W = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])
    y = matmul(x, W)
    assert isinstance(y, Tensor)
    assert y.value.tolist() == [[11]]
    assert (y.shape, y.operation) == ((1, 1), matmul)
    assert y.inputs[0] is x
    assert y.inputs[1] is W
    assert repr(relu(y)) == "<Tensor Relu (1, 1) float64>"


def test_gradients_of_a_two_layer_network_worked_by_hand():
    x = np.array([[1.0, 2.0], [3.0, -1.0]])
    W1 = np.array([[1.0, -1.0], [0.5, 2.0]])
    W2 = np.array([[2.0], [-3.0]])
    h = matmul(x, W1)
    assert h.value.tolist() == [[2, 3], [2.5, -5]]
    loss = reduce_sum(matmul(relu(h), W2))
    assert loss.value == 2 * 2 - 3 * 3 + 2 * 2.5
    W1_grad, W2_grad, x_grad = gradients(loss, [W1, W2, x])
    assert W2_grad.tolist() == [[4.5], [3]]  # the columns of relu(h), summed
    assert W1_grad.tolist() == [[8, -3], [2, -6]]  # xT [[2, -3], [2, 0]]
    assert x_grad.tolist() == [[5, -5], [2, 1]]  # [[2, -3], [2, 0]] W1T


def test_gradients_have_the_order_and_the_shapes_of_the_inputs():
    a, b, c = np.ones((3, 5)), np.ones((5, 7)), np.ones(7)
    loss = reduce_sum(add(matmul(a, b), c))
    assert [g.shape for g in gradients(loss, [c, a, b])] == [(7,), (3, 5), (5, 7)]
    start = np.array(2.0)
    assert [g.shape for g in gradients(multiply(start, start), [start])] == [()]


def test_one_operation_can_be_used_several_times():
    x = np.array([[1.0, 2.0]])
    W1, W2 = np.array([[3.0], [4.0]]), np.array([[5.0]])
    W1_grad, W2_grad = gradients(reduce_sum(matmul(matmul(x, W1), W2)), [W1, W2])
    assert W1_grad.tolist() == [[5], [10]]
    assert W2_grad.tolist() == [[11]]


def test_a_value_that_is_used_twice_has_the_sum_of_both_gradients():
    x = np.array([2.0, 3.0])
    assert gradients(reduce_sum(multiply(x, x)), [x])[0].tolist() == [4, 6]
    square = multiply(x, x)
    cube_plus_square = add(multiply(square, x), square)
    assert gradients(reduce_sum(cube_plus_square), [x])[0].tolist() == [16, 33]  # 3 x² + 2 x


def test_paths_of_different_length_meet():
    x = np.array(2.0)
    y = x
    for _ in range(3):
        y = multiply(y, x)  # x⁴, with x used at every level
    (x_grad,) = gradients(add(y, x), [x])
    assert x_grad == 4 * 2**3 + 1


def test_intermediate_results_can_be_inputs():
    x = np.array([1.0, -2.0, 3.0])
    h = relu(x)
    loss = reduce_sum(multiply(h, h))
    h_grad, x_grad, loss_grad = gradients(loss, [h, x, loss])
    assert (h_grad.tolist(), x_grad.tolist(), loss_grad) == ([2, 0, 6], [2, 0, 6], 1)


def test_only_what_the_inputs_need_is_computed():
    computed = []

    def rule(name):
        return lambda g, y, a, b: computed.append(name) or g

    observed = Operation("Observed", lambda a, b: a + b, rule("a"), rule("b"))
    a, b, c = np.ones(3), np.ones(3), np.ones(3)
    loss = reduce_sum(observed(observed(a, b), observed(c, c)))
    gradients(loss, [b])
    assert computed == ["a", "b"]  # of the outer operation its first input, of the inner its second


def test_a_chain_of_10000_operations():
    x = one = np.array(1.0)
    for _ in range(10_000):
        x = add(x, one)
    assert x.value == 10_001
    assert gradients(x, [one])[0] == 10_001


def test_40_doublings_are_40_steps_and_not_a_million_million_paths():
    x = start = np.array(1.0)
    for _ in range(40):
        x = add(x, x)
    assert gradients(x, [start])[0] == 2**40


def test_forward_and_backward_are_independent_of_calls():
    x, W = np.ones((2, 3)), np.ones((3, 4))
    step_by_step = Matmul()
    step_by_step.forward(x, W)
    step_by_step(np.ones((5, 6)), np.ones((6, 7)))
    x_grad, W_grad = step_by_step.backward(np.ones((2, 4)))
    assert (x_grad.shape, W_grad.shape) == ((2, 3), (3, 4))


def test_lists_and_numbers_are_constants():
    x = np.array([1.0, 2.0])
    assert gradients(reduce_sum(multiply(x, [3.0, 4.0])), [x])[0].tolist() == [3, 4]
    assert gradients(reduce_sum(multiply(x, 5)), [x])[0].tolist() == [5, 5]


def test_float32_stays_float32():
    x, W = np.ones((2, 3), np.float32), np.ones((3, 4), np.float32)
    loss = reduce_sum(Log()(Softmax()(relu(matmul(x, W)))))
    assert [loss.value.dtype, *(g.dtype for g in gradients(loss, [x, W]))] == [np.float32] * 3


def test_gradients_may_be_changed_by_the_caller():
    a, b = np.ones(3), np.ones(3)
    a_grad, b_grad = gradients(reduce_sum(add(a, b)), [a, b])
    a_grad += 1
    assert b_grad.tolist() == [1, 1, 1]


def test_wrong_outputs_and_inputs_are_errors():
    x, W = np.ones((2, 3)), np.ones((3, 4))
    y = matmul(x, W)
    with pytest.raises(ValueError, match=r"output: expected a scalar, found the shape \(2, 4\)"):
        gradients(y, [x])
    with pytest.raises(ValueError, match=r"output: expected the result of an operation, found"):
        gradients(y.value, [x])
    loss = reduce_sum(y)
    for unused in (W.copy(), relu(x), np.ones((3, 4))):
        with pytest.raises(ValueError, match=r"input 1: .* of shape \(., .\)"):
            gradients(loss, [x, unused])


def test_a_rule_that_returns_another_shape_is_an_error():
    wrong = Operation("Wrong", lambda x: x, lambda g, y, x: g[:1])
    x = np.ones((3, 2))
    with pytest.raises(ValueError, match=r"Wrong, input 0: expected .* \(3, 2\), found \(1, 2\)"):
        gradients(reduce_sum(wrong(x)), [x])


def test_numpy_functions_of_a_tensor_are_errors():
    y = relu(np.ones(3))
    with pytest.raises(TypeError):
        np.log(y)
    with pytest.raises(TypeError):
        np.ones(3) * y


@pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow")
def test_the_documents_network_has_tensorflows_gradients():
    random = np.random.default_rng(0)
    x, W1, W2 = (random.normal(size=shape) for shape in ((5, 7), (7, 3), (3, 4)))
    y_ = np.eye(4)[[1, 0, 3, 3, 2]]
    log_p = Log(epsilon=0)(Softmax(epsilon=0)(matmul(relu(matmul(x, W1)), W2)))
    ours = gradients(reduce_sum(multiply(y_, log_p)), [x, W1, W2])
    with tf.Graph().as_default(), tf.Session() as sess:
        inputs = [tf.constant(value) for value in (x, W1, W2)]
        h = tf.nn.relu(tf.matmul(inputs[0], inputs[1]))
        log_p = tf.log(tf.nn.softmax(tf.matmul(h, inputs[2])))
        theirs = sess.run(tf.gradients(tf.reduce_sum(y_ * log_p), inputs))
    for our, their in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(our, their, rtol=1e-12, atol=1e-14)
