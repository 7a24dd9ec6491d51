"""The overhead of `Run`: our training loop of the CNN compared with a bare tutorial loop.

    python benchmarks/loop.py [--steps 1000]

Both loops use the same graph, draw batches of 50 images of MNIST, feed them, and evaluate the
training accuracy every 100 steps. Ours also prints, records and saves as a run does, including the
checkpoint at the end. The steps of the two loops alternate, each in a session of its own, so that
other load on the machine affects both alike. Writes results/loop.json.
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

from deep_mnist import cnn, data, lazy_tensorflow
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import Options, Run, RunConfig
from deep_mnist.training.config import create_configs, with_recipe

WARM_UP_STEPS = 20  # of each loop, not counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=1_000, help="steps per loop (default: 1000)")
    steps = parser.parse_args().steps

    lazy_tensorflow.import_quietly()
    settings = with_recipe("cnn", {"steps": WARM_UP_STEPS + steps, "dataset": "mnist"})
    config, run_config = create_configs(cnn.Config, settings)
    with tempfile.TemporaryDirectory() as directory:
        run = Run("cnn", config, run_config, Options(run_dir=str(Path(directory, "run"))))
        ours, bare = alternate(config, run)
    report.write(
        "loop",
        {
            "steps": steps,
            "ours_ms_per_step": summary(ours),
            "bare_ms_per_step": summary(bare),
            "ratio_of_means": round(sum(ours) / sum(bare), 4),
        },
    )


def alternate(config: cnn.Config, run: Run) -> tuple[list[float], list[float]]:
    """Return the times of our steps and of the bare ones in ms, without the warm-up."""
    ours, bare = [], []
    mnist = run.load_data()
    with tf.Graph().as_default(), run.scope():
        model = cnn.build(config, run.optimizer(config.learning_rate))
        with run.session(model) as sess, bare_session(run.run_config) as bare_sess:
            bare_sess.run([v.initializer for v in tf.global_variables()])
            start = time.perf_counter()
            for step, batch in run.batches(mnist.train, config.batch_size):
                feed = {model.x: batch.images, model.y_: batch.labels}
                if step % run.log_every == 0:
                    accuracy, loss = sess.run([model.accuracy, model.loss], feed_dict=feed)
                    run.report(step, accuracy, loss)
                sess.run(model.train_step, feed_dict={**feed, model.keep_prob: config.keep_prob})
                # What `run` does between two batches counts as part of its next step.
                middle = time.perf_counter()
                bare_step(step, config, model, bare_sess, mnist.train)
                end = time.perf_counter()
                ours.append(1e3 * (middle - start))
                bare.append(1e3 * (end - middle))
                start = end
            ours[-1] += 1e3 * (time.perf_counter() - start)  # the checkpoint at the end
    return ours[WARM_UP_STEPS:], bare[WARM_UP_STEPS:]


def bare_step(
    step: int, config: cnn.Config, model: cnn.Model, sess: Any, split: data.Split
) -> None:
    """Take one step as the tutorial writes it."""
    chosen = np.random.randint(0, len(split.labels), config.batch_size)
    images = split.images[chosen].astype(np.float32) * np.float32(1 / 255)
    labels = np.eye(10, dtype=np.float32)[split.labels[chosen]]
    if step % 100 == 0:
        feed = {model.x: images, model.y_: labels, model.keep_prob: 1.0}
        print(f"step {step}, training accuracy {sess.run(model.accuracy, feed):g}")
    sess.run(model.train_step, {model.x: images, model.y_: labels, model.keep_prob: 0.5})


def bare_session(run_config: RunConfig) -> Any:
    """Return a tf.Session with the threads of the run."""
    return tf.Session(
        config=tf.ConfigProto(
            intra_op_parallelism_threads=run_config.intra_op_threads,
            inter_op_parallelism_threads=run_config.inter_op_threads,
        )
    )


def summary(times: list[float]) -> dict[str, float]:
    """Return the mean, the median and the quartiles."""
    return {"mean": round(statistics.mean(times), 3), **report.spread(times)}


if __name__ == "__main__":
    main()
