import numpy as np
import pytest

from deep_mnist.autodiff import Add, Matmul, Multiply, Operation, Relu, Sum, gradient_check
from deep_mnist.errors import GradientCheckError


def test_a_wrong_rule_is_found_and_the_error_has_both_numbers():
    wrong = Operation("Square", lambda x: x * x, lambda g, y, x: g * x)
    with pytest.raises(GradientCheckError, match="Square, input 0") as error:
        gradient_check(wrong, np.array([3.0]))
    analytic, numeric = (
        float(str(error.value).split(words)[1].split()[0].rstrip(","))
        for words in ("gradient gives ", "differences give ")
    )
    assert numeric == pytest.approx(2 * analytic, rel=1e-6)


def test_a_rule_that_is_wrong_for_one_of_two_inputs_is_found():
    wrong = Operation("Minus", lambda a, b: a - b, lambda g, y, a, b: g, lambda g, y, a, b: g)
    with pytest.raises(GradientCheckError, match="Minus, input 1"):
        gradient_check(wrong, np.ones(2), np.ones(2))


def test_an_error_of_a_thousandth_in_one_element_of_many_is_found():
    off = np.ones((20, 20))
    off[13, 7] = 1.001
    wrong = Operation("Sine", np.sin, lambda g, y, x: g * np.cos(x) * off)
    with pytest.raises(GradientCheckError):
        gradient_check(wrong, np.random.default_rng(0).normal(size=(20, 20)))


def test_the_check_in_the_readme():
    square = Operation("Square", lambda x: x * x, lambda g, y, x: 2 * g * x)
    gradient_check(square, np.array([1.0, 2.0]))


def test_functions_on_the_tape():
    random = np.random.default_rng(0)
    x, W = random.normal(size=(5, 7)), random.normal(size=(7, 3))
    gradient_check(lambda x, W: Sum()(Relu()(Matmul()(x, W))), x, W)
    gradient_check(lambda x, W: Relu()(Matmul()(x, W)), x, W)  # not a scalar

    wrong = Operation("Relu", lambda x: np.maximum(x, 0), lambda g, y, x: g)
    with pytest.raises(GradientCheckError, match="<lambda>, input 0"):
        gradient_check(lambda x, W: Sum()(wrong(Matmul()(x, W))), x, W)
    with pytest.raises(ValueError, match="input 1: expected an array or Tensor"):
        gradient_check(lambda x, W: Sum()(Relu()(x)), x, W)


def test_one_array_for_both_inputs():
    x = np.array([2.0, 3.0])
    gradient_check(Multiply(), x, x)
    gradient_check(Add(), x, x)
    assert x.tolist() == [2, 3]


def test_an_error_that_is_in_no_direction_of_the_axes_is_found():
    # The rule of y = x0 - x1 with both signs exchanged: their sum is right.
    wrong = Operation(
        "Difference", lambda x: x[0] - x[1], lambda g, y, x: g * np.array([-1.0, 1.0])
    )
    with pytest.raises(GradientCheckError):
        gradient_check(wrong, np.array([1.0, 5.0]))


def test_functions_may_return_their_loss_and_gradients():
    def quadratic(x, y):
        return np.sum(x * x * y), (2 * x * y, x * x)

    gradient_check(quadratic, [1.0, 2.0], [3.0, 4.0])
    with pytest.raises(GradientCheckError, match=r"found \(1,\)"):
        gradient_check(lambda x: (np.sum(x), np.ones(1)), [1.0, 2.0])
    with pytest.raises(ValueError, match="expected 2 gradients, found 1"):
        gradient_check(lambda x, y: (0.0, x), [1.0], [1.0])


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e4, 1e8])
def test_the_check_works_at_any_scale(scale):
    def square(x):
        return np.sum(x * x), 2 * x

    point = scale * np.array([1.0, -2.0, 3.0])
    gradient_check(square, point)
    with pytest.raises(GradientCheckError):
        gradient_check(lambda x: (np.sum(scale * np.cos(x)), np.zeros(3)), [1.0, 2.0, 3.0])


def test_a_small_gradient_is_not_zero():
    with pytest.raises(GradientCheckError):
        gradient_check(lambda x: (1e-7 * np.sum(x), np.zeros_like(x)), np.ones(3))
    gradient_check(lambda x: (1e-7 * np.sum(x), np.full_like(x, 1e-7)), np.ones(3))


def test_nan_does_not_pass():
    with pytest.raises(GradientCheckError):
        gradient_check(lambda x: (np.sum(x), x * np.nan), [1.0])
