import numpy as np
import pytest

from deep_mnist import cnn, softmax, training
from deep_mnist.data import Split
from deep_mnist.training import tf


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
