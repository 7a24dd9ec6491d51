"""A worker's share of the training examples, and a seed of its own."""

from __future__ import annotations

from deep_mnist.data import Split
from deep_mnist.distributed.task import Task
from deep_mnist.errors import DeepMnistError

STRIDE = 1_000_003  # between the seeds of neighbours: runs with near seeds share none


def of(split: Split, task: Task) -> Split:
    """Every so many-th example: the shards are disjoint, and of all classes.

    In the sparse form a task knows of some workers alone, and shards may overlap.

    Raises:
      DeepMnistError: there are more workers than examples.
    """
    if task.size > len(split.labels):
        raise DeepMnistError(
            f"the cluster has {task.size} workers by the largest index, and the training set "
            f"{len(split.labels)} examples to share: number the workers from 0"
        )
    return Split(split.images[task.position :: task.size], split.labels[task.position :: task.size])


def seed(seed: int, task: Task) -> int:
    """For the order of a worker's examples and its dropout masks; the chief's is the run's."""
    return (seed + STRIDE * task.position) % 2**31
