"""The CNN's training step: gradients, augmentation, time per operation; evaluation; loading MNIST.

    python benchmarks/step.py

Three variants of the step alternate: with TensorFlow's own gradients, with that of
training/fast_gradients.py, and with the latter on images that a thread augments; where the CPU has
bfloat16, the first two in bfloat16 as well. The time per kind of operation comes from TensorFlow's
trace, with one operation running at a time. Evaluation is timed in the training graph, and in the
classifier's, which has neither dropout nor optimizer. Writes results/step.json.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import report
from isolated import isolated

from deep_mnist import cnn, data, lazy_tensorflow, training
from deep_mnist.data import Batch
from deep_mnist.inference import load_model
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import RunConfig, mixed_precision
from deep_mnist.training.fast_gradients import fast_gradients

ROUNDS, STEPS_PER_ROUND, WARM_UP_STEPS = 12, 40, 20
TRACED_STEPS, LISTED_OPERATIONS = 20, 12
EVALUATION_BATCH_SIZES = (100, 250, 500, 1_000)
REPETITIONS = 5  # of evaluations and of loading the dataset


class Variant:
    """The CNN in a graph and a session of its own, with the times of its steps in ms."""

    def __init__(self, batches: Iterator[Batch], *, fast: bool, run_config: RunConfig) -> None:
        self.config = cnn.Config()
        with tf.Graph().as_default(), fast_gradients() if fast else contextlib.nullcontext():
            self.model = cnn.build(self.config)
            self.session = training.Session(self.model, run_config)
        self.session.initialize()
        self.batches = batches
        self.times: list[float] = []

    def step(self, **arguments: Any) -> None:
        """Train on the next batch; the time includes making it."""
        start = time.perf_counter()
        batch, model = next(self.batches), self.model
        feed = {
            model.x: batch.images,
            model.y_: batch.labels,
            model.keep_prob: self.config.keep_prob,
        }
        self.session.run(model.train_step, feed_dict=feed, **arguments)
        self.times.append(1e3 * (time.perf_counter() - start))


def main() -> None:
    lazy_tensorflow.import_quietly()
    loading = []
    for _ in range(REPETITIONS):
        start = time.perf_counter()
        mnist = data.load_data("mnist")
        loading.append(time.perf_counter() - start)

    def plain() -> Iterator[Batch]:
        return data.batches(mnist.train, cnn.Config().batch_size, seed=0)

    strong = data.AUGMENTATIONS["strong"]
    augmented = data.prefetch(data.augmented(plain(), strong, seed=0, first_step=0, until=10**9))
    run_config = RunConfig()
    variants = {
        "TensorFlow's gradients": Variant(plain(), fast=False, run_config=run_config),
        "fast_gradients": Variant(plain(), fast=True, run_config=run_config),
        "fast_gradients, augmented": Variant(augmented, fast=True, run_config=run_config),
    }
    if mixed_precision.choose("auto") == "bfloat16":
        bfloat16 = RunConfig(precision="bfloat16")
        for name, fast in (("TensorFlow's gradients", False), ("fast_gradients", True)):
            variants[f"{name}, bfloat16"] = Variant(plain(), fast=fast, run_config=bfloat16)
    alternate(list(variants.values()))
    medians = {name: statistics.median(variant.times) for name, variant in variants.items()}
    evaluated = variants["fast_gradients"].session
    report.write(
        "step",
        {
            "batch_size": cnn.Config().batch_size,
            "steps_per_variant": ROUNDS * STEPS_PER_ROUND,
            "ms_per_step": {name: report.spread(v.times) for name, v in variants.items()},
            "fast_gradients_over_tensorflow": round(
                medians["fast_gradients"] / medians["TensorFlow's gradients"], 3
            ),
            "augmented_over_plain": round(
                medians["fast_gradients, augmented"] / medians["fast_gradients"], 3
            ),
            "ms_by_operation": {
                "TensorFlow's gradients": isolated(trace, False, "float32"),
                "fast_gradients": isolated(trace, True, "float32"),
                **(
                    {"TensorFlow's gradients, bfloat16": isolated(trace, False, "bfloat16")}
                    if mixed_precision.choose("auto") == "bfloat16"
                    else {}
                ),
            },
            "evaluation_images_per_second": {
                size: evaluation_rate(evaluated, mnist.test, size)
                for size in EVALUATION_BATCH_SIZES
            },
            "classifier_images_per_second": classifier_rate(mnist.test),
            "seconds_to_load_mnist": report.spread(loading),
        },
    )


def alternate(variants: list[Variant]) -> None:
    """Take the steps of all variants in alternating rounds, after a warm-up without times."""
    for variant in variants:
        for _ in range(WARM_UP_STEPS):
            variant.step()
        variant.times.clear()
    for _ in range(ROUNDS):
        for variant in variants:
            for _ in range(STEPS_PER_ROUND):
                variant.step()


def trace(fast: bool, precision: str) -> dict[str, float]:
    """Return the ms per step of the kinds of operations that take longest."""
    lazy_tensorflow.import_quietly()
    batches = data.batches(data.load_data("mnist").train, cnn.Config().batch_size, seed=0)
    run_config = RunConfig(inter_op_threads=1, precision=precision)
    variant = Variant(batches, fast=fast, run_config=run_config)
    for _ in range(WARM_UP_STEPS):
        variant.step()
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    microseconds: Counter[str] = Counter()
    for _ in range(TRACED_STEPS):
        metadata = tf.RunMetadata()
        variant.step(options=options, run_metadata=metadata)
        for device in metadata.step_stats.dev_stats:
            for node in device.node_stats:
                kind = node.timeline_label.partition("= ")[2].partition("(")[0]
                microseconds[kind or node.node_name] += node.op_end_rel_micros
    longest = microseconds.most_common(LISTED_OPERATIONS)
    return {kind: round(total / TRACED_STEPS / 1e3, 2) for kind, total in longest}


def evaluation_rate(session: training.Session, split: data.Split, batch_size: int) -> int:
    """Return the images evaluated per second, the median of several evaluations."""
    seconds = []
    for _ in range(REPETITIONS):
        start = time.perf_counter()
        session.evaluate(split, batch_size)
        seconds.append(time.perf_counter() - start)
    return round(len(split.labels) / statistics.median(seconds))


def classifier_rate(split: data.Split) -> int:
    """Return the images classified per second, the median of several times all images."""
    seconds = []
    with load_model("cnn") as classifier:
        for _ in range(REPETITIONS + 1):
            start = time.perf_counter()
            classifier.predict(split.images)
            seconds.append(time.perf_counter() - start)
    return round(len(split.labels) / statistics.median(seconds[1:]))


if __name__ == "__main__":
    main()
