"""Softmax regression: classify a digit with one linear layer.

    python -m deep_mnist.softmax                    train: about 91% of the test images
    python -m deep_mnist.softmax --restore          evaluate the pretrained weights
    python -m deep_mnist.softmax --loss textbook    train on the loss as the tutorial writes it

Follows the tutorial "MNIST For ML Beginners", also the first half of "Deep MNIST for Experts".
A TensorFlow 1 program has two parts. `build` describes the computation as a graph; nothing is
computed yet. `train` opens a session and runs parts of the graph in it, again and again. Python
only says what to compute: the numbers stay in TensorFlow's C++ runtime between the operations.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from deep_mnist import cli
from deep_mnist.lazy_tensorflow import tf  # tensorflow.compat.v1, imported when first used
from deep_mnist.training import Run, option


@dataclass(frozen=True)
class Config:
    """Hyper-parameters of the tutorial."""

    steps: int = option(1_000, "number of training steps", minimum=1)
    batch_size: int = option(50, "images per training step", minimum=1, maximum=60_000)
    learning_rate: float = option(0.01, "step size of gradient descent", above=0)
    loss: str = option(
        "stable", "form of the cross-entropy", choices=("stable", "textbook"), advanced=True
    )


class Model(NamedTuple):
    """Tensors to feed and to fetch."""

    x: Any  # [B, 784] float32 in [0, 1]: images, one row of pixels each
    y_: Any  # [B, 10] float32: true labels, one-hot
    logits: Any  # [B, 10] float32
    loss: Any  # scalar float32: cross-entropy, summed over the batch
    accuracy: Any  # scalar float32 in [0, 1]
    train_step: Any  # op: updates W and b once


def inference(x: Any) -> Any:
    """Return the logits of each image, x W + b.

    Column j of W weighs each pixel as evidence for or against the digit j; b is evidence that
    does not depend on the image. Variables keep their values from one run of the graph to the
    next. Both start at zero, which would not do with more than one layer (see cnn.py).

    Args:
      x: images, [B, 784] float32 in [0, 1].

    Returns:
      Logits, [B, 10] float32.
    """
    W = tf.Variable(tf.zeros([784, 10]), name="W")  # 784 pixels, 10 classes
    b = tf.Variable(tf.zeros([10]), name="b")
    return tf.add(tf.matmul(x, W), b, name="logits")  # [B, 784] @ [784, 10] + [10] -> [B, 10]


def loss(y_: Any, logits: Any, form: str) -> Any:
    """Return the cross-entropy -sum(y_ * log(softmax(logits))), a scalar.

    The sum is over the classes and over the images of the batch. As the labels y_ are one-hot,
    each image adds -log of the probability that the model gives to its true label.

    The "textbook" form computes just that, and is numerically unstable: a small probability
    underflows to 0, 0 * log(0) is NaN, and after one step every weight is NaN. Clipping avoids
    the NaN, but where it clips the gradient is 0 and nothing is learned. The "stable" form gets
    log(softmax(z)) from the logits z as z - max(z) - log(sum(exp(z - max(z)))): no exponential
    overflows, and no logarithm is taken of 0.
    """
    if form == "textbook":
        y = tf.nn.softmax(logits)  # [B, 10], each row sums to 1
        return -tf.reduce_sum(y_ * tf.log(tf.clip_by_value(y, 1e-10, 1.0)))
    return tf.reduce_sum(tf.nn.softmax_cross_entropy_with_logits_v2(labels=y_, logits=logits))


def build(config: Config, optimizer: Any = None) -> Model:
    """Add the model, its loss and its training step to the default graph.

    `optimizer` is a tf.train.Optimizer, gradient descent by default, as in the tutorial.
    """
    # Placeholders get their values each time the graph runs. None is any batch size, B.
    x = tf.placeholder(tf.float32, [None, 784], name="x")
    y_ = tf.placeholder(tf.float32, [None, 10], name="y_")

    logits = inference(x)
    y = tf.nn.softmax(logits, name="y")  # [B, 10]: the probability of each class
    cross_entropy = loss(y_, logits, config.loss)

    # TensorFlow knows the whole graph and can differentiate it. minimize() adds ops that compute
    # the gradient of each variable and subtract learning_rate * gradient from it.
    if optimizer is None:
        optimizer = tf.train.GradientDescentOptimizer(config.learning_rate)
    global_step = tf.train.get_or_create_global_step()
    train_step = optimizer.minimize(cross_entropy, global_step=global_step, name="train_step")

    # argmax is the digit with the largest probability. The mean of [True, False, True, True],
    # cast to [1, 0, 1, 1], is the accuracy 0.75.
    correct_prediction = tf.equal(tf.argmax(y, 1), tf.argmax(y_, 1))  # [B] bool
    accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32), name="accuracy")
    return Model(x, y_, logits, cross_entropy, accuracy, train_step)


def train(config: Config, run: Run) -> None:
    """Run train_step on batches of 50 images; report the accuracy of every hundredth batch."""
    mnist = run.load_data()
    with tf.Graph().as_default(), run.scope():
        model = build(config, run.optimizer(config.learning_rate))
        with run.session(model) as sess:
            for step, batch in run.batches(mnist.train, config.batch_size):
                feed = {model.x: batch.images, model.y_: batch.labels}
                if step % run.log_every == 0:
                    accuracy, loss = sess.run([model.accuracy, model.loss], feed_dict=feed)
                    run.report(step, accuracy, loss)
                sess.run(model.train_step, feed_dict=feed)
            run.evaluate()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return cli.launch("softmax", Config, train, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
