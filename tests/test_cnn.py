import numpy as np
import pytest

from deep_mnist import cnn
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import RunConfig, Session, optimizers


def test_variables_have_the_names_and_shapes_of_the_tutorial(graph):
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


def test_the_optimizer_is_adam_by_default(graph):
    cnn.build(cnn.Config())
    weights = [v.op.name for v in tf.trainable_variables()]
    slots = [f"{name}/{slot}" for name in weights for slot in ("Adam", "Adam_1")]
    assert {v.op.name for v in tf.global_variables()} == {
        *weights,
        *slots,
        "beta1_power",
        "beta2_power",
        "global_step",
    }


def test_tensors_have_names_and_shapes(graph):
    model = cnn.build(cnn.Config())
    assert model.x.name == "x:0"
    assert model.y_.name == "y_:0"
    assert model.keep_prob.name == "keep_prob:0"
    assert model.logits.name == "fc2/logits:0"
    assert model.accuracy.name == "accuracy:0"
    shapes = {
        "x_image:0": [None, 28, 28, 1],
        "conv1/h_conv1:0": [None, 28, 28, 32],
        "conv2/h_conv2:0": [None, 14, 14, 64],
        "y_conv:0": [None, 10],
    }
    assert {name: graph.get_tensor_by_name(name).shape.as_list() for name in shapes} == shapes


def test_scopes_group_the_graph_and_are_not_in_the_names_of_variables(graph):
    """TensorBoard draws a box for each name before the first slash."""
    optimizer = optimizers.create("adam", 1e-4, "one-cycle", 1000, 0.999, 0.1)
    cnn.build(cnn.Config(), optimizer)
    assert all("/" not in v.op.name for v in tf.trainable_variables())
    variables = {v.op.name.split("/")[0] for v in tf.global_variables()}
    names = {op.name for op in graph.get_operations()}
    assert {name.split("/")[0] for name in names if "/" in name} - variables == {
        *("keep_prob", "x_image", "conv1", "conv2", "fc1", "dropout", "fc2"),
        *("softmax_cross_entropy_with_logits", "learning_rate", "gradients", "train_step"),
        *("ArgMax", "ArgMax_1"),
    }


def test_weight_decay_is_that_of_the_weights_and_not_of_the_biases(graph):
    # With this learning rate only the decay, by a tenth, can be seen.
    optimizer = optimizers.create("gradient-descent", 1e-9, "constant", 1, 0.999, 1e8)
    model = cnn.build(cnn.Config(), optimizer)
    variables = {v.op.name: v for v in tf.trainable_variables()}
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        before = sess.run(variables)
        sess.run(model.train_step, {model.x: np.ones((2, 784)), model.y_: np.eye(10)[:2]})
        after = sess.run(variables)
    for name in variables:
        factor = 0.9 if name.startswith("W_") else 1.0
        np.testing.assert_allclose(after[name], factor * before[name], atol=1e-4, err_msg=name)


def test_building_twice_gives_the_same_names():
    names = []
    for _ in range(2):
        with tf.Graph().as_default():
            cnn.build(cnn.Config())
            names.append([v.op.name for v in tf.global_variables()])
    assert names[0] == names[1]


def initial_weights(seed, before_build=lambda: None):
    with tf.Graph().as_default():
        tf.set_random_seed(seed)
        before_build()
        with Session(cnn.build(cnn.Config()), RunConfig()) as sess:
            sess.initialize()
            return sess.weights()


def test_initial_weights_are_small_noise_and_biases_are_positive():
    weights = initial_weights(seed=0)
    for name in ("W_conv1", "W_conv2", "W_fc1", "W_fc2"):
        assert np.abs(weights[name]).max() <= 0.2  # truncated at two standard deviations
        assert weights[name].std() == pytest.approx(0.088, abs=0.004)
    for name in ("b_conv1", "b_conv2", "b_fc1", "b_fc2"):
        assert set(weights[name].tolist()) == {np.float32(0.1)}
    assert not np.array_equal(weights["W_fc2"].ravel()[:800], weights["W_conv1"].ravel())


def test_initial_weights_depend_only_on_the_seed_of_the_graph():
    weights = initial_weights(seed=3)
    after_another_op = initial_weights(seed=3, before_build=lambda: tf.random_normal([2]))
    for name, value in weights.items():
        np.testing.assert_array_equal(value, after_another_op[name])
    assert not np.array_equal(weights["W_conv1"], initial_weights(seed=4)["W_conv1"])


@pytest.fixture
def initialized(graph):
    """(model, session with the initial weights, 3 random images)."""
    tf.set_random_seed(0)
    model = cnn.build(cnn.Config())
    images = np.random.default_rng(1).random((3, 784), np.float32)
    with Session(model, RunConfig()) as sess:
        sess.initialize()
        yield model, sess, images


def test_inference_needs_only_images_and_keeps_every_unit(initialized):
    model, sess, images = initialized
    logits = sess.run(model.logits, {model.x: images})
    assert logits.shape == (3, 10)
    np.testing.assert_array_equal(
        logits, sess.run(model.logits, {model.x: images, model.keep_prob: 1.0})
    )


def test_inference_without_keep_prob_adds_no_dropout(graph):
    logits = cnn.inference(tf.placeholder(tf.float32, [None, 784]))
    assert logits.name == "fc2/logits:0"
    assert logits.shape.as_list() == [None, 10]
    assert not [op.name for op in graph.get_operations() if op.name.startswith("dropout")]
    assert len(tf.global_variables()) == 8


def test_keep_prob_is_the_fraction_of_units_that_are_kept_and_scaled_up(initialized):
    model, sess, _ = initialized
    # The layer before and after dropout, found by the op's type in the graph.
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


def test_each_step_has_its_own_dropout_mask_which_is_repeatable(initialized):
    model, sess, images = initialized
    labels = np.eye(10, dtype=np.float32)[[1, 2, 3]]
    feed = {model.x: images, model.keep_prob: 0.5}
    first, again = sess.run(model.logits, feed), sess.run(model.logits, feed)
    np.testing.assert_array_equal(first, again)
    sess.run(model.train_step, {model.x: images * 0, model.y_: labels})
    other = sess.run(model.logits, feed)
    assert np.abs(other - first).max() > 0.1


def test_dropout_masks_depend_on_the_seed_of_the_graph():
    outputs = []
    for seed in (1, 1, 2):
        with tf.Graph().as_default(), tf.Session() as sess:
            tf.set_random_seed(seed)
            dropped = cnn.dropout(tf.ones([10, 100]), 0.5)
            sess.run(tf.global_variables_initializer())
            outputs.append(sess.run(dropped))
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert not np.array_equal(outputs[0], outputs[2])


def test_logits_are_those_of_the_tutorials_formula(initialized):
    model, sess, images = initialized
    w = sess.weights()
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


@pytest.mark.parametrize("form", ["stable", "textbook"])
def test_loss_is_the_cross_entropy_summed_over_the_batch(graph, form):
    y_ = np.eye(10, dtype=np.float32)[[4, 0, 9]]
    logits = np.random.default_rng(0).normal(size=(3, 10)).astype(np.float32)
    with tf.Session() as sess:
        loss = sess.run(cnn.loss(y_, logits, form))
    log_sum_exp = np.log(np.exp(logits.astype(np.float64)).sum(axis=1))
    expected = (log_sum_exp - logits[[0, 1, 2], [4, 0, 9]]).sum()
    assert loss == pytest.approx(expected, rel=1e-6)


def test_every_op_is_needed_for_training_or_evaluation(graph):
    model = cnn.build(cnn.Config())
    needed = [v.initializer for v in tf.global_variables()]
    needed += [v.value().op for v in tf.global_variables()]
    needed += [model.train_step, model.accuracy.op, model.loss.op]
    reached = set()
    while needed:
        op = needed.pop()
        if op not in reached:
            reached.add(op)
            needed += [tensor.op for tensor in op.inputs] + list(op.control_inputs)
    unused = [
        op.name
        for op in graph.get_operations()
        if op not in reached and op.type not in ("ReadVariableOp", "VarIsInitializedOp", "NoOp")
    ]
    assert [name for name in unused if not name.startswith("gradients/")] == []
