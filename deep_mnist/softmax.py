"""Softmax regression: classify a digit with one linear layer.

    python -m deep_mnist.softmax                    train: about 91% of the test images
    python -m deep_mnist.softmax --restore          evaluate the pretrained weights
    python -m deep_mnist.softmax --loss textbook    train on the tutorial's loss, clipped

Follows the first half of the tutorial "Deep MNIST for Experts", which repeats "MNIST For ML
Beginners". MNIST has images of handwritten digits, 28x28 = 784 pixels each, and their labels.

A TensorFlow 1 program has two parts. `build` describes the computation as a graph; nothing is
computed yet. `train` opens a session, the connection to TensorFlow's C++ runtime, and runs parts
of the graph in it. Python only says which parts: returning to it after each operation would cost
more than many operations themselves, above all on a GPU.
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

    x: Any  #: [B, 784] float32 in [0, 1]: images, flattened
    y_: Any  #: [B, 10] float32: true labels, one-hot: 3 is 0001000000
    logits: Any  #: [B, 10] float32
    loss: Any  #: scalar float32: cross-entropy, summed over the batch
    accuracy: Any  #: scalar float32 in [0, 1]
    train_step: Any  #: op: updates all variables once


def inference(x: Any) -> Any:
    """Return the logits of each image, x W + b.

    Column j of W weighs each pixel as evidence for or against the digit j; b is evidence that
    does not depend on the image. Parameters of a model are Variables: they keep their values from
    one run of the graph to the next. Zeros are good enough to start from as long as there is a
    single layer (see weight_variable in cnn.py).

    Args:
      x: images, [B, 784] float32 in [0, 1].

    Returns:
      Logits, [B, 10] float32.
    """
    W = tf.Variable(tf.zeros([784, 10]), name="W")  # 784 pixels, 10 classes
    b = tf.Variable(tf.zeros([10]), name="b")
    return tf.add(tf.matmul(x, W), b, name="logits")  # [B, 784] @ [784, 10] + [10] -> [B, 10]


def loss(y_: Any, logits: Any, form: str) -> Any:
    """Return how wrong the model is: the cross-entropy `-sum(y_ * log(softmax(logits)))`.

    softmax(z) = exp(z) / sum(exp(z)) turns the logits of an image into ten probabilities. As the
    labels `y_` are one-hot, each image adds -log of the probability of its true label. The sum is
    over the classes and over the images of the batch; with a larger batch each step is larger.

    The tutorial computes just this formula, which is numerically unstable: a small probability
    underflows to 0, 0 * log(0) is NaN, and after one step every weight is NaN. The "textbook" form
    is clipped, which avoids the NaN; but where it clips, the gradient is 0, and the model learns
    nothing from its worst errors. The "stable" form gets the logarithm from the logits themselves,

        log(softmax(z)) = z - m - log(sum(exp(z - m))),  m = max(z)

    in which no exponential overflows and no logarithm is taken of 0.
    """
    if form == "textbook":
        y = tf.nn.softmax(logits)  # [B, 10], each row sums to 1
        return -tf.reduce_sum(y_ * tf.log(tf.clip_by_value(y, 1e-10, 1.0)))
    return tf.reduce_sum(tf.nn.softmax_cross_entropy_with_logits_v2(labels=y_, logits=logits))


def build(config: Config, optimizer: Any = None) -> Model:
    """Add the model, its loss and its training step to the default graph.

    `optimizer` is a tf.train.Optimizer, gradient descent by default, as in the tutorial.
    """
    # Placeholders get their values each time the graph runs. None is any batch size, B. The
    # shape is optional, but lets TensorFlow find mistakes in it.
    x = tf.placeholder(tf.float32, [None, 784], name="x")
    y_ = tf.placeholder(tf.float32, [None, 10], name="y_")

    logits = inference(x)
    y = tf.nn.softmax(logits, name="y")  # [B, 10]: the probability of each class
    cross_entropy = loss(y_, logits, config.loss)

    # TensorFlow knows the whole graph and can differentiate it. minimize() runs nothing; it adds
    # ops that compute the gradient of the loss with respect to each variable, and subtract
    # learning_rate * gradient from it. Other optimizers are in tf.train as well.
    if optimizer is None:
        optimizer = tf.train.GradientDescentOptimizer(config.learning_rate)
    global_step = tf.train.get_or_create_global_step()
    train_step = optimizer.minimize(cross_entropy, global_step=global_step, name="train_step")

    # Along axis 1, the classes, argmax of y is the predicted label and argmax of y_ the true one.
    # The mean of [True, False, True, True], cast to [1, 0, 1, 1], is the accuracy 0.75.
    correct_prediction = tf.equal(tf.argmax(y, 1), tf.argmax(y_, 1))  # [B] bool
    accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32), name="accuracy")
    return Model(x, y_, logits, cross_entropy, accuracy, train_step)


def train(config: Config, run: Run) -> None:
    """Run train_step on batches of 50 images, and report the accuracy every 100 steps.

    `run` supplies what is around the loop: the data, a session whose variables are initialized,
    shuffled batches, the log, and checkpoints.
    """
    mnist = run.load_data()  # training, validation and test sets, NumPy arrays
    with tf.Graph().as_default(), run.scope():
        model = build(config, run.optimizer(config.learning_rate))
        with run.session(model) as sess:
            for step, batch in run.batches(mnist.train, config.batch_size):
                # A feed replaces tensors by values: placeholders here, but it could be any tensor.
                feed = {model.x: batch.images, model.y_: batch.labels}
                if step % run.log_every == 0:
                    accuracy, loss = sess.run([model.accuracy, model.loss], feed_dict=feed)
                    run.report(step, accuracy, loss)
                sess.run(model.train_step, feed_dict=feed)
            run.evaluate()  # on the test images, which the model was not trained on


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return cli.launch("softmax", Config, train, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
