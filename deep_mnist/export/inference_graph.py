"""The graph that is exported: images -> scores and classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from deep_mnist.export.library_output import hold_back_output
from deep_mnist.export.model import TrainedModel
from deep_mnist.inference import PROGRAMS
from deep_mnist.lazy_tensorflow import tf

IMAGES, SCORES, CLASSES = "images", "scores", "classes"


class Tensors(NamedTuple):
    """The graph's input and outputs. Their names in the graph are the names of the fields."""

    images: Any  # [B, 784] float32 in [0, 1]
    scores: Any  # [B, 10] float32, rows sum to 1
    classes: Any  # [B] int32: TensorFlow Lite for Microcontrollers has no int64 argmax


def add_graph(model: TrainedModel, weights: Mapping[str, Any]) -> Tensors:
    """Add the model to the default graph, without its initial values, dropout and training.

    Args:
      model: the program, its Config, and the shapes of its weights.
      weights: constants or variables of the default graph, by variable name.
    """
    # The tutorial's inference(...) creates variables. Here it gets placeholders instead, which
    # the import replaces by `weights`; the initial values stay behind in the first graph.
    graph_def = _graph_def(model)
    for node in [node for node in graph_def.node if node.name in weights]:
        graph_def.node.remove(node)
    replacements = {f"{name}:0": tf.convert_to_tensor(w) for name, w in weights.items()}
    names = [f"{name}:0" for name in Tensors._fields]
    return Tensors(*tf.import_graph_def(graph_def, replacements, names, name=""))


def _graph_def(model: TrainedModel) -> Any:
    """Return the model's graph with a placeholder for each variable."""

    def placeholder(next_creator: Any, name: str, **kwargs: Any) -> Any:
        return tf.placeholder(tf.float32, model.weights[name].shape, name=name)

    program = PROGRAMS[model.name]
    with tf.Graph().as_default() as graph:
        images = tf.placeholder(tf.float32, [None, 784], name=IMAGES)
        with tf.variable_creator_scope(placeholder):
            logits = program.inference(images, model.config)  # [B, 10]
        if program.predicts_probabilities:
            probabilities = tf.nn.softmax(logits)  # [B, 10]
        else:
            probabilities = nearest_probabilities(logits)
        tf.identity(probabilities, name=SCORES)
        # From the logits: int8 can round two different logits to the same probability.
        tf.argmax(logits, axis=1, output_type=tf.int32, name=CLASSES)  # [B]
    with hold_back_output():  # a notice that the function is part of TensorFlow 1's interface
        return tf.graph_util.extract_sub_graph(graph.as_graph_def(), [SCORES, CLASSES])


def nearest_probabilities(outputs: Any) -> Any:
    """Return the probabilities that are nearest to a model's outputs in squared error.

    They are max(outputs - t, 0), where t is the largest of (o_1 + ... + o_k - 1) / k over
    k = 1..10, and o are the outputs in descending order. The sums are a matrix product, which int8
    supports. The matrix is computed: as a constant of a frozen graph it could be mistaken for the
    weights of a layer. See deep_mnist.inference.nearest_probabilities.

    Args:
      outputs: [B, 10] float32.

    Returns:
      [B, 10] float32, rows sum to 1.
    """
    descending, _ = tf.nn.top_k(outputs, k=10)  # [B, 10]
    k = tf.range(1.0, 11.0)  # [10]
    means = tf.cast(tf.range(10)[:, None] <= tf.range(10), tf.float32) / k  # [10, 10]
    t = tf.reduce_max(tf.matmul(descending, means) - 1 / k, axis=1, keepdims=True)  # [B, 1]
    return tf.nn.relu(outputs - t)
