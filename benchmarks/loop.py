"""What the training room costs: our CNN step beside a bare tutorial loop over the same graph.

    python benchmarks/loop.py [--steps 1000]

Both loops draw batches of 50 of MNIST, feed them, and look at the training accuracy every 100
steps; ours also prints, records and saves as a run does, a checkpoint of all variables at the
end included. The steps alternate, one of ours, one bare, each in a session of its own, so that
whatever else the machine does falls on both alike.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import report

from deep_mnist import cnn, data, lazy_tensorflow, training
from deep_mnist.cli.flags import Options
from deep_mnist.lazy_tensorflow import tf

WARM_UP = 20  # steps of each that are not counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=1_000, help="of each loop (default: 1000)")
    steps = parser.parse_args().steps

    lazy_tensorflow.import_quietly()
    digits = data.load_data("mnist")
    config = cnn.Config(steps=WARM_UP + steps)
    with tempfile.TemporaryDirectory() as directory, tf.Graph().as_default():
        model = cnn.build(config)
        with training.Session(model, config) as sess, bare_session(config) as bare:
            options = Options(run_dir=str(Path(directory, "run")))
            run = training.Run("cnn", sess, digits, config, options)
            bare.run([v.initializer for v in tf.global_variables()])
            ours, theirs = alternate(config, model, sess, run, bare, digits.train)

    ratio = sum(ours) / sum(theirs)
    report.write(
        "loop",
        {
            "steps": steps,
            "ours_ms_per_step": summary(ours),
            "bare_ms_per_step": summary(theirs),
            "ratio_of_means": round(ratio, 4),
        },
    )


def alternate(
    config: cnn.Config, model: cnn.Model, sess: training.Session, run: Any, bare: Any, split: Any
) -> tuple[list[float], list[float]]:
    """Times both loops step by step, in ms, the warm-up left out."""
    ours, theirs = [], []
    before = time.perf_counter()
    for step, batch in run.steps():
        feed = {model.x: batch.images, model.y_: batch.labels}
        if step % config.log_every == 0:
            accuracy, loss = sess.run([model.accuracy, model.loss], feed_dict=feed)
            run.report(step, accuracy, loss)
        sess.run(model.train_step, feed_dict={**feed, model.keep_prob: config.keep_prob})
        # What the run does between two batches belongs to its next step.
        middle = time.perf_counter()
        bare_step(step, config, model, bare, split)
        after = time.perf_counter()
        ours.append(1e3 * (middle - before))
        theirs.append(1e3 * (after - middle))
        before = after
    ours.append(ours.pop() + 1e3 * (time.perf_counter() - before))  # the checkpoint at the end
    return ours[WARM_UP:], theirs[WARM_UP:]


def bare_step(step: int, config: cnn.Config, model: cnn.Model, bare: Any, split: Any) -> None:
    """One step as the tutorial writes it."""
    chosen = np.random.randint(0, len(split.labels), config.batch_size)
    images = split.images[chosen].astype(np.float32) * np.float32(1 / 255)
    labels = np.eye(10, dtype=np.float32)[split.labels[chosen]]
    if step % 100 == 0:
        feed = {model.x: images, model.y_: labels, model.keep_prob: 1.0}
        print(f"step {step}, training accuracy {bare.run(model.accuracy, feed):g}")
    bare.run(model.train_step, {model.x: images, model.y_: labels, model.keep_prob: 0.5})


def bare_session(config: cnn.Config) -> Any:
    """A tf.Session with the same threads."""
    return tf.Session(
        config=tf.ConfigProto(
            intra_op_parallelism_threads=config.intra_op_threads,
            inter_op_parallelism_threads=config.inter_op_threads,
        )
    )


def summary(times: list[float]) -> dict[str, float]:
    """Mean, median and quartiles."""
    low, median, high = statistics.quantiles(times, n=4)
    return {
        "mean": round(statistics.mean(times), 3),
        "median": round(median, 3),
        "lower_quartile": round(low, 3),
        "upper_quartile": round(high, 3),
    }


if __name__ == "__main__":
    main()
