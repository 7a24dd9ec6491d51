import numpy as np
import pytest

from deep_mnist import cnn, softmax
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import RunConfig, Session
from deep_mnist.training.initialization import he_initialization


@pytest.fixture
def weights():
    with tf.Graph().as_default(), he_initialization():
        tf.set_random_seed(0)
        model = cnn.build(cnn.Config())
        with Session(model, RunConfig()) as session:
            session.initialize()
            return session.weights()


@pytest.mark.parametrize(
    ("name", "inputs"),
    [("W_conv1", 25), ("W_conv2", 25 * 32), ("W_fc1", 7 * 7 * 64), ("W_fc2", 1024)],
)
def test_the_standard_deviation_is_that_of_he(weights, name, inputs):
    # tf.truncated_normal draws values beyond two standard deviations again: 0.88 of it is left.
    assert weights[name].std() == pytest.approx(0.88 * np.sqrt(2 / inputs), rel=0.03)


def test_biases_stay_as_they_are(weights):
    assert np.unique(weights["b_fc1"]).tolist() == [np.float32(0.1)]


def test_weights_that_start_at_zero_stay_zero():
    with tf.Graph().as_default(), he_initialization():
        model = softmax.build(softmax.Config())
        with Session(model, RunConfig()) as session:
            session.initialize()
            assert not session.weights()["W"].any()
