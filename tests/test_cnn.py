import numpy as np
import pytest

from deep_mnist import cnn, training
from deep_mnist.lazy_tensorflow import tf


@pytest.fixture
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def test_variables_are_the_checkpoints_interface(graph):
    cnn.build(cnn.Config())
    assert {v.op.name: v.shape.as_list() for v in tf.trainable_variables()} == {
        "W_conv1": [5, 5, 1, 32],
        "b_conv1": [32],
        "W_conv2": [5, 5, 32, 64],
        "b_conv2": [64],
        "W_fc1": [3136, 1024],
        "b_fc1": [1024],
        "W_fc2": [1024, 10],
        "b_fc2": [10],
    }
    assert sum(np.prod(v.shape.as_list()) for v in tf.trainable_variables()) == 3_274_634


def test_the_graph_is_one_that_can_be_read(graph):
    """TensorBoard draws a box for each name before the first slash."""
    cnn.build(cnn.Config(schedule="one-cycle", average_decay=0.99))
    variables = {v.op.name.split("/")[0] for v in tf.global_variables()}
    assert {op.name.split("/")[0] for op in graph.get_operations()} - variables == {
        *("x", "y_", "keep_prob", "x_image", "conv1", "conv2", "fc1", "dropout", "fc2", "y_conv"),
        *("cross_entropy", "learning_rate", "gradients", "train_step", "averages", "evaluation"),
    }


def test_building_twice_gives_the_same_names():
    names = []
    for _ in range(2):
        with tf.Graph().as_default():
            cnn.build(cnn.Config())
            names.append([v.op.name for v in tf.global_variables()])
    assert names[0] == names[1]


def initial_weights(seed, before_build=lambda: None):
    with tf.Graph().as_default():
        before_build()
        config = cnn.Config(seed=seed)
        model = cnn.build(config)
        with training.Session(model, config) as sess:
            sess.initialize()
            return sess.run({v.op.name: v for v in tf.trainable_variables()})


def test_initial_weights_are_small_noise_and_positive_biases():
    weights = initial_weights(seed=0)
    for name in ("W_conv1", "W_conv2", "W_fc1", "W_fc2"):
        assert np.abs(weights[name]).max() <= 0.2  # truncated at two sigma
        assert weights[name].std() == pytest.approx(0.088, abs=0.004)
    for name in ("b_conv1", "b_conv2", "b_fc1", "b_fc2"):
        assert set(weights[name].tolist()) == {np.float32(0.1)}
    assert not np.array_equal(weights["W_fc2"].ravel()[:800], weights["W_conv1"].ravel())


def test_initial_weights_depend_on_the_seed_and_on_nothing_else_in_the_graph():
    weights = initial_weights(seed=3)
    beside_another_op = initial_weights(seed=3, before_build=lambda: tf.random_normal([2]))
    for name, value in weights.items():
        np.testing.assert_array_equal(value, beside_another_op[name])
    assert not np.array_equal(weights["W_conv1"], initial_weights(seed=4)["W_conv1"])


@pytest.fixture
def small(graph):
    """A session with initial weights, and three odd images."""
    config = cnn.Config()
    model = cnn.build(config)
    images = np.random.default_rng(1).random((3, 784), np.float32)
    with training.Session(model, config) as sess:
        sess.initialize()
        yield model, sess, images


def test_inference_needs_images_alone_and_keeps_every_unit(small):
    model, sess, images = small
    logits = sess.run(model.logits, {model.x: images})
    assert logits.shape == (3, 10)
    np.testing.assert_array_equal(
        logits, sess.run(model.logits, {model.x: images, model.keep_prob: 1.0})
    )


def test_keep_prob_is_the_share_that_is_kept_and_scaled_up(small):
    model, sess, _ = small
    # The layer before and after dropout, found by the op's name in the graph.
    dropout = model.logits.op.inputs[0].op.inputs[0]
    ones = np.ones((50, 1024), np.float32)
    before = next(
        op.outputs[0]
        for op in tf.get_default_graph().get_operations()
        if op.type == "Relu" and op.outputs[0].shape.as_list() == [None, 1024]
    )
    after = sess.run(dropout, {before: ones, model.keep_prob: 0.25})
    assert set(np.unique(after).tolist()) == {0.0, 4.0}
    assert (after > 0).mean() == pytest.approx(0.25, abs=0.01)


def test_each_step_has_a_mask_of_its_own_that_a_second_look_repeats(small):
    model, sess, images = small
    labels = np.eye(10, dtype=np.float32)[[1, 2, 3]]
    feed = {model.x: images, model.keep_prob: 0.5}
    first, again = sess.run(model.logits, feed), sess.run(model.logits, feed)
    np.testing.assert_array_equal(first, again)
    sess.run(model.train_step, {model.x: images * 0, model.y_: labels})
    other = sess.run(model.logits, feed)
    assert np.abs(other - first).max() > 0.1


def test_logits_are_the_formula_of_the_tutorial(small):
    model, sess, images = small
    w = sess.run({v.op.name: v for v in tf.trainable_variables()})
    h = images.reshape(3, 28, 28, 1)
    for layer in ("conv1", "conv2"):
        h = pool(np.maximum(convolve(h, w[f"W_{layer}"]) + w[f"b_{layer}"], 0))
    h = np.maximum(h.reshape(3, -1) @ w["W_fc1"] + w["b_fc1"], 0)
    np.testing.assert_allclose(
        sess.run(model.logits, {model.x: images}), h @ w["W_fc2"] + w["b_fc2"], rtol=1e-3, atol=1e-3
    )


def convolve(images, W):
    padded = np.pad(images, [(0, 0), (2, 2), (2, 2), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5), axis=(1, 2))
    return np.einsum("bhwcij,ijcf->bhwf", windows, W)


def pool(images):
    batch, height, width, features = images.shape
    return images.reshape(batch, height // 2, 2, width // 2, 2, features).max(axis=(2, 4))


def test_no_op_of_the_graph_is_dead(graph):
    model = cnn.build(cnn.Config())
    initializers = [v.initializer for v in tf.global_variables()]
    reads = [v.value() for v in tf.global_variables()]
    needed = [*initializers, *(v.op for v in reads), model.train_step, model.accuracy.op]
    needed += [model.correct.op, model.loss.op]
    reached = set()
    while needed:
        op = needed.pop()
        if op not in reached:
            reached.add(op)
            needed += [tensor.op for tensor in op.inputs] + list(op.control_inputs)
    dead = [
        op.name
        for op in graph.get_operations()
        if op not in reached and op.type not in ("ReadVariableOp", "VarIsInitializedOp", "NoOp")
    ]
    assert [name for name in dead if not name.startswith("gradients/")] == []


def test_more_plain_steps_than_steps_are_refused(capsys):
    assert cnn.main(["--recipe", "best", "--steps", "40"]) == 2
    assert capsys.readouterr().err == (
        "cnn: --plain-steps: expected less than --steps, which is 40, found 4000: give both\n"
    )
