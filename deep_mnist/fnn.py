"""FNN: a network with one hidden layer in NumPy alone.

    python -m deep_mnist.fnn                     train: 50% to 85%, depending on the seed
    python -m deep_mnist.fnn --restore           evaluate the pretrained weights
    python -m deep_mnist.fnn --gradient-check    compare its gradients with TensorFlow's

Follows exercise 4, "FNN", of the book "Neural Networks and Deep Learning" (nndl): operations with
hand-written gradients, and 50 steps of gradient descent on all 60,000 images at once. TensorFlow
is needed only for --gradient-check. The operations and their gradients are on one page,
autodiff/rules.py.
"""

from __future__ import annotations

import importlib.util
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from deep_mnist import autodiff, cli
from deep_mnist.autodiff import Array, Tensor, gradients
from deep_mnist.data.micro_batches import MicroBatch, micro_batches
from deep_mnist.errors import DeepMnistError
from deep_mnist.lazy_tensorflow import import_quietly, tf
from deep_mnist.training import Run, option

# Each operation has a forward function and a rule for the gradient of each of its inputs.
matmul, relu = autodiff.Matmul(), autodiff.Relu()
softmax, log = autodiff.Softmax(), autodiff.Log()
multiply, reduce_sum, negative = autodiff.Multiply(), autodiff.Sum(), autodiff.Negative()


@dataclass(frozen=True)
class Config:
    """Hyper-parameters of the exercise."""

    steps: int = option(50, "number of training steps", minimum=1)
    batch_size: int = option(60_000, "images per training step", minimum=1, maximum=60_000)
    learning_rate: float = option(1e-5, "step size of gradient descent", above=0)
    dtype: str = option(
        "float64", "floating-point type", choices=("float64", "float32"), evaluation=True
    )


class Model(NamedTuple):
    """The weights. A training step updates them in place."""

    W1: Array  #: [785, 100]: 784 pixels and a 1, 100 hidden units
    W2: Array  #: [100, 10]: 100 hidden units, 10 classes

    @property
    def weights(self) -> dict[str, Array]:
        """The weights by their names in a checkpoint."""
        return self._asdict()

    def log_probabilities(self, images: Array) -> Array:
        """Return the log probability of each digit, [B, 10], for images [B, 784] in 0..255."""
        return inference(with_ones(images, self.W1.dtype), self.W1, self.W2).value


def with_ones(images: Array, dtype: Any) -> Array:
    """Return images [B, 784] in 0..255 as a matrix [B, 785] in [0, 1] with a column of ones.

    The ones replace the bias: they add the last row of W1 to the hidden units of every image, and
    the gradient of this row is a part of W1's.
    """
    x = np.ones([len(images), 785], dtype)
    np.divide(images, 255, out=x[:, :784], dtype=dtype)
    return x


def inference(x: Any, W1: Array, W2: Array) -> Tensor:
    """Return the log probability of each digit, log(softmax(relu(x W1) W2)).

    relu(h) is max(h, 0), softmax(h) is exp(h) / sum(exp(h)). Calling an operation returns a Tensor:
    the result, and references to the operation and its inputs, which are the tape. `gradients`
    follows it from the loss back to W1 and W2. It starts from dL/dL = 1 and calls the rules of the
    operations in reverse order, log, softmax, matmul, relu, matmul: the chain rule. Each rule
    needs only the gradient of its output, and the inputs that the tape has kept.

    Args:
      x: images with a column of ones, [B, 785] in [0, 1].
      W1: weights of the hidden layer, [785, 100].
      W2: weights of the output layer, [100, 10].

    Returns:
      Log probabilities, [B, 10].
    """
    h1 = relu(matmul(x, W1))  # [B, 785] @ [785, 100] -> [B, 100]
    return log(softmax(matmul(h1, W2)))  # [B, 100] @ [100, 10] -> [B, 10]


def loss(y_: Array, log_p: Tensor) -> Tensor:
    """Return the cross-entropy `-sum(y_ * log p)`, summed over the batch.

    Its gradient is a sum over the images, too. With 60,000 of them, a learning rate of 1e-5 is
    what 0.6 would be for the mean loss; with a smaller batch, each step is smaller in proportion.
    """
    return negative(reduce_sum(multiply(y_, log_p)))


def build(config: Config, seed: int = 0) -> Model:
    """Return the model with initial weights from a standard normal distribution.

    They are what the exercise starts from, and too large: the logits have a standard deviation of
    about 60, and softmax gives nearly all of the probability to one digit, the true label or not.
    Four of five images leave less for their true label than the epsilon of log, 1e-12. For most of
    these the gradient is nearly 0, so training starts slowly, and how far it gets in 50 steps
    depends on the seed.
    """
    random = np.random.default_rng(seed)
    W1 = random.standard_normal([785, 100]).astype(config.dtype)
    W2 = random.standard_normal([100, 10]).astype(config.dtype)
    return Model(W1, W2)


def train_step(
    model: Model, batch: Sequence[MicroBatch], learning_rate: float
) -> tuple[float, float]:
    """Update the weights; return accuracy and mean loss of the batch, both before the update.

    The gradient of a sum is the sum of the gradients. So the batch is differentiated in parts
    that fit into the processor's cache, micro-batches, and their gradients are added.
    """
    W1, W2 = model
    W1_grad, W2_grad = np.zeros_like(W1), np.zeros_like(W2)
    total_loss, correct, examples = 0.0, 0, 0
    for x, y_ in batch:
        log_p = inference(x, W1, W2)
        cross_entropy = loss(y_, log_p)
        grads = gradients(cross_entropy, [W1, W2])
        W1_grad += grads[0]
        W2_grad += grads[1]
        total_loss += float(cross_entropy.value)
        correct += int(np.count_nonzero(log_p.value.argmax(axis=1) == y_.argmax(axis=1)))
        examples += len(y_)
    W1 -= learning_rate * W1_grad
    W2 -= learning_rate * W2_grad
    return correct / examples, total_loss / examples


def train(config: Config, run: Run) -> None:
    """Run train_step on all images; report the accuracy and the loss of every step."""
    mnist = run.load_data(validation_size=0)
    steps_per_epoch = math.ceil(len(mnist.train.labels) / config.batch_size)
    model = build(config, run.run_config.seed)
    # If training diverges, `report` raises an error, which says more than NumPy's warnings.
    with run.session(model), np.errstate(over="ignore", invalid="ignore"):
        batches = micro_batches(
            mnist.train, config.batch_size, with_ones, config.dtype, run.first_step
        )
        for step, batch in run.steps(batches):
            accuracy, mean_loss = train_step(model, batch, config.learning_rate)
            if step % run.log_every == 0:
                epoch = step / steps_per_epoch
                line = f"epoch {epoch:g} : loss {mean_loss} ; accuracy {accuracy}"
                run.report(step, accuracy, mean_loss, line)
        run.evaluate(with_loss=True)


def check_gradients(arguments: Sequence[str]) -> int:
    """Print our gradients next to TensorFlow's, and return 1 if they differ."""
    others = [argument for argument in arguments if argument != "--gradient-check"]
    if others:
        raise DeepMnistError(f"--gradient-check: expected no other flags, found {' '.join(others)}")
    installed = importlib.util.find_spec("tensorflow") is not None
    if installed:
        import_quietly()
    return 0 if autodiff.compare_with_tensorflow(tf if installed else None) else 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if "--gradient-check" in arguments:
        return cli.exit_code("fnn", lambda: check_gradients(arguments))
    return cli.launch("fnn", Config, train, __doc__, argv, numpy_only=True)


if __name__ == "__main__":
    sys.exit(main())
