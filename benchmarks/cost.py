"""Cost of training the CNN by batch size, number of threads and size of the training set.

    python benchmarks/cost.py [--rounds 3]

Batch sizes from 10 to 1,000 alternate, on one thread and on two; and epochs are timed in batches
of 50 over the first 5,000 to all 55,000 training images, because a step should cost the same
whatever the size of the training set. Writes results/cost.json and the chart results/cost.svg.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from typing import Any

import report
from isolated import isolated

from deep_mnist import cnn, data, training
from deep_mnist.lazy_tensorflow import import_quietly, tf
from deep_mnist.training import RunConfig
from deep_mnist.training.config import available_cpus
from deep_mnist.training.fast_gradients import fast_gradients

BATCH_SIZES = (10, 20, 50, 100, 200, 500, 1_000)
IMAGES_PER_ROUND = 1_000  # 100 steps of 10 images, ... 1 step of 1,000
TRAINING_SETS = (5_000, 10_000, 20_000, 55_000)
WARM_UP_STEPS = 3  # of each batch size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3, help="rounds per batch size (default: 3)")
    rounds = parser.parse_args().rounds

    cpus = available_cpus()
    by_threads = {n: isolated(batch_sizes, n, rounds) for n in sorted({1, min(2, cpus)})}
    epochs = isolated(training_sets, cpus)
    draw(by_threads, epochs)
    ms = [row["ms_per_step"] for row in epochs]
    report.write(
        "cost",
        {
            "rounds": rounds,
            "batch_sizes": [
                {"threads": n, **row} for n, rows in by_threads.items() for row in rows
            ],
            "training_sets": epochs,
            "slowest_step_over_fastest_of_training_sets": round(max(ms) / min(ms), 3),
        },
    )


def batch_sizes(threads: int, rounds: int) -> list[dict[str, Any]]:
    """Return the time of a step for each batch size: median, lowest and highest of the rounds."""
    mnist, trainer = data.load_data("mnist"), Trainer(threads)
    batches = {size: data.batches(mnist.train, size, seed=0) for size in BATCH_SIZES}
    for size in BATCH_SIZES:
        trainer.train(batches[size], WARM_UP_STEPS)
    times: dict[int, list[float]] = {size: [] for size in BATCH_SIZES}
    for _ in range(rounds):
        for size in BATCH_SIZES:
            steps = IMAGES_PER_ROUND // size
            times[size].append(1e3 * trainer.train(batches[size], steps) / steps)
    return [
        {
            "batch_size": size,
            "ms_per_step": round(statistics.median(times[size]), 3),
            "lowest": round(min(times[size]), 3),
            "highest": round(max(times[size]), 3),
            "ms_per_image": round(statistics.median(times[size]) / size, 4),
        }
        for size in BATCH_SIZES
    ]


def training_sets(threads: int) -> list[dict[str, Any]]:
    """Return the time of an epoch for each number of training images."""
    mnist, trainer = data.load_data("mnist"), Trainer(threads)
    batch_size = trainer.config.batch_size
    trainer.train(data.batches(mnist.train, batch_size, seed=0), WARM_UP_STEPS)
    rows = []
    for images in TRAINING_SETS:
        split = data.Split(mnist.train.images[:images], mnist.train.labels[:images])
        steps = images // batch_size
        seconds = trainer.train(data.batches(split, batch_size, seed=0), steps)
        rows.append(
            {
                "images": images,
                "seconds_per_epoch": round(seconds, 2),
                "ms_per_step": round(1e3 * seconds / steps, 3),
            }
        )
    return rows


class Trainer:
    """The CNN with the training loop of cnn.py, on a number of threads."""

    def __init__(self, threads: int) -> None:
        import_quietly()
        self.config = cnn.Config()
        with tf.Graph().as_default(), fast_gradients():
            self.model = cnn.build(self.config)
            run_config = RunConfig(intra_op_threads=threads, inter_op_threads=threads)
            self.session = training.Session(self.model, run_config)
        self.session.initialize()

    def train(self, batches: Iterator[data.Batch], steps: int) -> float:
        """Take steps and return the seconds."""
        model, keep_prob = self.model, self.config.keep_prob
        start = time.perf_counter()
        for _ in range(steps):
            batch = next(batches)
            feed = {model.x: batch.images, model.y_: batch.labels, model.keep_prob: keep_prob}
            self.session.run(model.train_step, feed_dict=feed)
        return time.perf_counter() - start


def draw(by_threads: dict[int, list[dict[str, Any]]], epochs: list[dict[str, Any]]) -> None:
    """Draw the time of a step, of an image, and of an epoch."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "cost"  # equal curves give equal files
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    step, image, epoch = figure.subplots(1, 3)
    for axes, key, label in (
        (step, "ms_per_step", "ms per step"),
        (image, "ms_per_image", "ms per image"),
    ):
        for threads, rows in by_threads.items():
            line = "1 thread" if threads == 1 else f"{threads} threads"
            sizes = [row["batch_size"] for row in rows]
            axes.plot(sizes, [row[key] for row in rows], marker=".", label=line)
        axes.set_xscale("log")
        axes.set_xticks(BATCH_SIZES, [f"{size:,}" for size in BATCH_SIZES], minor=False)
        axes.minorticks_off()
        axes.set_xlabel("batch size")
        axes.set_ylabel(label)
        axes.legend()
    step.set_yscale("log")
    image.set_ylim(bottom=0)
    images = [row["images"] for row in epochs]
    epoch.plot(images, [row["seconds_per_epoch"] for row in epochs], marker=".")
    epoch.set_xticks(images, [f"{number:,}" for number in images], rotation=45)
    epoch.set_xlabel("training images, in batches of 50")
    epoch.set_ylabel("seconds per epoch")
    epoch.set_xlim(left=0)
    epoch.set_ylim(bottom=0)
    figure.savefig(report.RESULTS / "cost.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
