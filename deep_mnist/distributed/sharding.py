"""The part of the training set, and the seed, that belong to each worker."""

from __future__ import annotations

from deep_mnist.data import Split
from deep_mnist.distributed.task import Task
from deep_mnist.errors import DeepMnistError

STRIDE = 1_000_003  # between the seeds of workers: runs with nearby seeds have none in common


def shard(split: Split, task: Task) -> Split:
    """Return every N-th example, from the worker's rank on; N is the number of workers.

    Shards of workers that know the whole cluster are disjoint.

    Raises:
      DeepMnistError: there are more workers than examples.
    """
    if task.num_ranks > len(split.labels):
        raise DeepMnistError(
            f"the cluster has {task.num_ranks} workers by the largest index, and the training set "
            f"only {len(split.labels)} examples",
            hint="number the workers from 0",
        )
    own = slice(task.rank, None, task.num_ranks)
    return Split(split.images[own], split.labels[own])


def seed(seed: int, task: Task) -> int:
    """Return the seed of a worker's shuffling and dropout; the chief's is that of the run."""
    return (seed + STRIDE * task.rank) % 2**31
