"""Where a program's graph runs: in this process alone, or as its part in a cluster.

The graph carries the answer in a collection. Without a cluster nothing of one is imported.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deep_mnist import data
from deep_mnist.cli.flags import Options
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training.run import Run
from deep_mnist.training.session import Session

COLLECTION = "deep_mnist/member"


@contextmanager
def graph(options: Options) -> Iterator[None]:
    """A new default graph to build in; in a cluster with the devices of its variables and ops."""
    with tf.Graph().as_default():
        if options.member is None:
            yield
        else:
            members = importlib.import_module("deep_mnist.distributed.roles")
            member = members.create(options.member)
            tf.add_to_collection(COLLECTION, member)
            with member.devices():
                yield


def replicated(optimizer: Any) -> Any:
    """The optimizer; in a cluster that trains synchronously, one that combines the gradients."""
    member = _member()
    return optimizer if member is None else member.replicated(optimizer)


def open_session(model: Any, config: Any) -> Session:
    """A Session of the default graph; in a cluster one whose variables are shared."""
    member = _member()
    session: Session = Session(model, config) if member is None else member.session(model, config)
    return session


def open_run(name: str, sess: Session, digits: data.Dataset, config: Any, options: Options) -> Run:
    """The Run of this process; in a cluster the chief's, a worker's or the evaluator's."""
    member = _member()
    run: Run = (Run if member is None else member.run)(name, sess, digits, config, options)
    return run


def _member() -> Any:
    found = tf.get_collection(COLLECTION)
    return found[0] if found else None
