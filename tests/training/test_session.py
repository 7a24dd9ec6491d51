import numpy as np
import pytest

from deep_mnist import cnn, softmax, training
from deep_mnist.data import Split
from deep_mnist.lazy_tensorflow import tf


@pytest.fixture
def softmax_session():
    """Softmax regression whose classes are told apart by random weights."""
    with tf.Graph().as_default():
        config = softmax.Config()
        model = softmax.build(config)
        W, b = tf.trainable_variables()
        random = tf.group(
            W.assign(np.random.default_rng(5).normal(size=(784, 10))), b.assign(np.arange(10.0))
        )
        with training.Session(model, config) as sess:
            sess.initialize()
            sess.run(random)
            yield sess


def test_evaluation_counts_the_same_whatever_the_batch_size(softmax_session, digits):
    scores = [
        softmax_session.evaluate(digits.test, batch_size) for batch_size in (1, 7, 128, 1000, 2000)
    ]
    assert {score.examples for score in scores} == {2000}
    assert len({score.correct for score in scores}) == 1
    assert 0 < scores[0].correct < 2000
    assert scores[0].loss == pytest.approx(scores[-1].loss, rel=1e-5)


def test_evaluation_is_exact(softmax_session, digits):
    W, b = (value.astype(np.float64) for value in softmax_session.run(tf.trainable_variables()))
    images = digits.test.images.astype(np.float32) * np.float32(1 / 255)
    logits = images @ W + b
    score = softmax_session.evaluate(digits.test)
    assert score.correct == (logits.argmax(axis=1) == digits.test.labels).sum()
    assert score.accuracy == score.correct / 2000
    largest = logits.max(axis=1)
    log_sum_exp = largest + np.log(np.exp(logits - largest[:, None]).sum(axis=1))
    expected = (log_sum_exp - logits[np.arange(2000), digits.test.labels]).mean()
    assert score.loss == pytest.approx(expected, rel=1e-5)


def test_the_cnn_reads_the_same_whatever_the_batch_size(digits):
    few = Split(digits.test.images[:150], digits.test.labels[:150])
    with tf.Graph().as_default():
        config = cnn.Config()
        model = cnn.build(config)
        with training.Session(model, config) as sess:
            sess.initialize()
            counts = {sess.evaluate(few, batch_size).correct for batch_size in (1, 7, 128, 150)}
    assert len(counts) == 1


def test_thread_counts_are_those_of_the_config():
    with tf.Graph().as_default():
        config = softmax.Config(intra_op_threads=3, inter_op_threads=1)
        model = softmax.build(config)
        with training.Session(model, config) as sess:
            set_to = sess._tf_session._config
    assert (set_to.intra_op_parallelism_threads, set_to.inter_op_parallelism_threads) == (3, 1)


def test_nothing_can_be_added_to_the_graph_once_the_session_is_there(softmax_session):
    with pytest.raises(RuntimeError, match="finalized"):
        tf.constant(1)


@pytest.fixture
def averaged():
    """A CNN under way, whose weights are averaged: (session, model, feed)."""
    with tf.Graph().as_default():
        config = cnn.Config(average_decay=0.9, learning_rate=1e-3)
        model = cnn.build(config)
        with training.Session(model, config) as sess:
            sess.initialize()
            rng = np.random.default_rng(0)
            feed = {model.x: rng.random((4, 784)), model.y_: np.eye(10)[rng.integers(0, 10, 4)]}
            yield sess, model, feed


def value(sess, name):
    return sess.run(sess.run.__self__.graph.get_tensor_by_name(f"{name}/Read/ReadVariableOp:0"))


def test_the_average_follows_the_weights(averaged):
    sess, model, feed = averaged
    name = "b_fc2"
    average = value(sess, name)
    for step in range(20):
        sess.run(model.train_step, feed)
        # In the first steps the average forgets faster, so that the initial weights don't linger.
        decay = min(0.9, (2 + step) / (11 + step))
        average = decay * average + (1 - decay) * value(sess, name)
        found = value(sess, f"{name}/ExponentialMovingAverage")
        np.testing.assert_allclose(found, average, rtol=1e-5)


def test_a_run_with_averages_is_evaluated_and_restored_with_them(averaged, tmp_path):
    sess, model, feed = averaged
    for _ in range(5):
        sess.run(model.train_step, feed)
    average = value(sess, "W_fc2/ExponentialMovingAverage")
    raw = value(sess, "W_fc2")
    sess.save(tmp_path, 5, keep=1)
    sess.use_averages()
    np.testing.assert_array_equal(value(sess, "W_fc2"), average)
    assert not np.array_equal(raw, average)

    with tf.Graph().as_default():
        plain = cnn.build(cnn.Config())
        with training.Session(plain, cnn.Config()) as other:
            other.initialize()
            other.restore_weights(tmp_path / "model.ckpt-5")
            assert other.weights_sha256() == sess.weights_sha256()


def test_training_on_from_restored_weights_averages_from_them(averaged, tmp_path):
    sess, model, feed = averaged
    sess.run(model.train_step, feed)
    sess.save_weights(tmp_path, 1)
    weights = value(sess, "W_conv2")
    sess.initialize()
    sess.restore_weights(tmp_path / "model.ckpt-1")
    np.testing.assert_array_equal(value(sess, "W_conv2/ExponentialMovingAverage"), weights)
