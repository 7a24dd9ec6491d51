"""A network in NumPy alone, differentiated by hand: 784 pixels, 100 hidden units, a softmax.

    python -m deep_mnist.fnn                         train on MNIST, 50 epochs
    python -m deep_mnist.fnn --restore               evaluate the weights that ship
    python -m deep_mnist.fnn --gradient-check        our gradients beside TensorFlow's

After the document on NumPy autodifferentiation (nndl exercise 4, "FNN"): softmax(relu(x W1) W2)
with the bias as a column of ones in x, standard normal weights, and gradient descent at 1e-5 on
the loss summed over all 60,000 training images at once. So little training leaves it
anywhere from 50 % to 85 %, by the seed (measured: benchmarks/results). The images are worked
through in blocks without the pixels that are blank in them, which changes nothing but the time.
"""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from deep_mnist import data, training
from deep_mnist.autodiff import Array, Log, Matmul, Relu, Softmax, compare
from deep_mnist.cli.exit_codes import exit_code
from deep_mnist.cli.flags import Options
from deep_mnist.cli.launch import launch
from deep_mnist.errors import DeepMnistError
from deep_mnist.lazy_tensorflow import import_quietly, tf
from deep_mnist.training import option


@dataclass(frozen=True)
class Config:
    steps: int = option(50, "weight updates; with all images in a batch, epochs", at_least=1)
    batch_size: int = option(60_000, "images per step", at_least=1, at_most=60_000)
    learning_rate: float = option(1e-5, "step size, on the loss summed over the batch", above=0)
    dtype: str = option(
        "float64", "of all arithmetic", choices=("float64", "float32"), evaluation=True
    )
    seed: int = option(0, "of the weights", at_least=0, at_most=2**31 - 1)
    dataset: str = option(
        "auto", "auto is MNIST, or generated", choices=data.NAMES, evaluation=True
    )
    log_every: int = option(1, "steps between reports", at_least=1)
    save_every: int = option(10, "steps between checkpoints", at_least=1)
    keep: int = option(5, "checkpoints of the run that are kept", at_least=1)


class Examples(NamedTuple):
    """Some images, without the pixels that are blank in all of them."""

    x: Array  # [B, P + 1] in [0, 1], the last column ones
    y_: Array  # [B, 10], one-hot
    pixels: Array  # [P + 1] the rows of W1 that x meets


class Model(NamedTuple):
    """The network's weights and what can be done with them."""

    weights: dict[str, Array]  # W1 [785, 100], W2 [100, 10]; train_step updates them in place
    log_probabilities: Callable[[Array], Array]  # uint8 images [B, 784] -> [B, 10]
    train_step: Callable[[list[Examples]], tuple[float, float]]  # -> accuracy, loss before it


def build(config: Config) -> Model:
    """Draws the weights and connects the operations."""
    # Inputs -------------------------------------------------------------------
    dtype = np.dtype(config.dtype)

    # Model --------------------------------------------------------------------
    random = np.random.default_rng(config.seed)
    W1 = random.standard_normal([785, 100]).astype(dtype)
    W2 = random.standard_normal([100, 10]).astype(dtype)
    matmul1, relu, matmul2, softmax, log = Matmul(), Relu(), Matmul(), Softmax(), Log()

    def forward(x: Array, rows_of_W1: Array) -> Array:
        h1 = matmul1.forward(x, rows_of_W1)  # [B, 100]
        h1_relu = relu.forward(h1)
        h2 = matmul2.forward(h1_relu, W2)  # [B, 10]
        h2_softmax = softmax.forward(h2)
        return log.forward(h2_softmax)

    # Loss ---------------------------------------------------------------------
    def summed_loss(log_p: Array, y_: Array) -> float:
        return -float(np.sum(log_p * y_))

    def backward(y_: Array) -> tuple[Array, Array]:
        h2_softmax_grad = log.backward(-y_)  # of the summed loss, dL/dlog_p = -y_
        h2_grad = softmax.backward(h2_softmax_grad)
        h1_relu_grad, W2_grad = matmul2.backward(h2_grad)
        h1_grad = relu.backward(h1_relu_grad)
        return matmul1.backward(h1_grad, wrt=1), W2_grad

    # Training -----------------------------------------------------------------
    def train_step(batch: list[Examples]) -> tuple[float, float]:
        W1_grad, W2_grad = np.zeros_like(W1), np.zeros_like(W2)
        examples, correct, loss = 0, 0, 0.0
        for x, y_, pixels in batch:
            log_p = forward(x, W1[pixels])
            examples += len(y_)
            correct += count_correct(log_p, y_)
            loss += summed_loss(log_p, y_)
            # The gradient of a sum is the sum of the blocks' gradients.
            W1_block_grad, W2_block_grad = backward(y_)
            W1_grad[pixels] += W1_block_grad
            W2_grad += W2_block_grad
        np.subtract(W1, config.learning_rate * W1_grad, out=W1)
        np.subtract(W2, config.learning_rate * W2_grad, out=W2)
        return correct / examples, loss / examples

    # Evaluation ---------------------------------------------------------------
    def count_correct(log_p: Array, y_: Array) -> int:
        return int(np.sum(log_p.argmax(axis=1) == y_.argmax(axis=1)))

    def log_probabilities(images: Array) -> Array:
        return forward(with_ones(images, dtype), W1)

    return Model({"W1": W1, "W2": W2}, log_probabilities, train_step)


def with_ones(images: Array, dtype: Any) -> Array:
    """Grey values 0..255 [B, P] -> [B, P + 1] in [0, 1], a column of ones for the bias last."""
    x = np.ones((len(images), images.shape[1] + 1), dtype)
    np.divide(images, 255, out=x[:, :-1], dtype=dtype)
    return x


def in_blocks(split: data.Split, dtype: Any) -> list[Examples]:
    """The examples in blocks of images that are blank in the same places."""
    return [
        Examples(
            with_ones(split.images[np.ix_(rows, pixels)], dtype),
            data.one_hot(split.labels[rows]).astype(dtype),
            np.append(pixels, split.images.shape[1]),
        )
        for rows, pixels in data.blocks(split.images)
    ]


def batches(split: data.Split, config: Config, first_step: int) -> Iterator[list[Examples]]:
    """Yields the batches from first_step on, in the order of the file; each is made once."""
    starts = range(0, len(split.labels), config.batch_size)
    slices = [data.Split(*(part[i : i + config.batch_size] for part in split)) for i in starts]
    made = [in_blocks(part, config.dtype) for part in slices]
    for step in itertools.count(first_step):
        yield made[step % len(made)]


def train(config: Config, options: Options) -> None:
    """Trains as the document does: all images, an update, a line."""
    digits = data.load(config.dataset, options.data_dir, hold_out_validation=False)
    steps_per_epoch = -(-len(digits.train.labels) // config.batch_size)
    model = build(config)
    with (
        np.errstate(over="ignore", invalid="ignore"),  # the run itself tells of a loss that is NaN
        training.NumpySession(model) as sess,
        training.Run("fnn", sess, digits, config, options) as run,
    ):
        for step, batch in run.steps(batches(digits.train, config, run.first_step)):
            accuracy, loss = model.train_step(batch)
            if step % config.log_every == 0:
                epoch = step / steps_per_epoch
                line = f"epoch {epoch:g} : loss {loss} ; accuracy {accuracy}"
                run.report(step, accuracy, loss, line)
        run.finish(with_loss=True)


def check_gradients(arguments: Sequence[str]) -> int:
    """Prints our gradients beside TensorFlow's; returns 1 where they differ, else 0."""
    if arguments != ["--gradient-check"]:
        raise DeepMnistError("--gradient-check trains nothing: leave out the other flags")
    installed = importlib.util.find_spec("tensorflow") is not None
    if installed:
        import_quietly()
    else:
        print("TensorFlow is not installed: central differences stand in for it")
    name = "TensorFlow" if installed else "differences"
    agree = True
    for line in compare(tf if installed else None):
        agree &= line.agrees
        print(
            f"epsilon {line.epsilon:<5g}  {line.operation:8}  ours {line.ours:.10f}  "
            f"{name} {line.theirs:.10f}  relative difference {line.difference:.0e}"
            f"{'' if line.agrees else f', MORE THAN {line.tolerance:.0e}'}"
        )
    return 0 if agree else 1


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if "--gradient-check" in arguments and "--help" not in arguments:
        return exit_code("fnn", lambda: check_gradients(arguments))
    return launch("fnn", Config, train, __doc__, argv, numpy_only=True)


if __name__ == "__main__":
    sys.exit(main())
