"""deep_mnist.cnn, with the training loop of its `train`, and load_model("cnn").

The last arguments are the precision, float32 or bfloat16, and the number of threads within an op.
"""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Any

import protocol
import shared_inputs

from deep_mnist import cnn, data, load_model, training
from deep_mnist.lazy_tensorflow import import_quietly, tf
from deep_mnist.training import RunConfig, environment
from deep_mnist.training.fast_gradients import fast_gradients


class Ours:
    def __init__(self, keep_prob: float, precision: str, threads: int) -> None:
        import_quietly()
        self.config = cnn.Config(keep_prob=keep_prob)
        self.mnist = data.load_data("mnist")
        run_config = RunConfig(precision=precision, intra_op_threads=threads)
        gradients = fast_gradients if precision == "float32" else contextlib.nullcontext
        with tf.Graph().as_default(), gradients():
            tf.set_random_seed(run_config.seed)
            self.model = cnn.build(self.config)
            self.session = training.Session(self.model, run_config)
        self.session.initialize()
        self.classifier = load_model("cnn", intra_op_threads=threads)
        self.batches = data.batches(
            self.mnist.train, self.config.batch_size, run_config.seed, first_step=0
        )
        self.versions = environment.versions()

    def next_feed(self) -> dict[Any, Any]:
        batch, model = next(self.batches), self.model
        return {
            model.x: batch.images,
            model.y_: batch.labels,
            model.keep_prob: self.config.keep_prob,
        }

    def train(self, steps: int) -> float:
        start = time.perf_counter()
        for _ in range(steps):
            self.session.run(self.model.train_step, feed_dict=self.next_feed())
        return time.perf_counter() - start

    def losses(self, steps: int) -> list[float]:
        values = []
        for _ in range(steps):
            feed = self.next_feed()
            values.append(float(self.session.run(self.model.loss, feed_dict=feed)))
            self.session.run(self.model.train_step, feed_dict=feed)
        return values

    def classify(self, images: Any) -> Any:
        return self.classifier.predict(images)


if __name__ == "__main__":
    _, directory, keep_prob, precision, threads = sys.argv
    ours = Ours(float(keep_prob), precision, int(threads))
    protocol.serve(ours, shared_inputs.read(directory))
