import json
import struct
from pathlib import Path

import numpy as np
import pytest

from deep_mnist import mlp
from deep_mnist.autodiff import Add, Matmul, Mean, Multiply, Relu
from deep_mnist.autodiff import gradients as numpy_gradients
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import RunConfig, Session

QUICK = ["--dataset", "generated", "--steps", "1", "--quiet"]


def first_batch(digits, examples):
    images = (digits.train.images[:examples] / 255).astype(np.float32)
    return images, np.eye(10, dtype=np.float32)[digits.train.labels[:examples]]


def test_variables_have_the_names_and_shapes_of_the_articles(graph):
    mlp.build(mlp.Config())
    assert {v.op.name: v.shape.as_list() for v in tf.global_variables()} == {
        "w1": [784, 256],
        "b1": [256],
        "w2": [256, 128],
        "b2": [128],
        "w3": [128, 10],
        "b3": [10],
    }
    assert sum(np.prod(v.shape.as_list()) for v in tf.trainable_variables()) == 235_146


@pytest.mark.parametrize(
    ("variant", "weights", "biases"), [("scaled", 0.088, 0.0), ("raw-pixels", 0.0088, 0.88)]
)
def test_initial_values_are_those_of_the_articles(graph, variant, weights, biases):
    model = mlp.build(mlp.Config(variant=variant))
    with Session(model, RunConfig()) as sess:
        sess.initialize()
        values = sess.run(tf.trainable_variables())
    # A normal distribution that is truncated at two standard deviations keeps 0.88 of its own.
    for value in values[::2]:
        assert value.std() == pytest.approx(weights, rel=0.06)
        assert np.abs(value).max() <= weights / 0.44
    for value in values[1::2]:
        assert np.abs(value).max() <= biases / 0.44
    assert values[1].std() == pytest.approx(biases, rel=0.15)


def test_initial_weights_depend_on_the_seed_of_the_graph():
    weights = []
    for seed in (1, 1, 2):
        with tf.Graph().as_default():
            tf.set_random_seed(seed)
            with Session(mlp.build(mlp.Config()), RunConfig()) as sess:
                sess.initialize()
                weights.append(sess.weights_sha256())
    assert weights[0] == weights[1] != weights[2]


def test_the_variant_raw_pixels_restores_the_pixels_0_to_255(graph):
    model = mlp.build(mlp.Config(variant="raw-pixels"))
    raw = graph.get_tensor_by_name("Round:0")
    pixels = np.arange(784) % 256
    with Session(model, RunConfig()) as sess:
        found = sess.run(raw, {model.x: [pixels.astype(np.float32) * np.float32(1 / 255)]})
    np.testing.assert_array_equal(found[0], pixels)


def loss_and_gradients_in_numpy(x, y_, w1, b1, w2, b2, w3, b3):
    """Loss and gradients of the MLP, computed by deep_mnist.autodiff in float64."""
    matmul, add, relu, multiply, mean = Matmul(), Add(), Relu(), Multiply(), Mean()
    h1 = relu(add(matmul(x, w1), b1))
    h2 = relu(add(matmul(h1, w2), b2))
    difference = add(add(matmul(h2, w3), b3), -y_)
    loss = mean(multiply(difference, difference))
    return loss.value, numpy_gradients(loss, [w1, b1, w2, b2, w3, b3])


def test_gradients_equal_those_computed_in_numpy(graph, digits):
    model = mlp.build(mlp.Config())
    gradients = tf.gradients(model.loss, tf.trainable_variables())
    images, labels = first_batch(digits, 7)
    with Session(model, RunConfig()) as sess:
        sess.initialize()
        weights = sess.run(tf.trainable_variables())
        loss, found = sess.run([model.loss, gradients], {model.x: images, model.y_: labels})
    expected_loss, expected = loss_and_gradients_in_numpy(
        *(value.astype(np.float64) for value in (images, labels, *weights))
    )
    assert loss == pytest.approx(expected_loss, rel=1e-6)
    for ours, tensorflows in zip(expected, found, strict=True):
        assert np.abs(ours - tensorflows).max() <= 1e-6 * np.abs(ours).max()


def test_a_step_subtracts_each_gradient_at_the_old_weights(graph, digits):
    model = mlp.build(mlp.Config(learning_rate=0.5))
    gradients = tf.gradients(model.loss, tf.trainable_variables())
    images, labels = first_batch(digits, 7)
    feed = {model.x: images, model.y_: labels}
    with Session(model, RunConfig()) as sess:
        sess.initialize()
        before, slopes = sess.run([tf.trainable_variables(), gradients], feed)
        sess.run(model.train_step, feed)
        after = sess.run(tf.trainable_variables())
    for old, slope, new in zip(before, slopes, after, strict=True):
        np.testing.assert_array_equal(new, old - np.float32(0.5) * slope)


def test_reports_are_those_of_the_article_and_the_last_batch_of_an_epoch_is_smaller(capsys):
    arguments = ["--dataset", "generated", "--steps", "81", "--batch-size", "128"]
    assert mlp.main([*arguments, "--log-every", "78", "--run-dir", "run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("generated: 10000 training, 0 validation, 2000 test examples")
    assert [line.split(", loss:")[0] for line in lines[1:4]] == [
        "epoch:0, step: 0",
        "epoch:0, step: 78",
        "epoch:1, step: 0",  # 79 steps an epoch: 78 x 128 + 16 = 10,000
    ]
    assert lines[-1].startswith("test accuracy 0.")
    result = json.loads(Path("run/result.json").read_text())
    assert (result["train_examples"], result["validation_accuracy"]) == (10_000, None)


def test_raw_pixels_classifies_an_image_and_its_weights_are_restored_with_their_variant(capsys):
    arguments = ["--dataset", "generated", "--variant", "raw-pixels", "--steps", "2"]
    assert mlp.main([*arguments, "--run-dir", "run", "--save-picture", "picture.png"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(len(line) == 56 and not line.strip(" .:-=+*#%@") for line in lines) == 28
    outputs = next(line for line in lines if line.startswith("outputs: 0:"))
    values = [float(value.split(":")[1]) for value in outputs.split()[1:]]
    assert len(values) == 10
    labels = next(line for line in lines if line.startswith("predicted label "))
    assert labels.startswith(f"predicted label {np.argmax(values)}, true label ")
    assert labels[-1].isdigit()
    png = Path("picture.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert struct.unpack(">II", png[16:24]) == (28, 28)
    # --variant is read from the run's config.json.
    assert mlp.main(["--restore", "run", "--dataset", "generated", "--picture", "5"]) == 0
    restored = capsys.readouterr()
    assert "--variant" not in restored.err
    assert restored.out.splitlines()[-1] == lines[-1]
    assert any(line.startswith("predicted label ") for line in restored.out.splitlines())


def test_weights_without_a_config_json_are_assumed_to_be_of_the_default_variant(capsys):
    assert mlp.main([*QUICK, "--run-dir", "run"]) == 0
    Path("run/config.json").unlink()
    capsys.readouterr()
    assert mlp.main(["--restore", "run", "--dataset", "generated", "--quiet"]) == 0
    assert capsys.readouterr().err == (
        "warning: mlp: no config.json with --variant next to run/model.ckpt-1: assumed scaled\n"
    )


def test_wrong_pictures_and_variants_are_errors(capsys):
    mlp.main([*QUICK, "--run-dir", "run"])
    Path("mine.png").write_text("mine")
    capsys.readouterr()
    for arguments, expected in (
        (
            ["--picture", "10000"],
            "error: mlp: --picture: expected less than 10000, the number of training images, "
            "found 10000\n",
        ),
        (
            ["--save-picture", "mine.png"],
            "error: mlp: --save-picture: mine.png already exists\nhint: choose a new name\n",
        ),
        (
            ["--save-picture", "nowhere/new.png"],
            "error: mlp: --save-picture: no directory nowhere\n",
        ),
        (
            ["--restore", "run", "--variant", "raw-pixels"],
            "error: mlp: --variant: the weights in run were trained with scaled, "
            "found raw-pixels\nhint: omit --variant\n",
        ),
    ):
        assert mlp.main(["--dataset", "generated", *arguments]) == 2
        assert capsys.readouterr().err == expected
    assert Path("mine.png").read_text() == "mine"


def test_a_picture_that_cannot_be_saved_is_a_warning(capsys):
    assert mlp.main([*QUICK, "--save-picture", "new.png", "--run-dir", "run"]) == 0
    assert capsys.readouterr().out.startswith("test accuracy ")
    first = Path("new.png").read_bytes()
    Path("run/result.json").unlink()  # as if it had been killed after it saved the picture
    assert mlp.main(["--resume", "run"]) == 0
    assert capsys.readouterr().err == (
        "warning: mlp: --save-picture: cannot write new.png (File exists)\n"
    )
    assert Path("new.png").read_bytes() == first
    assert Path("run/result.json").exists()


@pytest.mark.mnist
def test_the_default_settings_reach_the_accuracy_of_the_article(mnist_dir, capsys):
    assert mlp.main(["--data-dir", mnist_dir, "--quiet", "--run-dir", "run"]) == 0
    assert float(capsys.readouterr().out.split()[2]) >= 0.45
