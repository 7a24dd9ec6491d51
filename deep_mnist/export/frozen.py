"""A frozen GraphDef: the weights are constants, named as the program's variables are.

`--restore` reads them back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from deep_mnist.export import inference_graph
from deep_mnist.export.library_output import quietly
from deep_mnist.export.model import Answers, Images, Run, Trained
from deep_mnist.lazy_tensorflow import tf


def graph_def(trained: Trained) -> Any:
    """The graph, with nodes `images`, `scores` and `classes`."""
    with tf.Graph().as_default() as graph:
        session, handles = inference_graph.open_session(trained)
        with session, quietly():
            return tf.graph_util.convert_variables_to_constants(
                session, graph.as_graph_def(), list(handles._fields)
            )


def write(trained: Trained, file: Path, calibration: Images) -> None:
    """Writes it in binary."""
    file.write_bytes(graph_def(trained).SerializeToString())


def load(file: Path) -> Callable[[Images], Answers]:
    """The model as a function, imported into a graph and a session of its own."""
    graph_def = tf.GraphDef.FromString(file.read_bytes())
    with tf.Graph().as_default() as graph:
        tensors = [f"{name}:0" for name in inference_graph.Handles._fields]
        placeholder, *fetches = tf.import_graph_def(graph_def, return_elements=tensors, name="")
    session = tf.Session(graph=graph)
    return lambda images: Answers(*session.run(fetches, {placeholder: images}))


def opened(file: Path, trained: Trained) -> Run:
    """Runs it in a session."""

    def run(batches: Sequence[Images]) -> list[Answers]:
        call = load(file)
        return [call(batch) for batch in batches]

    return run
