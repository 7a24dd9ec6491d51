"""Keras 3 on TensorFlow: a Sequential model and `fit`."""

from __future__ import annotations

import sys
import time
from typing import Any

import keras
import numpy as np
import protocol
import shared_inputs
import tensorflow as tf
from protocol import BATCH_SIZE, LEARNING_RATE
from recipe import Batches, Recipe


class Clock(keras.callbacks.Callback):  # type: ignore[misc]
    """Time from the first to the end of the last batch of a `fit`, and its loss."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if batch == 0:
            self.start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any) -> None:
        self.end = time.perf_counter()
        self.loss = float(logs["loss"])


def network(keep_prob: float) -> Any:
    return keras.Sequential(
        [
            keras.layers.Input([28, 28, 1]),
            keras.layers.Conv2D(32, 5, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(64, 5, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(1024, activation="relu"),
            keras.layers.Dropout(1 - keep_prob),
            keras.layers.Dense(10),
        ]
    )


class KerasFit:
    def __init__(self, inputs: shared_inputs.Inputs, keep_prob: float) -> None:
        self.inputs = inputs
        self.step = 0
        self.model = network(keep_prob)
        self.model.set_weights(list(inputs.weights.values()))
        self.model.compile(
            keras.optimizers.Adam(LEARNING_RATE, epsilon=1e-8),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum"),
            jit_compile=False,  # XLA, the default, is half as fast on a CPU
        )
        self.versions = {"keras": keras.__version__, "tensorflow": tf.__version__}

    def fit(self, steps: int) -> Clock:
        """Fit the images of the next steps, all scaled before, as users of Keras do."""
        chosen = self.inputs.order[self.step * BATCH_SIZE : (self.step + steps) * BATCH_SIZE]
        self.step += steps
        clock = Clock()
        self.model.fit(
            self.scale(self.inputs.images[chosen]),
            self.inputs.labels[chosen],
            batch_size=BATCH_SIZE,
            shuffle=False,
            verbose=0,
            callbacks=[clock],
        )
        return clock

    def scale(self, images: Any) -> Any:
        return images.reshape(-1, 28, 28, 1).astype(np.float32) * np.float32(1 / 255)

    def train(self, steps: int) -> float:
        clock = self.fit(steps)
        return clock.end - clock.start

    def losses(self, steps: int) -> list[float]:
        # A step at a time, because what `fit` logs is the mean over the batches so far.
        return [self.fit(1).loss for _ in range(steps)]

    def train_recipe(self, recipe: Recipe, batches: Batches) -> None:
        model = network(recipe.keep_prob)
        model.set_weights(list(recipe.initial(self.inputs.weights).values()))
        model.compile(
            keras.optimizers.Adam(beta_2=recipe.beta2, epsilon=1e-8),
            keras.losses.CategoricalCrossentropy(from_logits=True, reduction="sum"),
            jit_compile=False,
        )

        def set_rate(step: int, logs: Any = None) -> None:
            model.optimizer.learning_rate = recipe.rate(step)

        model.fit(
            ((x.reshape(-1, 28, 28, 1), labels) for _, (x, labels) in batches),
            steps_per_epoch=recipe.steps,
            verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_train_batch_begin=set_rate)],
        )
        self.model = model

    def classify(self, images: Any) -> Any:
        return self.model.predict_on_batch(self.scale(images)).argmax(axis=1)


if __name__ == "__main__":
    _, directory, keep_prob = sys.argv
    inputs = shared_inputs.read(directory)
    keras_fit = KerasFit(inputs, float(keep_prob))
    protocol.serve(keras_fit, inputs, keras_fit.train_recipe)
