import numpy as np
import pytest

from deep_mnist import softmax, training
from deep_mnist.lazy_tensorflow import tf


@pytest.fixture
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def test_variables_are_the_checkpoints_interface(graph):
    softmax.build(softmax.Config())
    assert {v.op.name: v.shape.as_list() for v in tf.trainable_variables()} == {
        "W": [784, 10],
        "b": [10],
    }
    assert sum(np.prod(v.shape.as_list()) for v in tf.trainable_variables()) == 7_850


def test_adam_adds_its_slots_under_their_usual_names(graph):
    softmax.build(softmax.Config(optimizer="adam"))
    assert {v.op.name for v in tf.global_variables()} == {
        "W",
        "W/Adam",
        "W/Adam_1",
        "b",
        "b/Adam",
        "b/Adam_1",
        "beta1_power",
        "beta2_power",
        "global_step",
    }


@pytest.mark.parametrize("form", ["stable", "textbook"])
def test_loss_is_the_cross_entropy_summed_over_the_batch(graph, form):
    config = softmax.Config(loss=form)
    model = softmax.build(config)
    logits = np.random.default_rng(0).normal(size=(3, 10)).astype(np.float32)
    labels = np.eye(10, dtype=np.float32)[[4, 0, 9]]
    with training.Session(model, config) as sess:
        loss = sess.run(model.loss, {model.logits: logits, model.y_: labels})
    log_sum_exp = np.log(np.exp(logits.astype(np.float64)).sum(axis=1))
    expected = (log_sum_exp - logits[[0, 1, 2], [4, 0, 9]]).sum()
    assert loss == pytest.approx(expected, rel=1e-6)


def test_loss_and_gradient_stay_finite_at_logits_of_1e4(graph):
    config = softmax.Config()
    model = softmax.build(config)
    gradient = tf.gradients(model.loss, model.logits)[0]
    # The graph is finalized when the session starts, so the gradient is built before.
    logits = np.array([[1e4, -1e4] + [0] * 8], np.float32)
    labels = np.eye(10, dtype=np.float32)[[1]]
    with training.Session(model, config) as sess:
        feed = {model.logits: logits, model.y_: labels}
        loss, slope = sess.run([model.loss, gradient], feed)
    assert loss == 2e4
    assert slope[0].tolist() == [1, -1, 0, 0, 0, 0, 0, 0, 0, 0]


def test_textbook_loss_is_not_nan_where_a_probability_is_zero(graph):
    config = softmax.Config(loss="textbook")
    model = softmax.build(config)
    logits = np.array([[1e4, -1e4] + [0] * 8], np.float32)
    labels = np.eye(10, dtype=np.float32)[[1]]
    with training.Session(model, config) as sess:
        loss = sess.run(model.loss, {model.logits: logits, model.y_: labels})
    assert loss == pytest.approx(-np.log(1e-10), rel=1e-6)


def test_one_step_is_gradient_descent_on_the_sum(graph, digits):
    config = softmax.Config(learning_rate=0.01)
    model = softmax.build(config)
    images = (digits.train.images[:5] / 255).astype(np.float32)
    labels = np.eye(10, dtype=np.float32)[digits.train.labels[:5]]
    with training.Session(model, config) as sess:
        sess.initialize()
        sess.run(model.train_step, {model.x: images, model.y_: labels})
        W, b = sess.run(tf.trainable_variables())
    # From zero weights every class has probability 0.1.
    slope = 0.1 - labels
    np.testing.assert_allclose(W, -0.01 * images.T @ slope, atol=1e-6)
    np.testing.assert_allclose(b, -0.01 * slope.sum(axis=0), atol=1e-6)


@pytest.mark.mnist
def test_tutorial_settings_reach_the_tutorials_accuracy(mnist_dir, capsys):
    assert softmax.main(["--data-dir", mnist_dir, "--quiet", "--run-dir", "run"]) == 0
    line = capsys.readouterr().out
    assert line.startswith("test accuracy 0.9")
    assert float(line.split()[2]) >= 0.90
