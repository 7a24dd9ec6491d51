import numpy as np
import pytest

from deep_mnist import cnn, softmax
from deep_mnist.data import Split
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import RunConfig, Session


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
