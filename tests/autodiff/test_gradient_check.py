import numpy as np
import pytest

from deep_mnist.autodiff import GradientCheckError, Operation, gradient_check


def test_a_wrong_rule_is_found_and_both_numbers_are_told():
    wrong = Operation("Square", lambda x: x * x, lambda g, y, x: g * x)
    with pytest.raises(GradientCheckError, match="Square, input 0") as error:
        gradient_check(wrong, np.array([3.0]))
    analytic, numeric = (
        float(str(error.value).split(words)[1].split()[0])
        for words in ("gradient gives ", "differences give ")
    )
    assert numeric == pytest.approx(2 * analytic, rel=1e-6)


def test_a_rule_that_is_wrong_for_one_input_alone_is_found():
    wrong = Operation("Minus", lambda a, b: a - b, lambda g, y, a, b: g, lambda g, y, a, b: g)
    with pytest.raises(GradientCheckError, match="Minus, input 1"):
        gradient_check(wrong, np.ones(2), np.ones(2))


def test_an_error_of_a_thousandth_in_one_element_of_many_is_found():
    off = np.ones((20, 20))
    off[13, 7] = 1.001
    wrong = Operation("Sine", np.sin, lambda g, y, x: g * np.cos(x) * off)
    with pytest.raises(GradientCheckError):
        gradient_check(wrong, np.random.default_rng(0).normal(size=(20, 20)))


def test_functions_return_their_loss_and_gradients():
    def quadratic(x, y):
        return np.sum(x * x * y), (2 * x * y, x * x)

    gradient_check(quadratic, [1.0, 2.0], [3.0, 4.0])
    with pytest.raises(GradientCheckError, match=r"found \(1,\)"):
        gradient_check(lambda x: (np.sum(x), np.ones(1)), [1.0, 2.0])
    with pytest.raises(ValueError, match="expected 2 gradients, found 1"):
        gradient_check(lambda x, y: (0.0, x), [1.0], [1.0])


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e4, 1e8])
def test_the_size_of_the_numbers_makes_no_difference(scale):
    def square(x):
        return np.sum(x * x), 2 * x

    point = scale * np.array([1.0, -2.0, 3.0])
    gradient_check(square, point)
    with pytest.raises(GradientCheckError):
        gradient_check(lambda x: (np.sum(scale * np.cos(x)), np.zeros(3)), [1.0, 2.0, 3.0])


def test_a_small_gradient_is_no_zero():
    with pytest.raises(GradientCheckError):
        gradient_check(lambda x: (1e-7 * np.sum(x), np.zeros_like(x)), np.ones(3))
    gradient_check(lambda x: (1e-7 * np.sum(x), np.full_like(x, 1e-7)), np.ones(3))


def test_nan_does_not_pass():
    with pytest.raises(GradientCheckError):
        gradient_check(lambda x: (np.sum(x), x * np.nan), [1.0])
