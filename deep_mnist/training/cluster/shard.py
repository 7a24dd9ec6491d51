"""A worker's share of the training examples, and a seed of its own."""

from __future__ import annotations

from deep_mnist.data import Split
from deep_mnist.training.cluster.task import Task

STRIDE = 1_000_003  # between the seeds of neighbours: runs with near seeds share none


def of(split: Split, task: Task) -> Split:
    """Every so many-th example: the shards are disjoint, and of all classes."""
    workers = len(task.workers)
    return Split(split.images[task.position :: workers], split.labels[task.position :: workers])


def seed(seed: int, task: Task) -> int:
    """For the order of a worker's examples and its dropout masks; the chief's is the run's."""
    return (seed + STRIDE * task.position) % 2**31
