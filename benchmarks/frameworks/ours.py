"""deep_mnist.cnn as it is, with the loop of its `train`.

The last argument is the precision: float32 or bfloat16.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import contender

from deep_mnist import cnn, data, training
from deep_mnist.lazy_tensorflow import import_quietly, tf
from deep_mnist.training import environment


class Ours:
    def __init__(self, keep_prob: float, precision: str) -> None:
        import_quietly()
        self.config = cnn.Config(keep_prob=keep_prob, precision=precision)
        self.digits = data.load_data("mnist")
        with tf.Graph().as_default():
            self.model = cnn.build(self.config)
            self.sess = training.Session(self.model, self.config)
        self.sess.initialize()
        self.batches = data.batches(
            self.digits.train, self.config.batch_size, self.config.seed, first_step=0
        )
        self.versions = environment.versions()

    def train(self, steps: int) -> float:
        model, config, sess = self.model, self.config, self.sess
        start = time.perf_counter()
        for _ in range(steps):
            batch = next(self.batches)
            feed = {model.x: batch.images, model.y_: batch.labels}
            sess.run(model.train_step, feed_dict={**feed, model.keep_prob: config.keep_prob})
        return time.perf_counter() - start

    def losses(self, steps: int) -> list[float]:
        model, config = self.model, self.config
        values = []
        for _ in range(steps):
            batch = next(self.batches)
            feed = {
                model.x: batch.images,
                model.y_: batch.labels,
                model.keep_prob: config.keep_prob,
            }
            values.append(float(self.sess.run(model.loss, feed_dict=feed)))
            self.sess.run(model.train_step, feed_dict=feed)
        return values

    def classify(self, images: Any) -> Any:
        feed = {self.model.x: data.scale(images)}
        return self.sess.run(self.model.logits, feed_dict=feed).argmax(axis=1)


if __name__ == "__main__":
    _, _, keep_prob, precision = sys.argv
    ours = Ours(float(keep_prob), precision)
    contender.serve(ours, ours.digits.test.images)
