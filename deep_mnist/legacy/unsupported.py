"""Names that the bridge does not support: the release that removed them, and a replacement."""

from __future__ import annotations

SEQ2SEQ = (
    "copy it from tensorflow-addons (tfa.seq2seq), which is not maintained any more; "
    "losses over sequences are tf.nn.sparse_softmax_cross_entropy_with_logits"
)
# The longest prefix of the dotted name below `tensorflow` wins.
ADVICE: dict[str, tuple[str, str]] = {
    "": ("1.0 or 2.0", "look it up in TensorFlow's tf_upgrade_v2 tables of renamed symbols"),
    "contrib": ("2.0", "use tf.nn, tf.train, tf.layers or tf.contrib.layers, which are supported"),
    "contrib.boosted_trees": ("2.0", "use the package tensorflow-decision-forests"),
    "contrib.bayesflow": ("2.0", "use the package tensorflow-probability"),
    "contrib.cudnn_rnn": ("2.0", "use tf.nn.rnn_cell.LSTMCell with tf.nn.dynamic_rnn"),
    "contrib.crf": ("2.0", "copy it from tensorflow-addons, which is not maintained any more"),
    "contrib.distribute": ("2.0", "use tf.distribute"),
    "contrib.distributions": ("2.0", "use the package tensorflow-probability"),
    "contrib.factorization": ("2.0", "use tf.contrib.factorization.KMeans or scikit-learn"),
    "contrib.gan": ("2.0", "use the package tensorflow-gan"),
    "contrib.learn": ("2.0", "use tf.estimator.Estimator"),
    "contrib.legacy_seq2seq": ("2.0", SEQ2SEQ),
    "contrib.lite": ("2.0", "use tf.lite"),
    "contrib.metrics": ("2.0", "use tf.metrics"),
    "contrib.graph_editor": ("2.0", "use tf.import_graph_def with input_map"),
    "contrib.integrate": ("2.0", "use tensorflow_probability.math.ode"),
    "contrib.quantize": ("2.0", "use the package tensorflow-model-optimization"),
    "contrib.seq2seq": ("2.0", SEQ2SEQ),
    "contrib.session_bundle": ("2.0", "use tf.saved_model.simple_save"),
    "contrib.opt": ("2.0", "use the optimizers of tf.train"),
    "contrib.rnn": ("2.0", "use tf.nn.rnn_cell.LSTMCell or GRUCell"),
    "contrib.slim.nets": ("2.0", "copy the network from the models of tf_slim (tf_slim/nets)"),
    "contrib.tensor_forest": (
        "2.0",
        "use sklearn.ensemble.RandomForestClassifier or the package tensorflow-decision-forests",
    ),
    "contrib.tensorrt": ("2.0", "use the TensorRT that NVIDIA distributes, on an ONNX file"),
    "estimator": ("2.16", "use tf.estimator.Estimator with a model_fn"),
    "keras": ("2.16", "use the layers of tf.keras.layers, on tf_keras"),
    "keras.wrappers": ("2.13", "use the package scikeras"),
    "models": ("1.0", "use tf.nn and tf.nn.rnn_cell"),
    "nn.seq2seq": ("1.0", SEQ2SEQ),
    "python": ("1.x or 2.x", "use the public name, without tensorflow.python"),
}


class RemovedNameError(AttributeError):
    """`tf.<name>`, which the bridge does not support."""

    def __init__(self, what: str, instead: str) -> None:
        super().__init__(f"{what} {instead}")
        self.parts = (what, instead)


class RemovedModuleError(ModuleNotFoundError):
    """`import tensorflow.<name>`, which the bridge does not support."""

    def __init__(self, what: str, instead: str) -> None:
        super().__init__(f"{what} {instead}", name=what)
        self.parts = (what, instead)


def advice(path: str) -> str:
    """Return what to report about a name: the release that removed it, and a replacement."""
    prefix = path
    while prefix not in ADVICE:
        prefix = prefix.rpartition(".")[0]
    release, instead = ADVICE[prefix]
    if not prefix:
        return f"is not covered here; if it existed, TensorFlow {release} removed it: {instead}"
    return f"was removed in TensorFlow {release} and is not covered here: {instead}"
