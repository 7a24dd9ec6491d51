"""PyTorch: channels last, fused Adam.

Flags: "compile" for torch.compile, "bfloat16" for autocast.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import protocol
import shared_inputs
import torch
import torch.nn.functional as F  # noqa: N812
from protocol import BATCH_SIZE, LEARNING_RATE
from recipe import Batches, Recipe
from torch import nn


class Network(nn.Module):  # type: ignore[misc]
    def __init__(self, keep_prob: float) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 5, padding=2)
        self.conv2 = nn.Conv2d(32, 64, 5, padding=2)
        self.fc1 = nn.Linear(7 * 7 * 64, 1024)
        self.dropout = nn.Dropout(1 - keep_prob)
        self.fc2 = nn.Linear(1024, 10)

    def forward(self, x: Any) -> Any:
        h = F.max_pool2d(F.relu(self.conv1(x)), 2)
        h = F.max_pool2d(F.relu(self.conv2(h)), 2)
        h = h.permute(0, 2, 3, 1).flatten(1)  # channels last: no copy
        return self.fc2(self.dropout(F.relu(self.fc1(h))))

    def load(self, weights: dict[str, Any]) -> None:
        """Copy weights given as [height, width, in, out] and [in, out]."""
        W = {name: torch.from_numpy(value) for name, value in weights.items()}
        with torch.no_grad():
            for layer in ("conv1", "conv2"):
                getattr(self, layer).weight.copy_(W[f"W_{layer}"].permute(3, 2, 0, 1))
                getattr(self, layer).bias.copy_(W[f"b_{layer}"])
            for layer in ("fc1", "fc2"):
                getattr(self, layer).weight.copy_(W[f"W_{layer}"].T)
                getattr(self, layer).bias.copy_(W[f"b_{layer}"])


class PyTorch:
    def __init__(self, inputs: shared_inputs.Inputs, keep_prob: float, flags: list[str]) -> None:
        self.autocast = torch.autocast("cpu", dtype=torch.bfloat16, enabled="bfloat16" in flags)
        self.images = torch.from_numpy(inputs.images)
        self.labels = torch.from_numpy(inputs.labels.astype(np.int64))
        self.order = torch.from_numpy(inputs.order)
        self.step = 0
        self.network = Network(keep_prob)
        self.weights = inputs.weights
        self.network.load(self.weights)
        self.network.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.Adam(self.network.parameters(), LEARNING_RATE, fused=True)
        self.forward, self.infer = self.network, self.network
        if "compile" in flags:
            # Two, so that the other batch shape does not recompile the training step.
            self.forward = torch.compile(self.network, dynamic=False)
            self.infer = torch.compile(self.network, dynamic=False)
        self.versions = {"torch": torch.__version__, "numpy": np.__version__}

    def scale(self, images: Any) -> Any:
        return images.view(-1, 1, 28, 28).float().mul(1 / 255)

    def training_step(self) -> Any:
        chosen = self.order[self.step * BATCH_SIZE : (self.step + 1) * BATCH_SIZE]
        self.step += 1
        images, labels = self.scale(self.images[chosen]), self.labels[chosen]
        self.optimizer.zero_grad()
        with self.autocast:
            loss = F.cross_entropy(self.forward(images), labels, reduction="sum")
        loss.backward()
        self.optimizer.step()
        return loss

    def train(self, steps: int) -> float:
        self.network.train()
        start = time.perf_counter()
        for _ in range(steps):
            self.training_step()
        return time.perf_counter() - start

    def losses(self, steps: int) -> list[float]:
        self.network.train()
        return [self.training_step().item() for _ in range(steps)]

    def train_recipe(self, recipe: Recipe, batches: Batches) -> None:
        self.network.load(recipe.initial(self.weights))
        self.network.train()
        self.network.dropout.p = 1 - recipe.keep_prob
        optimizer = torch.optim.Adam(
            self.network.parameters(), betas=(0.9, recipe.beta2), fused=True
        )
        for step, batch in batches:
            optimizer.param_groups[0]["lr"] = recipe.rate(step)
            images = torch.from_numpy(batch.images).view(-1, 1, 28, 28)
            optimizer.zero_grad()
            with self.autocast:
                logits = self.forward(images)
                loss = F.cross_entropy(logits, torch.from_numpy(batch.labels), reduction="sum")
            loss.backward()
            optimizer.step()

    def classify(self, images: Any) -> Any:
        self.network.eval()
        with torch.inference_mode(), self.autocast:
            return self.infer(self.scale(torch.from_numpy(images))).argmax(1).numpy()


if __name__ == "__main__":
    _, directory, keep_prob, *flags = sys.argv
    inputs = shared_inputs.read(directory)
    pytorch = PyTorch(inputs, float(keep_prob), flags)
    protocol.serve(pytorch, inputs, pytorch.train_recipe)
