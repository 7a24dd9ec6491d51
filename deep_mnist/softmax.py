"""Softmax regression, y = softmax(x W + b): the smallest complete program.

    python -m deep_mnist.softmax                     train on MNIST, 1,000 steps
    python -m deep_mnist.softmax --restore           evaluate the weights that ship
    python -m deep_mnist.softmax --resume            go on with an interrupted run

After the tutorial "MNIST For ML Beginners", whose text opens "Deep MNIST for Experts" as well:
one linear layer, gradient descent on the cross-entropy summed over 50 images. Reads about 91 %
of the test set (measured: benchmarks/results). Differs from the tutorial in the loss, which is
taken from the logits in its numerically stable form; `--loss textbook` is the original's.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from deep_mnist import data, training
from deep_mnist.cli.flags import Options
from deep_mnist.cli.launch import launch
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import option


@dataclass(frozen=True)
class Config:
    recipe: str = option("tutorial", "settings by name", choices=training.RECIPES["softmax"])
    steps: int = option(1_000, "parameter updates", at_least=1)
    batch_size: int = option(50, "images per step", at_least=1, at_most=60_000)
    learning_rate: float = option(0.01, "step size, on the loss summed over the batch", above=0)
    schedule: str = option("constant", "rate over the steps", choices=("constant", "one-cycle"))
    optimizer: str = option("gradient-descent", "rule", choices=("gradient-descent", "adam"))
    loss: str = option("stable", "form of the cross-entropy", choices=("stable", "textbook"))
    seed: int = option(0, "of the order of the images", at_least=0, at_most=2**31 - 1)
    dataset: str = option("auto", "auto: MNIST or generated", choices=data.NAMES, evaluation=True)
    log_every: int = option(100, "steps between reports", at_least=1)
    save_every: int = option(500, "steps between checkpoints", at_least=1)
    keep: int = option(5, "checkpoints of the run that are kept", at_least=1)
    intra_op_threads: int = training.threads_option("threads in an op")
    inter_op_threads: int = training.threads_option("ops at a time")


class Model(NamedTuple):
    """The graph's handles."""

    x: Any  # [B, 784] float32 in [0, 1]
    y_: Any  # [B, 10] float32, one-hot
    logits: Any  # [B, 10] float32
    loss: Any  # scalar float32: cross-entropy, summed over the batch
    correct: Any  # scalar int32: how many of the batch are read right
    accuracy: Any  # scalar float32 in [0, 1]
    train_step: Any  # the op that updates W and b once


def build(config: Config) -> Model:
    """Adds the model to the default graph; creates no session."""
    # Inputs -------------------------------------------------------------------
    x = tf.placeholder(tf.float32, [None, 784], name="x")  # [B, 784]
    y_ = tf.placeholder(tf.float32, [None, 10], name="y_")  # [B, 10]

    # Model --------------------------------------------------------------------
    W = tf.Variable(tf.zeros([784, 10]), name="W")
    b = tf.Variable(tf.zeros([10]), name="b")
    logits = tf.add(tf.matmul(x, W), b, name="logits")  # [B, 10]
    y = tf.nn.softmax(logits, name="y")  # [B, 10], rows sum to 1

    # Loss ---------------------------------------------------------------------
    with tf.name_scope("cross_entropy"):
        if config.loss == "textbook":
            # Clipped, because 0 * log(0) is NaN, and one NaN is in every weight a step later.
            loss = -tf.reduce_sum(y_ * tf.log(tf.clip_by_value(y, 1e-10, 1.0)), name="loss")
        else:
            cross_entropy = tf.nn.softmax_cross_entropy_with_logits_v2(labels=y_, logits=logits)
            loss = tf.reduce_sum(cross_entropy, name="loss")

    # Training -----------------------------------------------------------------
    optimizers = {
        "gradient-descent": tf.train.GradientDescentOptimizer,
        "adam": tf.train.AdamOptimizer,
    }
    global_step = tf.train.get_or_create_global_step()
    optimizer = optimizers[config.optimizer](training.learning_rate(config, global_step))
    optimizer = training.replicated(optimizer)
    train_step = optimizer.minimize(loss, global_step=global_step, name="train_step")

    # Evaluation ---------------------------------------------------------------
    with tf.name_scope("evaluation"):
        correct_prediction = tf.equal(tf.argmax(y, 1), tf.argmax(y_, 1))  # [B]
        correct = tf.reduce_sum(tf.cast(correct_prediction, tf.int32), name="correct")
        accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32), name="accuracy")
    return Model(x, y_, logits, loss, correct, accuracy, train_step)


def train(config: Config, options: Options) -> None:
    """Trains as the tutorial does: a batch, a report every 100 steps, an update."""
    digits = data.load(config.dataset, options.data_dir)
    with training.graph(options):
        model = build(config)
        with (
            training.open_session(model, config) as sess,
            training.open_run("softmax", sess, digits, config, options) as run,
        ):
            for step, batch in run.steps():
                feed = {model.x: batch.images, model.y_: batch.labels}
                if step % config.log_every == 0:
                    accuracy, loss = sess.run([model.accuracy, model.loss], feed_dict=feed)
                    run.report(step, accuracy, loss)
                sess.run(model.train_step, feed_dict=feed)
            run.finish()


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return launch("softmax", Config, train, __doc__, argv, distributed=True)


if __name__ == "__main__":
    sys.exit(main())
