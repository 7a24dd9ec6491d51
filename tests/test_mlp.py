import json
import struct
from pathlib import Path

import numpy as np
import pytest

from deep_mnist import mlp, training
from deep_mnist.autodiff import Add, Matmul, Mean, Operation, Relu
from deep_mnist.lazy_tensorflow import tf


@pytest.fixture
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def test_variables_are_the_checkpoints_interface(graph):
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
def test_initial_values_are_the_documents(graph, variant, weights, biases):
    config = mlp.Config(variant=variant)
    model = mlp.build(config)
    with training.Session(model, config) as sess:
        sess.initialize()
        values = sess.run(tf.trainable_variables())
    # Cut at two sigma, a normal distribution keeps 0.88 of its spread.
    for value in values[::2]:
        assert value.std() == pytest.approx(weights, rel=0.06)
        assert np.abs(value).max() <= weights / 0.44
    for value in values[1::2]:
        assert np.abs(value).max() <= biases / 0.44
    assert values[1].std() == pytest.approx(biases, rel=0.15)


def test_raw_pixels_are_the_grey_values_again(graph):
    config = mlp.Config(variant="raw-pixels")
    model = mlp.build(config)
    pixels = graph.get_tensor_by_name("Round:0")
    greys = np.arange(784) % 256
    with training.Session(model, config) as sess:
        found = sess.run(pixels, {model.x: [greys.astype(np.float32) * np.float32(1 / 255)]})
    np.testing.assert_array_equal(found[0], greys)


def square():
    return Operation("Square", lambda x: x * x, lambda g, y, x: 2 * g * x)


def numpy_gradients(x, y_, w1, b1, w2, b2, w3, b3):
    """The MLP's loss and gradients on the operations of autodiff/, in float64."""
    matmuls, adds, relus = [Matmul() for _ in "123"], [Add() for _ in "123"], [Relu() for _ in "12"]
    minus, squared, mean = Add(), square(), Mean()
    h = x
    for matmul, add, relu, (w, b) in zip(
        matmuls[:2], adds[:2], relus, [(w1, b1), (w2, b2)], strict=True
    ):
        h = relu.forward(add.forward(matmul.forward(h, w), b))
    out = adds[2].forward(matmuls[2].forward(h, w3), b3)
    loss = mean.forward(squared.forward(minus.forward(out, -y_)))
    grad = minus.backward(squared.backward(mean.backward(np.array(1.0))), wrt=0)
    gradients = []
    for layer in (2, 1, 0):
        grad, b_grad = adds[layer].backward(grad)
        grad, w_grad = matmuls[layer].backward(grad)
        gradients = [w_grad, b_grad, *gradients]
        if layer:
            grad = relus[layer - 1].backward(grad)
    return loss, gradients


def test_gradients_are_those_of_the_operations_written_by_hand(graph, digits):
    config = mlp.Config()
    model = mlp.build(config)
    gradients = tf.gradients(model.loss, tf.trainable_variables())
    images = (digits.train.images[:7] / 255).astype(np.float32)
    labels = np.eye(10, dtype=np.float32)[digits.train.labels[:7]]
    with training.Session(model, config) as sess:
        sess.initialize()
        weights = sess.run(tf.trainable_variables())
        loss, found = sess.run([model.loss, gradients], {model.x: images, model.y_: labels})
    expected_loss, expected = numpy_gradients(
        *(value.astype(np.float64) for value in (images, labels, *weights))
    )
    assert loss == pytest.approx(expected_loss, rel=1e-6)
    for mine, theirs in zip(expected, found, strict=True):
        assert np.abs(mine - theirs).max() <= 1e-6 * np.abs(mine).max()


def test_one_step_moves_every_variable_by_its_gradient_at_the_old_weights(graph, digits):
    config = mlp.Config(learning_rate=0.5)
    model = mlp.build(config)
    gradients = tf.gradients(model.loss, tf.trainable_variables())
    feed = {
        model.x: (digits.train.images[:7] / 255).astype(np.float32),
        model.y_: np.eye(10, dtype=np.float32)[digits.train.labels[:7]],
    }
    with training.Session(model, config) as sess:
        sess.initialize()
        before, slopes = sess.run([tf.trainable_variables(), gradients], feed)
        sess.run(model.train_step, feed)
        after = sess.run(tf.trainable_variables())
    for old, slope, new in zip(before, slopes, after, strict=True):
        np.testing.assert_array_equal(new, old - np.float32(0.5) * slope)


def test_lines_are_the_documents_and_the_last_batch_of_an_epoch_is_short(capsys):
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


def test_raw_pixels_reads_a_picture_at_the_end_and_weights_know_their_variant(capsys):
    arguments = ["--dataset", "generated", "--variant", "raw-pixels", "--steps", "2"]
    assert mlp.main([*arguments, "--run-dir", "run", "--save-picture", "picture.png"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(len(line) == 56 and not line.strip(" .:-=+*#%@") for line in lines) == 28
    told = next(line for line in lines if line.startswith("picture 0 is read as "))
    assert told[-1].isdigit()
    outputs = next(line for line in lines if line.startswith("outputs: 0:"))
    assert len(outputs.split()) == 11
    png = Path("picture.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert struct.unpack(">II", png[16:24]) == (28, 28)
    # Restored without --variant, they are not taken for weights of scaled pixels.
    assert mlp.main(["--restore", "run", "--dataset", "generated", "--picture", "5"]) == 0
    again = capsys.readouterr().out.splitlines()
    assert again[-1] == lines[-1]
    assert any(line.startswith("picture 5 is read as ") for line in again)


def test_mistakes_with_pictures_and_variants(capsys):
    mlp.main(["--dataset", "generated", "--steps", "1", "--run-dir", "run", "--quiet"])
    Path("mine.png").write_text("mine")
    capsys.readouterr()
    for arguments, expected in (
        (["--picture", "10000"], "expected a number under 10000"),
        (["--save-picture", "mine.png"], "mine.png exists: name a new file"),
        (["--save-picture", "nowhere/new.png"], "there is no folder nowhere"),
        (["--restore", "run", "--variant", "raw-pixels"], "were trained with scaled"),
    ):
        assert mlp.main(["--dataset", "generated", *arguments]) == 2
        assert expected in capsys.readouterr().err
    assert Path("mine.png").read_text() == "mine"


def test_a_picture_that_cannot_be_saved_costs_no_result(capsys):
    arguments = ["--dataset", "generated", "--steps", "1", "--quiet", "--save-picture", "new.png"]
    assert mlp.main([*arguments, "--run-dir", "run"]) == 0
    assert capsys.readouterr().out.startswith("test accuracy ")
    first = Path("new.png").read_bytes()
    Path("run/result.json").unlink()  # as if it had been stopped right after the picture
    assert mlp.main(["--resume", "run"]) == 0
    assert capsys.readouterr().err == "mlp: --save-picture new.png: File exists\n"
    assert Path("new.png").read_bytes() == first
    assert Path("run/result.json").exists()
