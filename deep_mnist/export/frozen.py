"""A frozen graph: a GraphDef in which the weights are constants, named like the variables.

`--restore` reads the weights from it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deep_mnist.export import inference_graph
from deep_mnist.export.model import Images, Outputs, Predict, TrainedModel
from deep_mnist.lazy_tensorflow import tf


def graph_def(model: TrainedModel) -> Any:
    """Return the GraphDef, with the nodes `images`, `scores` and `classes`."""
    with tf.Graph().as_default() as graph:
        constants = {name: tf.constant(w, name=name) for name, w in model.weights.items()}
        inference_graph.add_graph(model, constants)
        # Without default values, older versions of TensorFlow know all attributes.
        return tf.train.export_meta_graph(
            graph_def=graph.as_graph_def(), strip_default_attrs=True
        ).graph_def


def write(model: TrainedModel, file: Path, calibration: Images) -> None:
    """Write the GraphDef as a binary protocol buffer."""
    file.write_bytes(graph_def(model).SerializeToString())


def load(file: Path, model: TrainedModel) -> Predict:
    """Return a function that runs the graph in a session of its own."""
    graph_def = tf.GraphDef.FromString(file.read_bytes())
    with tf.Graph().as_default() as graph:
        names = [f"{name}:0" for name in inference_graph.Tensors._fields]
        images, *outputs = tf.import_graph_def(graph_def, return_elements=names, name="")
    session = tf.Session(graph=graph)
    return lambda batch: Outputs(*session.run(outputs, {images: batch}))
