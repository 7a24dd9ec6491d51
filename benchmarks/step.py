"""Where a step of the CNN goes, and what was done about it.

    python benchmarks/step.py

The same step in three forms, in turns: with TensorFlow's own backward kernels, with those of
training/backward.py, and with those on images that a thread augments ahead. Then the time in each
kind of operation, one operation at a time, from TensorFlow's own trace; evaluation; and reading.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest import mock

import report
from isolated import isolated

from deep_mnist import cnn, data, lazy_tensorflow, training
from deep_mnist.data import Batch
from deep_mnist.lazy_tensorflow import tf

BATCH_SIZE, ROUNDS, STEPS = 50, 12, 40  # of each form, in turns
WARM_UP, TRACED, LISTED = 20, 20, 12
EVALUATION_BATCHES = (100, 250, 500, 1_000)


class Form:
    """One way to take a step, in a graph and a session of its own."""

    def __init__(self, batches: Iterator[Batch], *, faster: bool, config: cnn.Config) -> None:
        patch = mock.patch.object(training, "faster_backward", contextlib.nullcontext)
        with tf.Graph().as_default(), contextlib.nullcontext() if faster else patch:
            self.model = cnn.build(config)
            self.sess = training.Session(self.model, config)
        self.sess.initialize()
        self.batches = batches
        self.times: list[float] = []

    def step(self, **settings: Any) -> None:
        """Makes or fetches a batch, and trains on it."""
        start = time.perf_counter()
        batch, model = next(self.batches), self.model
        feed = {model.x: batch.images, model.y_: batch.labels, model.keep_prob: 0.5}
        self.sess.run(model.train_step, feed_dict=feed, **settings)
        self.times.append(1e3 * (time.perf_counter() - start))


def main() -> None:
    lazy_tensorflow.import_quietly()
    reading = []
    for _ in range(5):
        start = time.perf_counter()
        digits = data.load_data("mnist")
        reading.append(time.perf_counter() - start)

    def plain() -> Iterator[Batch]:
        return data.batches(digits.train, BATCH_SIZE, seed=0)

    strong = data.AUGMENTATIONS["strong"]
    config = cnn.Config(batch_size=BATCH_SIZE)
    forms = {
        "tensorflow's backward kernels": Form(plain(), faster=False, config=config),
        "faster_backward": Form(plain(), faster=True, config=config),
        "faster_backward, augmented": Form(
            data.prefetch(data.augmented(plain(), strong, seed=0, first_step=0, until=10**9)),
            faster=True,
            config=config,
        ),
    }
    for form in forms.values():
        for _ in range(WARM_UP):
            form.step()
        form.times.clear()
    for _ in range(ROUNDS):
        for form in forms.values():
            for _ in range(STEPS):
                form.step()
    medians = {name: statistics.median(form.times) for name, form in forms.items()}
    before, after, augmented = medians.values()
    report.write(
        "step",
        {
            "batch_size": BATCH_SIZE,
            "steps_of_each": ROUNDS * STEPS,
            "ms_per_step": {name: report.spread(form.times) for name, form in forms.items()},
            "faster_backward_over_tensorflows": round(after / before, 3),
            "augmented_over_plain": round(augmented / after, 3),
            "ms_by_operation": {
                "tensorflow's backward kernels": isolated(trace, False),
                "faster_backward": isolated(trace, True),
            },
            "evaluation_digits_per_second": {
                size: evaluation(forms["faster_backward"].sess, digits.test, size)
                for size in EVALUATION_BATCHES
            },
            "seconds_to_read_and_verify_mnist": report.spread(reading),
        },
    )


def trace(faster: bool) -> dict[str, float]:
    """Milliseconds of a step in the kinds of operations that take most, by TensorFlow's trace.

    One operation at a time, so that none counts the time of another.
    """
    lazy_tensorflow.import_quietly()
    config = cnn.Config(batch_size=BATCH_SIZE, inter_op_threads=1)
    batches = data.batches(data.load_data("mnist").train, BATCH_SIZE, seed=0)
    form = Form(batches, faster=faster, config=config)
    for _ in range(WARM_UP):
        form.step()
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    microseconds: Counter[str] = Counter()
    for _ in range(TRACED):
        metadata = tf.RunMetadata()
        form.step(options=options, run_metadata=metadata)
        for device in metadata.step_stats.dev_stats:
            for node in device.node_stats:
                kind = node.timeline_label.partition("= ")[2].partition("(")[0]
                microseconds[kind or node.node_name] += node.op_end_rel_micros
    return {
        kind: round(total / TRACED / 1e3, 2) for kind, total in microseconds.most_common(LISTED)
    }


def evaluation(sess: training.Session, split: data.Split, batch_size: int) -> int:
    """Digits of a split that are evaluated in a second: the median of five times."""
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        sess.evaluate(split, batch_size)
        seconds.append(time.perf_counter() - start)
    return round(len(split.labels) / statistics.median(seconds))


if __name__ == "__main__":
    main()
