"""What training the CNN costs, against the size of the batch, of the training set, and threads.

    python benchmarks/cost.py [--rounds 3]

Batches of 10 to 1,000, in rounds, on one thread and on two (or as many as there are); and whole
epochs, in batches of 50, over the first 5,000 to all 55,000 training images: a step's cost knows
nothing of the others' number. Writes results/cost.json and, as a chart, results/cost.svg.
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
from deep_mnist.training import config

BATCH_SIZES = (10, 20, 50, 100, 200, 500, 1_000)
IMAGES = 1_000  # in a turn: 100 steps of 10, ... 1 step of 1,000
TRAINING_SETS = (5_000, 10_000, 20_000, 55_000)
WARM_UP = 3  # steps of each batch size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3, help="turns of each size (default: 3)")
    rounds = parser.parse_args().rounds

    most = config.available_cpus()
    by_threads = {n: isolated(batch_sizes, n, rounds) for n in sorted({1, min(2, most)})}
    epochs = isolated(training_sets, most)
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
            "dearest_step_over_cheapest_of_training_sets": round(max(ms) / min(ms), 3),
        },
    )


def batch_sizes(threads: int, rounds: int) -> list[dict[str, Any]]:
    """The time of a step for each batch size, median and quartiles over the rounds."""
    digits, trainer = data.load_data("mnist"), Trainer(threads)
    batches = {size: data.batches(digits.train, size, seed=0) for size in BATCH_SIZES}
    for size in BATCH_SIZES:
        trainer.train(batches[size], WARM_UP)
    times: dict[int, list[float]] = {size: [] for size in BATCH_SIZES}
    for _ in range(rounds):
        for size in BATCH_SIZES:
            steps = IMAGES // size
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
    """The time of an epoch over so many training images."""
    digits, trainer = data.load_data("mnist"), Trainer(threads)
    batch_size = trainer.config.batch_size
    trainer.train(data.batches(digits.train, batch_size, seed=0), WARM_UP)
    rows = []
    for images in TRAINING_SETS:
        split = data.Split(digits.train.images[:images], digits.train.labels[:images])
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
    """The CNN with the loop of its `train`, on so many threads."""

    def __init__(self, threads: int) -> None:
        import_quietly()
        self.config = cnn.Config(intra_op_threads=threads, inter_op_threads=threads)
        with tf.Graph().as_default():
            self.model = cnn.build(self.config)
            self.sess = training.Session(self.model, self.config)
        self.sess.initialize()

    def train(self, batches: Iterator[data.Batch], steps: int) -> float:
        """Takes steps and returns the seconds."""
        model = self.model
        start = time.perf_counter()
        for _ in range(steps):
            batch = next(batches)
            feed = {model.x: batch.images, model.y_: batch.labels}
            self.sess.run(
                model.train_step, feed_dict={**feed, model.keep_prob: self.config.keep_prob}
            )
        return time.perf_counter() - start


def draw(by_threads: dict[int, list[dict[str, Any]]], epochs: list[dict[str, Any]]) -> None:
    """Draws a step, an image, and an epoch."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "cost"  # so that equal curves give equal files
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    step, image, epoch = figure.subplots(1, 3)
    for axes, key, what in (
        (step, "ms_per_step", "ms per step"),
        (image, "ms_per_image", "ms per image"),
    ):
        for threads, rows in by_threads.items():
            label = "1 thread" if threads == 1 else f"{threads} threads"
            sizes = [row["batch_size"] for row in rows]
            axes.plot(sizes, [row[key] for row in rows], marker=".", label=label)
        axes.set_xscale("log")
        axes.set_xticks(BATCH_SIZES, [f"{size:,}" for size in BATCH_SIZES], minor=False)
        axes.minorticks_off()
        axes.set_xlabel("batch size")
        axes.set_ylabel(what)
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
