"""The tutorial's graph in a plain tf.Session."""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import protocol
import shared_inputs
import tensorflow.compat.v1 as tf
from protocol import BATCH_SIZE, LEARNING_RATE
from recipe import Batches, Recipe


class Tutorial:
    def __init__(self, inputs: shared_inputs.Inputs, keep_prob: float) -> None:
        self.keep_prob_fed = keep_prob
        self.images = inputs.images.astype(np.float32) * np.float32(1 / 255)
        self.labels = np.eye(10, dtype=np.float32)[inputs.labels]
        self.order = inputs.order
        self.weights = inputs.weights
        self.step = 0
        with tf.Graph().as_default():
            self.build(inputs.weights)
            self.sess = tf.Session()
            self.sess.run(tf.global_variables_initializer())
        self.versions = {"tensorflow": tf.__version__, "numpy": np.__version__}

    def build(self, initial: dict[str, Any]) -> None:
        """The tutorial's graph."""
        self.x = tf.placeholder(tf.float32, [None, 784])
        self.y_ = tf.placeholder(tf.float32, [None, 10])
        self.keep_prob = tf.placeholder(tf.float32)
        W = {name: tf.Variable(value, name=name) for name, value in initial.items()}

        x_image = tf.reshape(self.x, [-1, 28, 28, 1])
        h_conv1 = tf.nn.relu(self.conv2d(x_image, W["W_conv1"]) + W["b_conv1"])
        h_pool1 = self.max_pool_2x2(h_conv1)
        h_conv2 = tf.nn.relu(self.conv2d(h_pool1, W["W_conv2"]) + W["b_conv2"])
        h_pool2 = self.max_pool_2x2(h_conv2)
        h_pool2_flat = tf.reshape(h_pool2, [-1, 7 * 7 * 64])
        h_fc1 = tf.nn.relu(tf.matmul(h_pool2_flat, W["W_fc1"]) + W["b_fc1"])
        h_fc1_drop = tf.nn.dropout(h_fc1, rate=1 - self.keep_prob)
        logits = tf.matmul(h_fc1_drop, W["W_fc2"]) + W["b_fc2"]

        cross_entropy = tf.nn.softmax_cross_entropy_with_logits_v2(labels=self.y_, logits=logits)
        self.loss = tf.reduce_sum(cross_entropy)
        self.train_step = tf.train.AdamOptimizer(LEARNING_RATE).minimize(self.loss)
        self.prediction = tf.argmax(logits, 1)

    def conv2d(self, x: Any, W: Any) -> Any:
        return tf.nn.conv2d(x, W, strides=[1, 1, 1, 1], padding="SAME")

    def max_pool_2x2(self, x: Any) -> Any:
        return tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")

    def next_feed(self) -> dict[Any, Any]:
        chosen = self.order[self.step * BATCH_SIZE : (self.step + 1) * BATCH_SIZE]
        self.step += 1
        return {
            self.x: self.images[chosen],
            self.y_: self.labels[chosen],
            self.keep_prob: self.keep_prob_fed,
        }

    def train(self, steps: int) -> float:
        start = time.perf_counter()
        for _ in range(steps):
            self.sess.run(self.train_step, feed_dict=self.next_feed())
        return time.perf_counter() - start

    def losses(self, steps: int) -> list[float]:
        values = []
        for _ in range(steps):
            feed = self.next_feed()
            values.append(float(self.sess.run(self.loss, feed_dict=feed)))
            self.sess.run(self.train_step, feed_dict=feed)
        return values

    def train_recipe(self, recipe: Recipe, batches: Batches) -> None:
        graph = self.sess.graph
        with graph.as_default():
            rate = tf.placeholder(tf.float32, [])
            optimizer = tf.train.AdamOptimizer(rate, beta2=recipe.beta2)
            train_step = optimizer.minimize(self.loss)
            self.sess.run(tf.global_variables_initializer())
            initial = recipe.initial(self.weights)
            for variable in tf.trainable_variables():
                variable.load(initial[variable.op.name], self.sess)
        for step, batch in batches:
            feed = {self.x: batch.images, self.y_: batch.labels, rate: recipe.rate(step)}
            self.sess.run(train_step, {**feed, self.keep_prob: recipe.keep_prob})

    def classify(self, images: Any) -> Any:
        scaled = images.astype(np.float32) * np.float32(1 / 255)
        return self.sess.run(self.prediction, feed_dict={self.x: scaled, self.keep_prob: 1.0})


if __name__ == "__main__":
    _, directory, keep_prob = sys.argv
    inputs = shared_inputs.read(directory)
    tutorial = Tutorial(inputs, float(keep_prob))
    protocol.serve(tutorial, inputs, tutorial.train_recipe)
