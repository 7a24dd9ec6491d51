"""Time and memory of an epoch of fnn, compared with a plain transcription of its document.

    DEEP_MNIST_DATA_DIR=... python benchmarks/fnn.py

Both start from the same weights. Epochs of the transcription, of fnn in float64 and of fnn in
float32 alternate, and their losses are compared. Memory is the peak of a process that does nothing
else, minus that of one that only imports NumPy.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import report

from deep_mnist import data, fnn
from deep_mnist.data.micro_batches import micro_batches

EPOCHS = 50
WARM_UP = 2
LEARNING_RATE = 1e-5
EPSILON = 1e-12


class Transcription:
    """The document's program, with an array for every intermediate result."""

    def __init__(self, split: data.Split) -> None:
        self.images = split.images / 255.0
        self.labels = np.zeros((len(split.labels), 10))
        self.labels[np.arange(len(split.labels)), split.labels] = 1
        self.W1, self.W2 = fnn.build(fnn.Config())

    def epoch(self) -> float:
        """Update the weights once; return the loss before it."""
        x = np.concatenate([self.images, np.ones((len(self.images), 1))], axis=1)
        h1 = np.matmul(x, self.W1)
        h1_relu = np.where(h1 > 0, h1, np.zeros_like(h1))
        h2 = np.matmul(h1_relu, self.W2)
        exponentials = np.exp(h2)
        p = exponentials / (np.sum(exponentials, axis=1, keepdims=True) + EPSILON)
        log_p = np.log(p + EPSILON)

        p_grad = -self.labels / (p + EPSILON)
        outer = np.matmul(p[:, :, None], p[:, None, :])  # [N, 10, 10]
        h2_grad = p_grad * p - np.squeeze(np.matmul(p_grad[:, None, :], outer), axis=1)
        W2_grad = np.matmul(h1_relu.T, h2_grad)
        h1_relu_grad = np.matmul(h2_grad, self.W2.T)
        h1_grad = (h1 > 0).astype(np.float32) * h1_relu_grad
        np.matmul(h1_grad, self.W1.T)  # the document also computes the gradient of x
        W1_grad = np.matmul(x.T, h1_grad)
        self.W1 -= LEARNING_RATE * W1_grad
        self.W2 -= LEARNING_RATE * W2_grad
        np.mean(np.argmax(log_p, axis=1) == np.argmax(self.labels, axis=1))
        return float(np.mean(np.sum(-log_p * self.labels, axis=1)))


class Fnn:
    """deep_mnist.fnn's own training step."""

    def __init__(self, split: data.Split, dtype: str) -> None:
        self.model = fnn.build(fnn.Config(dtype=dtype))
        self.batch = next(micro_batches(split, len(split.labels), fnn.with_ones, dtype))

    def epoch(self) -> float:
        """Update the weights once; return the loss before it."""
        return fnn.train_step(self.model, self.batch, LEARNING_RATE)[1]


CONTENDERS: dict[str, Callable[[data.Split], Transcription | Fnn]] = {
    "transcription": Transcription,
    "float64": lambda split: Fnn(split, "float64"),
    "float32": lambda split: Fnn(split, "float32"),
}


def main() -> None:
    """Run the benchmark and write its results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--memory-of", choices=("nothing", *CONTENDERS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory_of:
        print(peak_memory(arguments.memory_of))
        return

    split = data.load_data("mnist", validation_size=0).train
    contenders = {name: make(split) for name, make in CONTENDERS.items()}
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    losses: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(EPOCHS):
        for name, contender in contenders.items():
            start = time.perf_counter()
            losses[name].append(contender.epoch())
            seconds[name].append(time.perf_counter() - start)

    theirs = median(seconds["transcription"])
    floor = memory("nothing")
    transcription_memory = memory("transcription") - floor
    report.write(
        "fnn",
        {
            "command": "python benchmarks/fnn.py",
            "epochs": EPOCHS - WARM_UP,
            "transcription_seconds_per_epoch": spread(seconds["transcription"]),
            "transcription_megabytes": transcription_memory,
            **{
                name: {
                    "seconds_per_epoch": spread(seconds[name]),
                    "times_faster": round(theirs / median(seconds[name]), 2),
                    "largest_relative_difference_of_losses": max(
                        abs(ours / theirs - 1)
                        for ours, theirs in zip(losses[name], losses["transcription"], strict=True)
                    ),
                    "megabytes": memory(name) - floor,
                }
                for name in ("float64", "float32")
            },
        },
    )


def peak_memory(name: str) -> int:
    """Run three epochs; return the peak memory of this process in MB (Linux)."""
    if name != "nothing":
        contender = CONTENDERS[name](data.load_data("mnist", validation_size=0).train)
        for _ in range(3):
            contender.epoch()
    status = Path("/proc/self/status").read_text("utf-8")
    return int(re.findall(r"VmHWM:\s*(\d+) kB", status)[0]) // 1024


def memory(name: str) -> int:
    """Return the peak memory of a new process in MB."""
    command = [sys.executable, __file__, "--memory-of", name]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def median(times: list[float]) -> float:
    """Return the median, without the warm-up."""
    return statistics.median(times[WARM_UP:])


def spread(times: list[float]) -> dict[str, float]:
    """Return the median and the quartiles, without the warm-up."""
    low, middle, high = statistics.quantiles(times[WARM_UP:], n=4)
    return {
        "median": round(middle, 4),
        "lower_quartile": round(low, 4),
        "upper_quartile": round(high, 4),
    }


if __name__ == "__main__":
    main()
