import numpy as np
import pytest

from deep_mnist import softmax
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import RunConfig, Session

EXTREME_LOGITS = np.array([[1e4, -1e4] + [0] * 8], np.float32)


def one_hot(*labels):
    return np.eye(10, dtype=np.float32)[list(labels)]


def test_variables_have_the_names_and_shapes_of_the_tutorial(graph):
    softmax.build(softmax.Config())
    assert {v.op.name: v.shape.as_list() for v in tf.trainable_variables()} == {
        "W": [784, 10],
        "b": [10],
    }
    assert sum(np.prod(v.shape.as_list()) for v in tf.trainable_variables()) == 7_850
    assert {v.op.name for v in tf.global_variables()} == {"W", "b", "global_step"}


def test_adam_adds_its_slots_under_their_usual_names(graph):
    softmax.build(softmax.Config(), tf.train.AdamOptimizer(1e-3))
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


def test_tensors_have_names(graph):
    model = softmax.build(softmax.Config())
    assert model.x.name == "x:0"
    assert model.y_.name == "y_:0"
    assert model.logits.name == "logits:0"
    assert graph.get_tensor_by_name("y:0").shape.as_list() == [None, 10]
    assert model.accuracy.name == "accuracy:0"
    assert model.train_step.name == "train_step"


@pytest.mark.parametrize("form", ["stable", "textbook"])
def test_loss_is_the_cross_entropy_summed_over_the_batch(graph, form):
    model = softmax.build(softmax.Config(loss=form))
    logits = np.random.default_rng(0).normal(size=(3, 10)).astype(np.float32)
    with Session(model, RunConfig()) as sess:
        loss = sess.run(model.loss, {model.logits: logits, model.y_: one_hot(4, 0, 9)})
    log_sum_exp = np.log(np.exp(logits.astype(np.float64)).sum(axis=1))
    expected = (log_sum_exp - logits[[0, 1, 2], [4, 0, 9]]).sum()
    assert loss == pytest.approx(expected, rel=1e-6)


def test_loss_and_gradient_are_finite_for_logits_of_10000(graph):
    model = softmax.build(softmax.Config())
    gradient = tf.gradients(model.loss, model.logits)[0]
    with Session(model, RunConfig()) as sess:
        feed = {model.logits: EXTREME_LOGITS, model.y_: one_hot(1)}
        loss, slope = sess.run([model.loss, gradient], feed)
    assert loss == 2e4
    assert slope[0].tolist() == [1, -1, 0, 0, 0, 0, 0, 0, 0, 0]


def test_textbook_loss_is_clipped_where_a_probability_is_zero(graph):
    model = softmax.build(softmax.Config(loss="textbook"))
    with Session(model, RunConfig()) as sess:
        loss = sess.run(model.loss, {model.logits: EXTREME_LOGITS, model.y_: one_hot(1)})
    assert loss == pytest.approx(-np.log(1e-10), rel=1e-6)


def test_accuracy_is_the_fraction_of_the_images_classified_correctly(graph):
    model = softmax.build(softmax.Config())
    with Session(model, RunConfig()) as sess:
        feed = {model.logits: one_hot(3, 1, 4, 1), model.y_: one_hot(3, 1, 4, 5)}
        assert sess.run(model.accuracy, feed) == 0.75


def test_a_step_is_gradient_descent_on_the_sum(graph, digits):
    model = softmax.build(softmax.Config(learning_rate=0.01))
    images = (digits.train.images[:5] / 255).astype(np.float32)
    labels = one_hot(*digits.train.labels[:5])
    with Session(model, RunConfig()) as sess:
        sess.initialize()
        sess.run(model.train_step, {model.x: images, model.y_: labels})
        W, b, step = sess.run([*tf.trainable_variables(), tf.train.get_global_step()])
    # From zero weights every class has probability 0.1.
    slope = 0.1 - labels
    np.testing.assert_allclose(W, -0.01 * images.T @ slope, atol=1e-6)
    np.testing.assert_allclose(b, -0.01 * slope.sum(axis=0), atol=1e-6)
    assert step == 1


@pytest.mark.mnist
def test_the_default_settings_reach_the_accuracy_of_the_tutorial(mnist_dir, capsys):
    assert softmax.main(["--data-dir", mnist_dir, "--quiet", "--run-dir", "run"]) == 0
    line = capsys.readouterr().out
    assert line.startswith("test accuracy 0.9")
    assert float(line.split()[2]) >= 0.90
