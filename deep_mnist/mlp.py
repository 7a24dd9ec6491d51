"""MLP: three layers of basic tensor operations, trained without an optimizer.

    python -m deep_mnist.mlp                         train for 10 epochs, 20 seconds
    python -m deep_mnist.mlp --restore               evaluate the pretrained weights
    python -m deep_mnist.mlp --variant raw-pixels    train on values 0..255; classify one image

Follows two articles on forward propagation with tensors. A network is a stack of functions with
many parameters, fitted by going through the data again and again. Here three layers turn 28x28 =
784 pixels into 256, 128 and 10 values, and the loss is the mean squared error to the one-hot
label. No optimizer is used: `tf.gradients` differentiates the loss, and `assign_sub` subtracts
each gradient from its variable. After 10 epochs the loss still falls; about half of the test
images are classified correctly by then. Read softmax.py first: it explains graph and session.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from deep_mnist import cli, data
from deep_mnist.lazy_tensorflow import tf  # tensorflow.compat.v1, imported when first used
from deep_mnist.training import Run, option, show


@dataclass(frozen=True)
class Config(show.PictureOptions):
    """Hyper-parameters of the articles."""

    steps: int = option(4_690, "number of training steps; 469 are one epoch of MNIST", minimum=1)
    batch_size: int = option(128, "images per training step", minimum=1, maximum=60_000)
    learning_rate: float = option(1e-3, "step size of gradient descent", above=0)
    variant: str = option(
        "scaled",
        "pixel range and initialization",
        choices=("scaled", "raw-pixels"),
        architecture=True,
    )


class Model(NamedTuple):
    """Tensors to feed and to fetch."""

    x: Any  #: [B, 784] float32 in [0, 1]: images, flattened
    y_: Any  #: [B, 10] float32: true labels, one-hot
    logits: Any  #: [B, 10] float32: the outputs, trained to equal the one-hot label
    loss: Any  #: scalar float32: squared error, mean over the batch and the ten outputs
    accuracy: Any  #: scalar float32 in [0, 1]
    train_step: Any  #: op: updates all variables once


def inference(x: Any, variant: str = "scaled") -> Any:
    """Return the outputs of each image, relu(relu(x w1 + b1) w2 + b2) w3 + b3.

    Each unit is a weighted sum of all values of the layer before, plus a bias. Several such linear
    layers one after another would still be one linear layer; the ReLU between them, max(z, 0),
    makes the network nonlinear. The weights of a layer are [values in, values out]; 256 and 128
    are choices.

    Args:
      x: images, [B, 784] float32 in [0, 1].
      variant: "scaled", or "raw-pixels" for the second article, which trains on values 0..255.

    Returns:
      Outputs, [B, 10] float32. The largest is the predicted label; they are not probabilities.
    """
    raw = variant == "raw-pixels"
    if raw:
        x = tf.round(255.0 * x)  # [B, 784] in 0..255: undoes the scaling to [0, 1]

    with tf.name_scope("layer1"):
        w1 = weight_variable([784, 256], "w1", raw, seed=1)
        b1 = bias_variable([256], "b1", raw, seed=2)
        h1 = tf.nn.relu(tf.matmul(x, w1) + b1)  # [B, 256]

    with tf.name_scope("layer2"):
        w2 = weight_variable([256, 128], "w2", raw, seed=3)
        b2 = bias_variable([128], "b2", raw, seed=4)
        h2 = tf.nn.relu(tf.matmul(h1, w2) + b2)  # [B, 128]

    with tf.name_scope("layer3"):
        w3 = weight_variable([128, 10], "w3", raw, seed=5)
        b3 = bias_variable([10], "b3", raw, seed=6)
        return tf.add(tf.matmul(h2, w3), b3, name="logits")  # [B, 10]


def weight_variable(shape: list[int], name: str, raw: bool, seed: int) -> Any:
    """Create random weights: truncated normal, standard deviation 0.1, or 0.01 for raw pixels."""
    initial = tf.truncated_normal(shape, stddev=0.01 if raw else 0.1, seed=seed)
    return tf.get_variable(name, initializer=initial)


def bias_variable(shape: list[int], name: str, raw: bool, seed: int) -> Any:
    """Create biases of zero; the article with raw pixels draws them, standard deviation 1."""
    initial = tf.truncated_normal(shape, stddev=1.0, seed=seed) if raw else tf.zeros(shape)
    return tf.get_variable(name, initializer=initial)


def loss(y_: Any, logits: Any) -> Any:
    """Return the squared error of the outputs, mean over the batch and the ten outputs."""
    return tf.reduce_mean(tf.square(y_ - logits))


def build(config: Config) -> Model:
    """Add the model, its loss and its training step to the default graph."""
    x = tf.placeholder(tf.float32, [None, 784], name="x")
    y_ = tf.placeholder(tf.float32, [None, 10], name="y_")

    logits = inference(x, config.variant)
    squared_error = loss(y_, logits)

    # A gradient points to where the loss grows fastest, so each step goes the opposite way. It is
    # taken with respect to the variables alone: x and y_ are given, not learned.
    variables = tf.trainable_variables()  # w1, b1, w2, b2, w3, b3
    gradients = tf.gradients(squared_error, variables)
    # `w1 = w1 - learning_rate * gradient` would only name a new tensor; assign_sub changes the
    # variable in place. All gradients come first: that of w1 depends on the value of w2.
    with tf.control_dependencies(gradients):
        updates = [
            variable.assign_sub(config.learning_rate * gradient)
            for variable, gradient in zip(variables, gradients, strict=True)
        ]
    train_step = tf.group(*updates, name="train_step")

    correct_prediction = tf.equal(tf.argmax(logits, 1), tf.argmax(y_, 1))  # [B] bool
    accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32), name="accuracy")
    return Model(x, y_, logits, squared_error, accuracy, train_step)


def train(config: Config, run: Run) -> None:
    """Train on all 60,000 images in the order of the file; print the loss every 100 steps."""
    mnist = run.load_data(validation_size=0)
    if run.options.resume is None:
        show.check_picture(config.picture, config.save_picture, mnist.train)
    steps_per_epoch = math.ceil(len(mnist.train.labels) / config.batch_size)  # the last is smaller
    with tf.Graph().as_default(), run.scope():
        model = build(config)
        with run.session(model, mean_loss=True) as sess:
            batches = data.batches_in_file_order(mnist.train, config.batch_size, run.first_step)
            for step, batch in run.steps(batches):
                feed = {model.x: batch.images, model.y_: batch.labels}
                epoch, step_of_epoch = divmod(step, steps_per_epoch)
                if step_of_epoch % run.log_every == 0:
                    accuracy, loss = sess.run([model.accuracy, model.loss], feed_dict=feed)
                    line = f"epoch:{epoch}, step: {step_of_epoch}, loss:{float(loss)}"
                    run.report(step, accuracy, loss, line)
                sess.run(model.train_step, feed_dict=feed)
            if config.variant == "raw-pixels" or config.picture is not None or config.save_picture:
                image, label = (part[config.picture or 0] for part in mnist.train)
                outputs = sess.run(model.logits, {model.x: data.scale(image[None])})[0]  # [10]
                run.print(*show.prediction_text(image, outputs, label).splitlines())
                if config.save_picture:
                    show.save_picture(config.save_picture, image)
            run.evaluate()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return cli.launch("mlp", Config, train, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
