"""A network from raw tensors: 784-256-128-10, its gradients applied by hand.

    python -m deep_mnist.mlp                         train on MNIST, 10 epochs
    python -m deep_mnist.mlp --restore               evaluate the weights that ship
    python -m deep_mnist.mlp --variant raw-pixels    on grey values 0..255; then reads a picture

After the documents on forward propagation with tensors: out = relu(relu(x w1 + b1) w2 + b2) w3
+ b3, the mean squared error against the one-hot label, and gradient descent one level below the
optimizers: tf.gradients and assign_sub. All 60,000 training images in file order, in batches of
128, an epoch's last of 96. After 10 epochs the loss still falls (measured: benchmarks/results).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from deep_mnist import data, training
from deep_mnist.cli.flags import Options
from deep_mnist.cli.launch import launch
from deep_mnist.errors import DeepMnistError
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import option


@dataclass(frozen=True)
class Config:
    steps: int = option(4_690, "parameter updates; an epoch of MNIST has 469", at_least=1)
    batch_size: int = option(128, "images per step", at_least=1, at_most=60_000)
    learning_rate: float = option(1e-3, "step size, on the mean squared error", above=0)
    variant: str = option(
        "scaled", "inputs and initial values", choices=("scaled", "raw-pixels"), architecture=True
    )
    seed: int = option(0, "of the weights", at_least=0, at_most=2**31 - 1)
    dataset: str = option("auto", "auto: MNIST or generated", choices=data.NAMES, evaluation=True)
    picture: int | None = option(
        None,
        "training picture that is read at the end (raw-pixels, --save-picture: 0)",
        at_least=0,
        at_most=59_999,
        evaluation=True,
    )
    save_picture: str | None = option(None, "new PNG file for that picture", evaluation=True)
    log_every: int = option(100, "steps of an epoch between reports", at_least=1)
    save_every: int = option(469, "steps between checkpoints", at_least=1)
    keep: int = option(5, "checkpoints of the run that are kept", at_least=1)
    intra_op_threads: int = training.threads_option("threads in an op")
    inter_op_threads: int = training.threads_option("ops at a time")


class Model(NamedTuple):
    """The graph's handles."""

    x: Any  # [B, 784] float32 in [0, 1]
    y_: Any  # [B, 10] float32, one-hot
    logits: Any  # [B, 10] float32, called out in the documents; near the one-hot label
    loss: Any  # scalar float32: squared error, mean over the batch and the ten outputs
    correct: Any  # scalar int32: how many of the batch are read right
    accuracy: Any  # scalar float32 in [0, 1]
    train_step: Any  # the op that updates every variable once


def build(config: Config) -> Model:
    """Adds the model to the default graph; creates no session."""
    tf.set_random_seed(config.seed)
    raw = config.variant == "raw-pixels"

    # Inputs -------------------------------------------------------------------
    x = tf.placeholder(tf.float32, [None, 784], name="x")  # [B, 784]
    y_ = tf.placeholder(tf.float32, [None, 10], name="y_")  # [B, 10]
    pixels = tf.round(255.0 * x) if raw else x  # [B, 784], the grey values again if raw

    # Model --------------------------------------------------------------------
    # [B, 784] @ [784, 256] is [B, 256]; b1 [256] is added to each of its B rows.
    with tf.name_scope("layer1"):
        w1 = weight_variable([784, 256], "w1", raw, seed=1)
        b1 = bias_variable([256], "b1", raw, seed=2)
        h1 = tf.nn.relu(tf.matmul(pixels, w1) + b1)  # [B, 256]

    with tf.name_scope("layer2"):
        w2 = weight_variable([256, 128], "w2", raw, seed=3)
        b2 = bias_variable([128], "b2", raw, seed=4)
        h2 = tf.nn.relu(tf.matmul(h1, w2) + b2)  # [B, 128]

    with tf.name_scope("layer3"):
        w3 = weight_variable([128, 10], "w3", raw, seed=5)
        b3 = bias_variable([10], "b3", raw, seed=6)
        logits = tf.add(tf.matmul(h2, w3), b3, name="logits")  # [B, 10]

    # Loss ---------------------------------------------------------------------
    with tf.name_scope("squared_error"):
        loss = tf.reduce_mean(tf.square(y_ - logits), name="loss")

    # Training -----------------------------------------------------------------
    # Gradients are taken with respect to variables alone: x and y_ are given, not learnt.
    variables = [w1, b1, w2, b2, w3, b3]
    gradients = tf.gradients(loss, variables)
    # `w1 = w1 - rate * gradient` would make a tensor of that name and leave the variable as it
    # is; assign_sub updates in place. And not before every gradient is known: that of w1 needs w2.
    with tf.name_scope("updates"), tf.control_dependencies(gradients):
        updates = [
            variable.assign_sub(config.learning_rate * gradient)
            for variable, gradient in zip(variables, gradients, strict=True)
        ]
    train_step = tf.group(*updates, name="train_step")

    # Evaluation ---------------------------------------------------------------
    with tf.name_scope("evaluation"):
        correct_prediction = tf.equal(tf.argmax(logits, 1), tf.argmax(y_, 1))  # [B]
        correct = tf.reduce_sum(tf.cast(correct_prediction, tf.int32), name="correct")
        accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32), name="accuracy")
    return Model(x, y_, logits, loss, correct, accuracy, train_step)


def weight_variable(shape: list[int], name: str, raw: bool, seed: int) -> Any:
    """Truncated normal: sigma 0.1, or 0.01 where the inputs are up to 255."""
    initial = tf.truncated_normal(shape, stddev=0.01 if raw else 0.1, seed=seed)
    return tf.get_variable(name, initializer=initial)  # its name, unlike tf.Variable's, unscoped


def bias_variable(shape: list[int], name: str, raw: bool, seed: int) -> Any:
    """Zeros; for raw pixels the document draws a truncated normal, sigma 1."""
    initial = tf.truncated_normal(shape, stddev=1.0, seed=seed) if raw else tf.zeros(shape)
    return tf.get_variable(name, initializer=initial)


def train(config: Config, options: Options) -> None:
    """Trains as the documents do, and prints the loss of every hundredth batch of an epoch."""
    digits = data.load(config.dataset, options.data_dir, hold_out_validation=False)
    if options.resume is None:
        check_picture(config, digits)
    steps_per_epoch = -(-len(digits.train.labels) // config.batch_size)
    with tf.Graph().as_default():
        model = build(config)
        with (
            training.Session(model, config, mean_loss=True) as sess,
            training.Run("mlp", sess, digits, config, options) as run,
        ):
            batches = data.batches_in_file_order(digits.train, config.batch_size, run.first_step)
            for step, batch in run.steps(batches):
                feed = {model.x: batch.images, model.y_: batch.labels}
                epoch, step_of_epoch = divmod(step, steps_per_epoch)
                if step_of_epoch % config.log_every == 0:
                    accuracy, loss = sess.run([model.accuracy, model.loss], feed_dict=feed)
                    line = f"epoch:{epoch}, step: {step_of_epoch}, loss:{float(loss)}"
                    run.report(step, accuracy, loss, line)
                sess.run(model.train_step, feed_dict=feed)
            asked = config.picture is not None or config.save_picture is not None
            if (asked or config.variant == "raw-pixels") and not options.quiet:
                print(read_picture(sess, model, config, digits.train))
            if config.save_picture is not None:
                save_picture(config, digits.train)
            run.finish()


def check_picture(config: Config, digits: data.Dataset) -> None:
    """Raises DeepMnistError, before anything is trained, where the picture can't be had or saved."""
    if config.picture is not None and config.picture >= len(digits.train.labels):
        raise DeepMnistError(
            f"--picture: expected a number under {len(digits.train.labels)}, the training "
            f"pictures of {digits.name}, found {config.picture}"
        )
    if config.save_picture is not None:
        file = Path(config.save_picture)
        if file.exists():
            raise DeepMnistError(f"--save-picture {file} exists: name a new file")
        if not file.parent.is_dir():
            raise DeepMnistError(f"--save-picture {file}: there is no folder {file.parent}")


def read_picture(sess: training.Session, model: Model, config: Config, split: data.Split) -> str:
    """A picture in characters, the network's ten outputs for it, and what it reads."""
    index = config.picture or 0
    image = split.images[index]  # [784] uint8
    outputs = sess.run(model.logits, {model.x: data.scale(image[None])})[0]  # [10]
    row = " ".join(f"{digit}:{output:.3f}" for digit, output in enumerate(outputs))
    reading = f"picture {index} is read as {outputs.argmax()}; its label is {split.labels[index]}"
    return f"{data.characters(image)}\noutputs: {row}\n{reading}"


def save_picture(config: Config, split: data.Split) -> None:
    """Writes the picture as a PNG; where that fails says so, because the training is not lost."""
    image = split.images[config.picture or 0].reshape(28, 28, 1)
    with tf.Graph().as_default(), tf.Session() as encoder:
        png = encoder.run(tf.io.encode_png(image))
    try:
        with Path(str(config.save_picture)).open("xb") as file:
            file.write(png)
    except OSError as error:
        print(f"mlp: --save-picture {config.save_picture}: {error.strerror}", file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return launch("mlp", Config, train, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
