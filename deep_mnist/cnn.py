"""Deep MNIST: a convolutional network with dropout.

    python -m deep_mnist.cnn                  train: about 99.2% of the test images, 5 to 20 minutes
    python -m deep_mnist.cnn --recipe fast    the same network, trained in under a minute
    python -m deep_mnist.cnn --restore        evaluate the pretrained weights

Follows the second half of the tutorial "Deep MNIST for Experts". 91%, what softmax regression
reaches, is bad for MNIST. This network is deep: it stacks two convolutional layers with max
pooling, a fully connected layer and a readout layer. Each of them is weights, a bias and a
function. Read softmax.py first: what is explained there is not repeated here.
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

    steps: int = option(20_000, "number of training steps", minimum=1)
    batch_size: int = option(50, "images per training step", minimum=1, maximum=60_000)
    learning_rate: float = option(1e-4, "step size of Adam", above=0)
    keep_prob: float = option(
        0.5, "dropout: probability of keeping a unit in training", above=0, maximum=1
    )
    loss: str = option(
        "stable", "form of the cross-entropy", choices=("stable", "textbook"), advanced=True
    )


class Model(NamedTuple):
    """Tensors to feed and to fetch."""

    x: Any  #: [B, 784] float32 in [0, 1]: images, flattened
    y_: Any  #: [B, 10] float32: true labels, one-hot
    keep_prob: Any  #: scalar float32 in (0, 1], 1.0 unless it is fed
    logits: Any  #: [B, 10] float32
    loss: Any  #: scalar float32: cross-entropy, summed over the batch
    accuracy: Any  #: scalar float32 in [0, 1]
    train_step: Any  #: op: updates all variables once


def inference(x: Any, keep_prob: Any = None) -> Any:
    """Return the logits of each image.

    Each pooling halves height and width: two 2x2 poolings turn 28x28 into 14x14 and then 7x7.
    Each convolution computes more features for every position, 32 and then 64, with the same
    weights at all positions. The fully connected layer looks at all positions at once.

    Args:
      x: images, [B, 784] float32 in [0, 1].
      keep_prob: scalar float32 in (0, 1]; None leaves dropout out of the graph.

    Returns:
      Logits, [B, 10] float32.
    """
    # Rows of pixels become images again: [batch, height, width, channels]; gray is one channel.
    x_image = tf.reshape(x, [-1, 28, 28, 1], name="x_image")  # [B, 28, 28, 1]

    # 32 features of each 5x5 patch. The shape of the weights is [patch height, patch width,
    # channels in, channels out]; there is one bias for each channel out.
    with tf.name_scope("conv1"):
        W_conv1 = weight_variable([5, 5, 1, 32], "W_conv1", seed=1)
        b_conv1 = bias_variable([32], "b_conv1")
        h_conv1 = tf.nn.relu(conv2d(x_image, W_conv1) + b_conv1, name="h_conv1")  # [B, 28, 28, 32]
        h_pool1 = max_pool_2x2(h_conv1)  # [B, 14, 14, 32]

    # 64 features of each 5x5 patch of the first layer's features: 32 channels in, 64 out.
    with tf.name_scope("conv2"):
        W_conv2 = weight_variable([5, 5, 32, 64], "W_conv2", seed=2)
        b_conv2 = bias_variable([64], "b_conv2")
        h_conv2 = tf.nn.relu(conv2d(h_pool1, W_conv2) + b_conv2, name="h_conv2")  # [B, 14, 14, 64]
        h_pool2 = max_pool_2x2(h_conv2)  # [B, 7, 7, 64]

    # A fully connected layer of 1,024 units takes a vector: 7 * 7 positions * 64 features = 3,136.
    with tf.name_scope("fc1"):
        W_fc1 = weight_variable([7 * 7 * 64, 1024], "W_fc1", seed=3)
        b_fc1 = bias_variable([1024], "b_fc1")
        h_pool2_flat = tf.reshape(h_pool2, [-1, 7 * 7 * 64])  # [B, 3136]
        h_fc1 = tf.nn.relu(tf.matmul(h_pool2_flat, W_fc1) + b_fc1)  # [B, 1024]

    if keep_prob is not None:
        h_fc1 = dropout(h_fc1, keep_prob)  # [B, 1024]

    # The readout layer is softmax regression on 1,024 learned features instead of 784 pixels.
    with tf.name_scope("fc2"):
        W_fc2 = weight_variable([1024, 10], "W_fc2", seed=4)
        b_fc2 = bias_variable([10], "b_fc2")
        return tf.add(tf.matmul(h_fc1, W_fc2), b_fc2, name="logits")  # [B, 10]


def weight_variable(shape: list[int], name: str, seed: int) -> Any:
    """Create weights with small random values, normal with standard deviation 0.1.

    If all weights were equal, all units of a layer would get equal gradients and stay equal; the
    noise breaks that symmetry. If they were zero, no gradient would pass to the layer below.
    Values beyond 0.2 are drawn again. With `seed` they are the same whatever else is in the graph.
    """
    # tf.get_variable is tf.Variable without the name scope in the name: "W_conv1".
    return tf.get_variable(name, initializer=tf.truncated_normal(shape, stddev=0.1, seed=seed))


def bias_variable(shape: list[int], name: str) -> Any:
    """Create biases of 0.1.

    A ReLU unit whose weighted sum is negative for every image outputs 0 and has gradient 0, so it
    does not learn: it is dead. A slightly positive bias makes that less likely at the start.
    """
    return tf.get_variable(name, initializer=tf.constant(0.1, shape=shape))


def conv2d(x: Any, W: Any) -> Any:
    """Convolve: [B, H, W, in] -> [B, H, W, out].

    With stride 1 the patch moves one pixel at a time. "SAME" pads the image with zeros, so that
    the output has as many positions as the input.
    """
    return tf.nn.conv2d(x, W, strides=[1, 1, 1, 1], padding="SAME")


def max_pool_2x2(x: Any) -> Any:
    """Keep the largest value of each 2x2 block: [B, H, W, C] -> [B, H/2, W/2, C]."""
    return tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")


def dropout(h: Any, keep_prob: Any) -> Any:
    """Set each value to 0 with probability 1 - keep_prob, and divide the others by keep_prob.

    Each image is thus trained with another part of the units, so that none of them can rely on a
    few others: this reduces overfitting. Because of the division the expected value of a unit is
    unchanged, so evaluation keeps all units, keep_prob = 1, without any scaling.
    """
    # tf.nn.dropout, with a mask that is a function of the seed and the step: a resumed run draws
    # the masks that it would have drawn.
    with tf.name_scope("dropout"):
        seed = tf.constant(tf.get_default_graph().seed or 0, tf.int64)
        mask_seed = tf.stack([seed, tf.train.get_or_create_global_step()])
        return tf.nn.experimental.stateless_dropout(h, rate=1 - keep_prob, seed=mask_seed)


def loss(y_: Any, logits: Any, form: str) -> Any:
    """Return the cross-entropy, summed over the batch; softmax.py explains the two forms."""
    if form == "textbook":
        y_conv = tf.nn.softmax(logits)  # [B, 10]
        return -tf.reduce_sum(y_ * tf.log(tf.clip_by_value(y_conv, 1e-10, 1.0)))
    return tf.reduce_sum(tf.nn.softmax_cross_entropy_with_logits_v2(labels=y_, logits=logits))


def build(config: Config, optimizer: Any = None) -> Model:
    """Add the model, its loss and its training step to the default graph.

    `optimizer` is a tf.train.Optimizer, Adam by default, as in the tutorial.
    """
    x = tf.placeholder(tf.float32, [None, 784], name="x")
    y_ = tf.placeholder(tf.float32, [None, 10], name="y_")
    keep_prob = tf.placeholder_with_default(1.0, [], name="keep_prob")

    logits = inference(x, keep_prob)
    y_conv = tf.nn.softmax(logits, name="y_conv")  # [B, 10]
    cross_entropy = loss(y_, logits, config.loss)

    # Adam follows a running mean of the gradients and divides it, for each weight, by the root of
    # a running mean of their squares, so that its steps are about learning_rate in size.
    if optimizer is None:
        optimizer = tf.train.AdamOptimizer(config.learning_rate)
    global_step = tf.train.get_or_create_global_step()
    train_step = optimizer.minimize(cross_entropy, global_step=global_step, name="train_step")

    correct_prediction = tf.equal(tf.argmax(y_conv, 1), tf.argmax(y_, 1))  # [B] bool
    accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32), name="accuracy")
    return Model(x, y_, keep_prob, logits, cross_entropy, accuracy, train_step)


def train(config: Config, run: Run) -> None:
    """Train with dropout; every 100 steps, report the accuracy on the batch without dropout."""
    mnist = run.load_data()
    with tf.Graph().as_default(), run.scope():
        model = build(config, run.optimizer(config.learning_rate))
        with run.session(model) as sess:
            for step, batch in run.batches(mnist.train, config.batch_size):
                feed = {model.x: batch.images, model.y_: batch.labels}
                if step % run.log_every == 0:
                    accuracy, loss = sess.run([model.accuracy, model.loss], feed_dict=feed)
                    run.report(step, accuracy, loss)
                sess.run(model.train_step, feed_dict={**feed, model.keep_prob: config.keep_prob})
            run.evaluate()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return cli.launch("cnn", Config, train, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
