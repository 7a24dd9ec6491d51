"""What a program's graph, optimizer, session and run are in each task that has a graph."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from deep_mnist.distributed.all_reduce import AllReduce
from deep_mnist.distributed.evaluator import Evaluator
from deep_mnist.distributed.parameter_server_strategy import BetweenGraphs
from deep_mnist.distributed.task import ALL_REDUCE, Task
from deep_mnist.training.session import Session


class Watching:
    """The evaluator has a graph of its own, as a single process has."""

    session = Session
    run = Evaluator

    def devices(self) -> AbstractContextManager[None]:
        return nullcontext()

    def replicated(self, optimizer: Any) -> Any:
        return optimizer


def create(task: Task) -> AllReduce | BetweenGraphs | Watching:
    """The member that a task is."""
    if task.job == "evaluator":
        return Watching()
    return AllReduce(task) if task.strategy == ALL_REDUCE else BetweenGraphs(task)
