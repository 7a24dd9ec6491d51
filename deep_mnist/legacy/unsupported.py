"""Names that this bridge does not cover: the release that dropped them, what to write instead."""

from __future__ import annotations

# The longest prefix of the dotted name below `tensorflow` wins.
ADVICE: dict[str, tuple[str, str]] = {
    "": ("1.0 or 2.0", "look it up in TensorFlow's tf_upgrade_v2 tables of renamed symbols"),
    "contrib": ("2.0", "write the same with tf.nn, tf.train and variables of your own"),
    "contrib.bayesflow": ("2.0", "use the package tensorflow-probability"),
    "contrib.cudnn_rnn": ("2.0", "use tf.nn.rnn_cell.LSTMCell with tf.nn.dynamic_rnn"),
    "contrib.crf": (
        "2.0",
        "write its recursion as ops, or copy it from tensorflow-addons, which is at its end",
    ),
    "contrib.distribute": ("2.0", "use tf.distribute"),
    "contrib.distributions": ("2.0", "use the package tensorflow-probability"),
    "contrib.factorization": ("2.0", "use scikit-learn's KMeans, or write the steps as ops"),
    "contrib.gan": ("2.0", "use the package tensorflow-gan, or write the two losses as ops"),
    "contrib.learn": ("2.0", "use tf.estimator.Estimator, which this bridge has"),
    "contrib.legacy_seq2seq": ("2.0", "use tf.nn.dynamic_rnn"),
    "contrib.lite": ("2.0", "use tf.lite"),
    "contrib.metrics": ("2.0", "use tf.metrics"),
    "contrib.quantize": ("2.0", "use the package tensorflow-model-optimization"),
    "contrib.seq2seq": ("2.0", "use tf.nn.dynamic_rnn"),
    "contrib.slim.nets": ("2.0", "build the network from tf.layers"),
    "contrib.tensor_forest": ("2.0", "use scikit-learn's random forest"),
    "contrib.tensorrt": ("2.0", "use tf.experimental.tensorrt"),
    "contrib.tpu": ("2.0", "use tf.distribute.TPUStrategy"),
    "estimator": ("2.16", "use tf.estimator.Estimator with a model_fn, which this bridge has"),
    "keras": ("2.16", "install tf_keras, or use the layers of this name in tf.layers"),
    "models": ("1.0", "use tf.nn and tf.nn.rnn_cell"),
    "nn.seq2seq": ("1.0", "use tf.nn.dynamic_rnn"),
    "python": ("1.x or 2.x", "use the public name, without tensorflow.python"),
}


class RemovedNameError(AttributeError):
    """`tf.<name>`, which this bridge does not cover."""

    def __init__(self, what: str, instead: str) -> None:
        super().__init__(f"{what} {instead}")
        self.parts = (what, instead)


class RemovedModuleError(ModuleNotFoundError):
    """`import tensorflow.<name>`, which this bridge does not cover."""

    def __init__(self, what: str, instead: str) -> None:
        super().__init__(f"{what} {instead}", name=what)
        self.parts = (what, instead)


def advice(path: str) -> str:
    """What to say of a name: the release that dropped it and what to write instead."""
    prefix = path
    while prefix not in ADVICE:
        prefix = prefix.rpartition(".")[0]
    release, instead = ADVICE[prefix]
    if not prefix:
        return (
            f"is not covered here; if it ever was there, it went in TensorFlow {release}: {instead}"
        )
    return f"was removed in TensorFlow {release} and is not covered here: {instead}"
