import numpy as np
import pytest

from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import optimizers


def one_cycle_rates(steps, at):
    """The learning rates of some steps of a cycle whose largest is 0.002."""
    with tf.Graph().as_default(), tf.Session() as sess:
        rate = optimizers.one_cycle(2e-3, steps)
        global_step = tf.train.get_global_step()
        number = tf.placeholder(tf.int64, [])
        set_step = global_step.assign(number)
        rates = []
        for step in at:
            sess.run(set_step, {number: step})
            rates.append(sess.run(rate))
        return rates


def update(optimizer, steps=1):
    """What an optimizer adds to each of two weights with the gradients 1 and 10."""
    W = tf.Variable([0.0, 0.0])
    global_step = tf.train.get_or_create_global_step()
    loss = tf.reduce_sum(W * [1.0, 10.0])
    train_step = optimizer.minimize(loss, global_step=global_step, name="train_step")
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(steps):
            sess.run(train_step)
        assert sess.run(global_step) == steps
        return sess.run({v.op.name: v for v in tf.global_variables()})


def test_gradient_descent_subtracts_the_gradient_times_the_learning_rate(graph):
    optimizer = optimizers.create("gradient-descent", 0.5, "constant", 100, 0.999, 0)
    np.testing.assert_allclose(update(optimizer)["Variable"], [-0.5, -5.0])


def test_adam_takes_a_first_step_of_the_learning_rate(graph):
    optimizer = optimizers.create("adam", 0.5, "constant", 100, 0.98, 0)
    variables = update(optimizer)
    np.testing.assert_allclose(variables["Variable"], [-0.5, -0.5], rtol=1e-5)
    assert variables["beta2_power"] == pytest.approx(0.98**2)


def test_an_optimizer_follows_its_schedule(graph):
    optimizer = optimizers.create("gradient-descent", 1.0, "one-cycle", 2, 0.999, 0)
    # The learning rates are (1 + cos(pi / 2)) / 2 and 0.
    np.testing.assert_allclose(update(optimizer, steps=2)["Variable"], [-0.5, -5.0], rtol=1e-6)


@pytest.mark.parametrize(("name", "step"), [("gradient-descent", 0.3), ("adam", 0.1)])
def test_weights_decay_and_biases_do_not(graph, name, step):
    """The step is that at the weights before they decay."""
    optimizer = optimizers.create(name, 0.1, "constant", 100, 0.999, 0.2)
    W, b = tf.Variable([[3.0]]), tf.Variable([3.0])
    loss = tf.reduce_sum(W**2 / 2) + tf.reduce_sum(b**2 / 2)
    train_step = optimizer.minimize(loss, global_step=tf.train.get_or_create_global_step())
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(train_step)
        assert sess.run(W) == pytest.approx(3 * (1 - 0.1 * 0.2) - step, rel=1e-5)
        assert sess.run(b) == pytest.approx(3 - step, rel=1e-5)
        assert sess.run(tf.train.get_global_step()) == 1


def test_weight_decay_follows_the_schedule(graph):
    optimizer = optimizers.create("gradient-descent", 1.0, "one-cycle", 2, 0.999, 0.5)
    W = tf.Variable([[1.0]])
    train_step = optimizer.minimize(0 * W, global_step=tf.train.get_or_create_global_step())
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        # The learning rates are 1/2 and 0.
        for _ in range(2):
            sess.run(train_step)
            assert sess.run(W) == pytest.approx(0.75)


def test_one_cycle_rises_over_a_twentieth_of_the_steps_and_falls_to_zero():
    first, half_way_up, top, half_way_down, last = one_cycle_rates(1000, [0, 24, 49, 499, 999])
    assert first == pytest.approx(2e-3 / 50, rel=1e-3)
    assert half_way_up == pytest.approx(1e-3, rel=1e-2)
    assert top == pytest.approx(2e-3, rel=1e-2)
    assert half_way_down == pytest.approx(1e-3, rel=1e-5)
    assert last == pytest.approx(0, abs=1e-9)


def test_one_cycle_of_a_single_step_is_zero():
    assert one_cycle_rates(1, [0]) == [pytest.approx(0, abs=1e-9)]
