"""The solutions of the tutorials' exercises do what the exercises ask for."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from deep_mnist import autodiff, cnn, data, fnn, mlp, softmax
from deep_mnist.data.micro_batches import micro_batches
from deep_mnist.lazy_tensorflow import tf

SOLUTIONS = Path(__file__).parents[2] / "docs" / "tutorials" / "solutions"


def load(name):
    path = SOLUTIONS / f"{name}_solutions.py"
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


softmax_solutions, cnn_solutions = load("softmax"), load("cnn")
mlp_solutions, fnn_solutions = load("mlp"), load("fnn")


# 1. Softmax regression --------------------------------------------------------


def test_the_learning_rate_of_the_tutorial_is_better_than_a_smaller_and_a_larger_one(digits):
    small, right, large = (
        softmax_solutions.test_accuracy(rate, 100, digits) for rate in (0.0001, 0.01, 1.0)
    )
    assert right > 0.88
    assert small < right
    assert large < right


def test_recall_is_the_share_of_each_digit():
    labels = np.array([0, 0, 0, 0, *range(1, 10)])
    predicted = np.array([0, 0, 0, 7, 1, 9, *range(3, 10)])
    expected = [0.75, 1, 0, 1, 1, 1, 1, 1, 1, 1]
    assert softmax_solutions.recall(labels, predicted).tolist() == expected


def test_the_step_by_hand_is_that_of_gradient_descent(graph, digits):
    model = softmax.build(softmax.Config(learning_rate=0.01))
    W, b = tf.trainable_variables()
    by_hand = softmax_solutions.train_step_by_hand(model.x, model.y_, W, b, 0.01)
    batch = next(data.batches(digits.train, 50, seed=0))
    feed = {model.x: batch.images, model.y_: batch.labels}
    results = []
    with tf.Session() as sess:
        for step in (model.train_step, by_hand):
            sess.run(tf.global_variables_initializer())
            for _ in range(3):
                sess.run(step, feed)
            results.append(sess.run([W, b]))
    for theirs, ours in zip(*results, strict=True):
        assert np.abs(theirs).max() > 0.01
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


# 2. Deep MNIST ----------------------------------------------------------------


def test_the_weights_are_counted():
    assert cnn_solutions.number_of_weights(28, 1024) == 3_274_634
    assert cnn_solutions.number_of_weights(56, 1024) == 12_908_426


def test_average_pooling_is_the_mean_of_each_block(graph):
    image = np.array([[1, 2, 5, 5], [3, 4, 5, 5]], np.float32).reshape(1, 2, 4, 1)
    with tf.Session() as sess:
        pooled = sess.run(cnn_solutions.average_pool_2x2(tf.constant(image)))
    assert pooled.reshape(-1).tolist() == [2.5, 5.0]


def test_the_network_is_built_with_average_pooling(graph, monkeypatch):
    monkeypatch.setattr(cnn, "max_pool_2x2", cnn_solutions.average_pool_2x2)
    assert cnn.build(cnn.Config()).logits.shape.as_list() == [None, 10]
    types = {operation.type for operation in graph.get_operations()}
    assert "AvgPool" in types
    assert "MaxPool" not in types


def test_the_convolution_in_numpy_is_tensorflows(graph):
    random = np.random.default_rng(0)
    image, weights = random.normal(size=[28, 28]), random.normal(size=[5, 5])
    theirs = cnn.conv2d(
        tf.constant(image.reshape(1, 28, 28, 1)), tf.constant(weights.reshape(5, 5, 1, 1))
    )
    with tf.Session() as sess:
        expected = sess.run(theirs)[0, :, :, 0]
    np.testing.assert_allclose(cnn_solutions.convolve(image, weights), expected, atol=1e-12)


# 3. The MLP -------------------------------------------------------------------


def test_a_larger_learning_rate_gets_further_in_the_same_time(digits):
    small, large = (mlp_solutions.test_accuracy(rate, 1, digits) for rate in (0.001, 0.5))
    assert small < 0.5
    assert large > small + 0.2


def test_momentum_is_that_of_tensorflow(graph):
    results = []
    for build in (
        lambda loss, w: mlp_solutions.momentum_step(loss, [w], 0.1, 0.9),
        lambda loss, w: tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss, var_list=[w]),
    ):
        w = tf.Variable([1.0, -2.0])
        step = build(tf.reduce_sum(w * w), w)
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            for _ in range(5):
                sess.run(step)
            results.append(sess.run(w))
    np.testing.assert_allclose(results[0], results[1], rtol=1e-6)
    assert results[0][0] != 1.0


def test_the_cross_entropy_learns_more_than_the_squared_error(digits, monkeypatch):
    before = mlp_solutions.test_accuracy(0.001, 2, digits)
    monkeypatch.setattr(mlp, "loss", mlp_solutions.cross_entropy)
    assert mlp_solutions.test_accuracy(0.001, 2, digits) > before


# 4. Backpropagation in NumPy --------------------------------------------------


def test_the_rule_of_exp_is_right():
    autodiff.gradient_check(fnn_solutions.Exp(), np.array([[-1.0, 0.0, 2.0]]))


def test_smaller_initial_weights_learn_faster(digits):
    accuracies = []
    for model in (fnn.build(fnn.Config()), fnn_solutions.smaller_weights()):
        batches = micro_batches(digits.train, 9_000, fnn.with_ones, "float64", 0)
        for _, batch in zip(range(10), batches, strict=False):
            fnn.train_step(model, batch, 7e-5)  # per image, as 1e-5 with 60,000
        predicted = model.log_probabilities(digits.test.images).argmax(axis=1)
        accuracies.append(np.mean(predicted == digits.test.labels))
    assert accuracies[1] > accuracies[0] + 0.1


def test_without_an_epsilon_the_worst_errors_have_a_gradient():
    x, W1 = np.ones([1, 785]), np.full([785, 100], 1 / 785)
    W2 = np.zeros([100, 10])
    W2[:, 3] = 0.5  # the logit of 3 is 50, all others are 0
    label = np.eye(10)[[7]]
    largest = []
    for inference in (fnn.inference, fnn_solutions.inference):
        loss = fnn.loss(label, inference(x, W1, W2))
        (gradient,) = autodiff.gradients(loss, [W2])
        largest.append(np.abs(gradient).max())
    assert largest[0] < 1e-8
    assert largest[1] == pytest.approx(1.0)
