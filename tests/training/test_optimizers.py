from types import SimpleNamespace

import pytest

from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import learning_rate


def rates(steps, at, **settings):
    config = SimpleNamespace(steps=steps, learning_rate=2e-3, **settings)
    with tf.Graph().as_default(), tf.Session() as sess:
        step = tf.placeholder(tf.int64, [])
        rate = learning_rate(config, step)
        return [sess.run(rate, {step: number}) for number in at]


def test_constant_is_the_number_itself():
    config = SimpleNamespace(steps=100, learning_rate=2e-3, schedule="constant")
    assert learning_rate(config, None) == 2e-3


def test_one_cycle_rises_over_a_twentieth_of_the_steps_and_falls_to_nothing():
    first, half_way_up, top, half_way_down, last = rates(
        1000, [0, 24, 49, 499, 999], schedule="one-cycle"
    )
    assert first == pytest.approx(2e-3 / 50, rel=1e-3)
    assert half_way_up == pytest.approx(1e-3, rel=1e-2)
    assert top == pytest.approx(2e-3, rel=1e-2)
    assert half_way_down == pytest.approx(1e-3, rel=1e-5)
    assert last == pytest.approx(0, abs=1e-9)


def test_a_run_of_one_step_has_a_rate():
    assert rates(1, [0], schedule="one-cycle") == [pytest.approx(0, abs=1e-9)]
