"""The Deep MNIST network: two convolutions, a wide layer, dropout, a softmax.

    python -m deep_mnist.cnn                         train on MNIST, 20,000 steps
    python -m deep_mnist.cnn --restore               evaluate the weights that ship
    python -m deep_mnist.cnn --resume                go on with an interrupted run

After the tutorial "Deep MNIST for Experts": [5x5 convolution, ReLU, 2x2 max-pooling] of 32 and
then 64 features, 1,024 ReLU units, dropout, 10 classes; Adam at 1e-4 on the cross-entropy summed
over 50 images. Reads about 99.2 % of the test set (measured: benchmarks/results). Differs from
the tutorial in the loss, taken from the logits in its stable form (`--loss textbook` is the
original's); in the dropout mask, a function of (seed, global_step), so that a resumed run sees
the masks it would have seen; and in the kernels of the gradients (training.faster_backward).
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
from deep_mnist.training.fast_gradients import faster_backward


@dataclass(frozen=True)
class Config:
    recipe: str = option("tutorial", "settings by name", choices=training.RECIPES["cnn"])
    steps: int = option(20_000, "parameter updates", at_least=1)
    batch_size: int = option(50, "images per step", at_least=1, at_most=60_000)
    learning_rate: float = option(1e-4, "step size, on the loss summed over the batch", above=0)
    schedule: str = option("constant", "rate over the steps", choices=("constant", "one-cycle"))
    keep_prob: float = option(0.5, "chance of a unit to pass dropout", above=0, at_most=1)
    optimizer: str = option("adam", "rule", choices=("gradient-descent", "adam"))
    beta2: float = option(0.999, "decay of Adam's mean of squares", above=0, at_most=0.9999)
    average_decay: float = option(0.0, "of averaged weights; 0: none", at_least=0, at_most=0.9999)
    loss: str = option("stable", "form of the cross-entropy", choices=("stable", "textbook"))
    seed: int = option(
        0, "of the weights, the masks and the order of the images", at_least=0, at_most=2**31 - 1
    )
    augmentation: str = option(
        "none", "of the training images", choices=("none", *data.AUGMENTATIONS)
    )
    plain_steps: int = option(0, "the last, on images as they are", at_least=0, below="steps")
    dataset: str = option("auto", "auto: MNIST or generated", choices=data.NAMES, evaluation=True)
    precision: str = option("float32", "of products", choices=training.PRECISIONS, evaluation=True)
    log_every: int = option(100, "steps between reports", at_least=1)
    save_every: int = option(2_000, "steps between checkpoints", at_least=1)
    keep: int = option(5, "checkpoints of the run that are kept", at_least=1)
    intra_op_threads: int = training.threads_option("threads in an op")
    inter_op_threads: int = training.threads_option("ops at a time")


class Model(NamedTuple):
    """The graph's handles."""

    x: Any  # [B, 784] float32 in [0, 1]
    y_: Any  # [B, 10] float32, one-hot
    keep_prob: Any  # scalar float32 in (0, 1], 1.0 unless fed
    feature_maps: Any  # of the two convolutions: [B, 28, 28, 32] and [B, 14, 14, 64] float32 from 0
    logits: Any  # [B, 10] float32
    loss: Any  # scalar float32: cross-entropy, summed over the batch
    correct: Any  # scalar int32: how many of the batch are read right
    accuracy: Any  # scalar float32 in [0, 1]
    train_step: Any  # the op that updates every variable once


def build(config: Config) -> Model:
    """Adds the model to the default graph; creates no session."""
    tf.set_random_seed(config.seed)

    # Inputs -------------------------------------------------------------------
    x = tf.placeholder(tf.float32, [None, 784], name="x")  # [B, 784]
    y_ = tf.placeholder(tf.float32, [None, 10], name="y_")  # [B, 10]
    keep_prob = tf.placeholder_with_default(1.0, [], name="keep_prob")
    global_step = tf.train.get_or_create_global_step()

    # Model --------------------------------------------------------------------
    x_image = tf.reshape(x, [-1, 28, 28, 1], name="x_image")  # [B, 28, 28, 1]

    with tf.name_scope("conv1"):
        W_conv1 = weight_variable([5, 5, 1, 32], "W_conv1", seed=1)
        b_conv1 = bias_variable([32], "b_conv1")
        h_conv1 = tf.nn.relu(conv2d(x_image, W_conv1) + b_conv1)  # [B, 28, 28, 32]
        h_pool1 = max_pool_2x2(h_conv1)  # [B, 14, 14, 32]

    with tf.name_scope("conv2"):
        W_conv2 = weight_variable([5, 5, 32, 64], "W_conv2", seed=2)
        b_conv2 = bias_variable([64], "b_conv2")
        h_conv2 = tf.nn.relu(conv2d(h_pool1, W_conv2) + b_conv2)  # [B, 14, 14, 64]
        h_pool2 = max_pool_2x2(h_conv2)  # [B, 7, 7, 64]

    with tf.name_scope("fc1"), faster_backward():
        W_fc1 = weight_variable([7 * 7 * 64, 1024], "W_fc1", seed=3)
        b_fc1 = bias_variable([1024], "b_fc1")
        h_pool2_flat = tf.reshape(h_pool2, [-1, 7 * 7 * 64])  # [B, 3136]
        h_fc1 = tf.nn.relu(tf.matmul(h_pool2_flat, W_fc1) + b_fc1)  # [B, 1024]

    with tf.name_scope("dropout"):
        # A counted generator would start over when a run is resumed; this one knows the step.
        mask_seed = tf.stack([tf.constant(config.seed, tf.int64), global_step])
        h_fc1_drop = tf.nn.experimental.stateless_dropout(h_fc1, rate=1 - keep_prob, seed=mask_seed)

    with tf.name_scope("fc2"):
        W_fc2 = weight_variable([1024, 10], "W_fc2", seed=4)
        b_fc2 = bias_variable([10], "b_fc2")
        logits = tf.add(tf.matmul(h_fc1_drop, W_fc2), b_fc2, name="logits")  # [B, 10]
    y_conv = tf.nn.softmax(logits, name="y_conv")  # [B, 10], rows sum to 1

    # Loss ---------------------------------------------------------------------
    with tf.name_scope("cross_entropy"):
        if config.loss == "textbook":
            # Clipped, because 0 * log(0) is NaN, and one NaN is in every weight a step later.
            loss = -tf.reduce_sum(y_ * tf.log(tf.clip_by_value(y_conv, 1e-10, 1.0)), name="loss")
        else:
            cross_entropy = tf.nn.softmax_cross_entropy_with_logits_v2(labels=y_, logits=logits)
            loss = tf.reduce_sum(cross_entropy, name="loss")

    # Training -----------------------------------------------------------------
    learning_rate = training.learning_rate(config, global_step)
    if config.optimizer == "adam":
        optimizer = tf.train.AdamOptimizer(learning_rate, beta2=config.beta2)
    else:
        optimizer = tf.train.GradientDescentOptimizer(learning_rate)
    optimizer = training.replicated(optimizer)
    train_step = optimizer.minimize(loss, global_step=global_step, name="train_step")
    if config.average_decay:
        average = tf.train.ExponentialMovingAverage(config.average_decay, global_step)
        with tf.name_scope("averages"), tf.control_dependencies([train_step]):
            train_step = average.apply(tf.trainable_variables())

    # Evaluation ---------------------------------------------------------------
    with tf.name_scope("evaluation"):
        correct_prediction = tf.equal(tf.argmax(y_conv, 1), tf.argmax(y_, 1))  # [B]
        correct = tf.reduce_sum(tf.cast(correct_prediction, tf.int32), name="correct")
        accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32), name="accuracy")
    return Model(x, y_, keep_prob, (h_conv1, h_conv2), logits, loss, correct, accuracy, train_step)


def weight_variable(shape: list[int], name: str, seed: int) -> Any:
    """Small random weights break the symmetry between units: truncated normal, sigma 0.1.

    The seed is given, not counted, so that another op in the graph does not change the weights.
    tf.get_variable, unlike tf.Variable, leaves the name scope out of the variable's name.
    """
    initial = tf.truncated_normal(shape, stddev=0.1, seed=seed)
    return tf.get_variable(name, initializer=initial)


def bias_variable(shape: list[int], name: str) -> Any:
    """Slightly positive biases keep ReLU units from starting dead: constant 0.1."""
    initial = tf.constant(0.1, shape=shape)
    return tf.get_variable(name, initializer=initial)


def conv2d(x: Any, W: Any) -> Any:
    """Convolution with stride 1 and zero padding: [B, H, W, C] -> [B, H, W, features]."""
    with faster_backward():
        return tf.nn.conv2d(x, W, strides=[1, 1, 1, 1], padding="SAME")


def max_pool_2x2(x: Any) -> Any:
    """The largest of each 2x2 block: [B, H, W, C] -> [B, H/2, W/2, C]."""
    with faster_backward():
        return tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")


def train(config: Config, options: Options) -> None:
    """Trains as the tutorial does: a batch, a report every 100 steps, an update."""
    digits = data.load(config.dataset, options.data_dir)
    with training.graph(options):
        model = build(config)
        with (
            training.open_session(model, config) as sess,
            training.open_run("cnn", sess, digits, config, options) as run,
        ):
            batches = data.batches(run.train, config.batch_size, config.seed, run.first_step)
            if config.augmentation != "none":
                how = data.AUGMENTATIONS[config.augmentation]
                until = config.steps - config.plain_steps
                batches = data.augmented(batches, how, config.seed, run.first_step, until)
                batches = data.prefetch(batches)
            for step, batch in run.steps(batches):
                feed = {model.x: batch.images, model.y_: batch.labels}
                if step % config.log_every == 0:
                    accuracy, loss = sess.run([model.accuracy, model.loss], feed_dict=feed)
                    run.report(step, accuracy, loss)
                sess.run(model.train_step, feed_dict={**feed, model.keep_prob: config.keep_prob})
            if config.average_decay:
                sess.use_averages()
            run.finish()


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return launch("cnn", Config, train, __doc__, argv, distributed=True)


if __name__ == "__main__":
    sys.exit(main())
