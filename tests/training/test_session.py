import numpy as np
import pytest

from deep_mnist import cnn, softmax
from deep_mnist.data import Split
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import RunConfig, Session, optimizers


@pytest.fixture
def softmax_session(graph):
    """A session of softmax regression with random weights."""
    model = softmax.build(softmax.Config())
    W, b = tf.trainable_variables()
    randomize = tf.group(
        W.assign(np.random.default_rng(5).normal(size=(784, 10))), b.assign(np.arange(10.0))
    )
    with Session(model, RunConfig()) as sess:
        sess.initialize()
        sess.run(randomize)
        yield sess


def test_an_evaluation_does_not_depend_on_the_batch_size(softmax_session, digits):
    evaluations = [
        softmax_session.evaluate(digits.test, batch_size) for batch_size in (1, 7, 128, 1000, 2000)
    ]
    assert {evaluation.examples for evaluation in evaluations} == {2000}
    assert len({evaluation.correct for evaluation in evaluations}) == 1
    assert len({evaluation.predictions for evaluation in evaluations}) == 1
    assert 0 < evaluations[0].correct < 2000
    assert evaluations[0].loss == pytest.approx(evaluations[-1].loss, rel=1e-5)


def test_an_evaluation_is_exact(softmax_session, digits):
    W, b = (value.astype(np.float64) for value in softmax_session.run(tf.trainable_variables()))
    images = digits.test.images.astype(np.float32) * np.float32(1 / 255)
    logits = images @ W + b
    evaluation = softmax_session.evaluate(digits.test)
    predicted = logits.argmax(axis=1)
    assert evaluation.correct == (predicted == digits.test.labels).sum()
    assert evaluation.accuracy == evaluation.correct / 2000
    assert evaluation.predictions == tuple(np.bincount(predicted, minlength=10))
    largest = logits.max(axis=1)
    log_sum_exp = largest + np.log(np.exp(logits - largest[:, None]).sum(axis=1))
    expected = (log_sum_exp - logits[np.arange(2000), digits.test.labels]).mean()
    assert evaluation.loss == pytest.approx(expected, rel=1e-5)


def test_an_evaluation_of_the_cnn_does_not_depend_on_the_batch_size(graph, digits):
    images = Split(digits.test.images[:150], digits.test.labels[:150])
    with Session(cnn.build(cnn.Config()), RunConfig()) as sess:
        sess.initialize()
        counts = {sess.evaluate(images, batch_size).correct for batch_size in (1, 7, 128, 150)}
    assert len(counts) == 1


def test_a_session_has_the_threads_of_its_configuration(graph):
    run_config = RunConfig(intra_op_threads=3, inter_op_threads=1)
    with Session(softmax.build(softmax.Config()), run_config) as sess:
        options = sess._tf_session._config
    assert (options.intra_op_parallelism_threads, options.inter_op_parallelism_threads) == (3, 1)


def test_the_graph_of_a_session_is_finalized(softmax_session):
    with pytest.raises(RuntimeError, match="finalized"):
        tf.constant(1)


def test_weights_are_returned_by_name_and_checked_for_finite_values(softmax_session):
    weights = softmax_session.weights()
    assert {name: value.shape for name, value in weights.items()} == {"W": (784, 10), "b": (10,)}
    assert softmax_session.is_finite()
    W, _ = tf.trainable_variables()
    softmax_session.run(W.initializer, {W.initializer.inputs[1]: np.full((784, 10), np.inf)})
    assert not softmax_session.is_finite()


def test_the_digest_of_weights_is_that_of_their_names_types_shapes_and_bits(softmax_session):
    digest = softmax_session.weights_sha256()
    assert len(digest) == 64
    assert softmax_session.weights_sha256() == digest
    softmax_session.initialize()
    assert softmax_session.weights_sha256() != digest


# Averaged weights -------------------------------------------------------------


@pytest.fixture
def averaged(graph):
    """(session, model, feed) of a CNN that is trained with averaged weights."""
    optimizer = optimizers.AveragingOptimizer(tf.train.AdamOptimizer(1e-3), 0.9)
    model = cnn.build(cnn.Config(), optimizer)
    with Session(model, RunConfig()) as sess:
        sess.initialize()
        rng = np.random.default_rng(0)
        feed = {model.x: rng.random((4, 784)), model.y_: np.eye(10)[rng.integers(0, 10, 4)]}
        yield sess, model, feed


def value(sess, name):
    return sess.run(tf.get_default_graph().get_tensor_by_name(f"{name}/Read/ReadVariableOp:0"))


def test_the_average_follows_the_weights(averaged):
    sess, model, feed = averaged
    average = value(sess, "b_fc2")
    for step in range(20):
        sess.run(model.train_step, feed)
        # In the first steps the decay is smaller, so that the initial weights are soon forgotten.
        decay = min(0.9, (2 + step) / (11 + step))
        average = decay * average + (1 - decay) * value(sess, "b_fc2")
        found = value(sess, "b_fc2/ExponentialMovingAverage")
        np.testing.assert_allclose(found, average, rtol=1e-5)


def test_averaged_weights_are_evaluated_and_restored(averaged, tmp_path):
    sess, model, feed = averaged
    for _ in range(5):
        sess.run(model.train_step, feed)
    average = value(sess, "W_fc2/ExponentialMovingAverage")
    latest = value(sess, "W_fc2")
    sess.save(tmp_path, 5, keep=1)
    sess.use_averages()
    np.testing.assert_array_equal(value(sess, "W_fc2"), average)
    assert not np.array_equal(latest, average)

    with tf.Graph().as_default(), Session(cnn.build(cnn.Config()), RunConfig()) as other:
        other.initialize()
        other.restore_weights(tmp_path / "model.ckpt-5")
        assert other.weights_sha256() == sess.weights_sha256()


def test_averages_start_from_restored_weights(averaged, tmp_path):
    sess, model, feed = averaged
    sess.run(model.train_step, feed)
    sess.save_weights(tmp_path, 1)
    weights = value(sess, "W_conv2")
    sess.initialize()
    sess.restore_weights(tmp_path / "model.ckpt-1")
    np.testing.assert_array_equal(value(sess, "W_conv2/ExponentialMovingAverage"), weights)
