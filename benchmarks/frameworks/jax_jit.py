"""JAX: pure functions, jit, Adam from Optax."""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import protocol
import shared_inputs
from protocol import BATCH_SIZE, LEARNING_RATE
from recipe import Batches, Recipe

OPTIMIZER = optax.adam(LEARNING_RATE)


def conv2d(x: Any, W: Any) -> Any:
    dimensions = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(x, W, (1, 1), "SAME", dimension_numbers=dimensions)


def max_pool_2x2(x: Any) -> Any:
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "SAME")


def logits(W: Any, x: Any, keep_prob: float = 1.0, key: Any = None) -> Any:
    """Return the logits [B, 10] of x [B, 784]; with a key, units are dropped."""
    h = jax.nn.relu(conv2d(x.reshape(-1, 28, 28, 1), W["W_conv1"]) + W["b_conv1"])
    h = jax.nn.relu(conv2d(max_pool_2x2(h), W["W_conv2"]) + W["b_conv2"])
    h = max_pool_2x2(h).reshape(-1, 7 * 7 * 64)
    h = jax.nn.relu(h @ W["W_fc1"] + W["b_fc1"])
    if key is not None:
        h = jnp.where(jax.random.bernoulli(key, keep_prob, h.shape), h / keep_prob, 0)
    return h @ W["W_fc2"] + W["b_fc2"]


def loss(W: Any, x: Any, labels: Any, keep_prob: float, key: Any) -> Any:
    outputs = logits(W, x, keep_prob, key)
    return optax.softmax_cross_entropy_with_integer_labels(outputs, labels).sum()


def train_step(W: Any, state: Any, x: Any, labels: Any, keep_prob: float, key: Any) -> Any:
    value, gradients = jax.value_and_grad(loss)(W, x, labels, keep_prob, key)
    updates, state = OPTIMIZER.update(gradients, state)
    return optax.apply_updates(W, updates), state, value


def prediction(W: Any, x: Any) -> Any:
    return logits(W, x).argmax(1)


class Jax:
    def __init__(self, inputs: shared_inputs.Inputs, keep_prob: float) -> None:
        self.inputs = inputs
        self.keep_prob = keep_prob
        self.step = 0
        self.W = jax.tree.map(jnp.array, inputs.weights)
        self.state = OPTIMIZER.init(self.W)
        self.key = jax.random.key(0)
        self.train_step = jax.jit(train_step, static_argnames="keep_prob", donate_argnums=(0, 1))
        self.prediction = jax.jit(prediction)
        self.versions = {"jax": jax.__version__, "jaxlib": jax.lib.__version__}

    def scale(self, images: Any) -> Any:
        return images.astype(np.float32) * np.float32(1 / 255)

    def training_step(self) -> Any:
        chosen = self.inputs.order[self.step * BATCH_SIZE : (self.step + 1) * BATCH_SIZE]
        images, labels = self.scale(self.inputs.images[chosen]), self.inputs.labels[chosen]
        key = jax.random.fold_in(self.key, self.step)
        self.step += 1
        self.W, self.state, value = self.train_step(
            self.W, self.state, images, labels, self.keep_prob, key
        )
        return value

    def train(self, steps: int) -> float:
        start = time.perf_counter()
        for _ in range(steps):
            self.training_step()
        jax.block_until_ready(self.W)
        return time.perf_counter() - start

    def losses(self, steps: int) -> list[float]:
        return [float(self.training_step()) for _ in range(steps)]

    def train_recipe(self, recipe: Recipe, batches: Batches) -> None:
        self.W = jax.tree.map(jnp.array, recipe.initial(self.inputs.weights))
        rates = jnp.array([recipe.rate(step) for step in range(recipe.steps)])
        optimizer = optax.adam(lambda step: rates[step], b2=recipe.beta2)
        state = optimizer.init(self.W)

        @partial(jax.jit, donate_argnums=(0, 1))
        def train_step(W: Any, state: Any, x: Any, labels: Any, key: Any) -> Any:
            def loss(W: Any) -> Any:
                outputs = logits(W, x, recipe.keep_prob, key)
                return optax.softmax_cross_entropy(outputs, labels).sum()

            updates, state = optimizer.update(jax.grad(loss)(W), state)
            return optax.apply_updates(W, updates), state

        for step, batch in batches:
            key = jax.random.fold_in(self.key, step)
            self.W, state = train_step(self.W, state, *batch, key)
        jax.block_until_ready(self.W)

    def classify(self, images: Any) -> Any:
        return np.asarray(self.prediction(self.W, self.scale(images)))


if __name__ == "__main__":
    _, directory, keep_prob = sys.argv
    inputs = shared_inputs.read(directory)
    jax_jit = Jax(inputs, float(keep_prob))
    protocol.serve(jax_jit, inputs, jax_jit.train_recipe)
