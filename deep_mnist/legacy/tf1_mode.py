"""Sets this process's TensorFlow to the modes of TensorFlow 1."""

from __future__ import annotations

import logging
import warnings
from typing import Any

from deep_mnist.lazy_tensorflow import tf
from deep_mnist.legacy import libraries


def start(eager: bool) -> None:
    """Set graph mode, reference variables and shapes of Dimensions; silence deprecation warnings.

    Args:
      eager: the script enables eager execution itself, so that the modes are kept.
    """
    libraries.use_legacy_keras()
    tf.logging.set_verbosity(tf.logging.ERROR)
    logger = logging.getLogger("tensorflow")
    logger.addFilter(_no_deprecation)
    logger.propagate = False  # absl's handler would write every line a second time
    warnings.filterwarnings("ignore", module="tensorflow|tf_keras|tf_slim")
    warnings.filterwarnings("ignore", message=".*is deprecated and will be removed in a future")
    if not eager:
        tf.disable_v2_behavior()
    tf.logging.set_verbosity(tf.logging.WARN)
    _place_softly()


def _no_deprecation(record: logging.LogRecord) -> bool:
    return "deprecated" not in str(record.msg) and "Instructions for updating" not in str(
        record.msg
    )


def _place_softly() -> None:
    """Let `tf.device("/gpu:0")` mean a GPU only if there is one, in every session."""
    from tensorflow.python.client import session

    begin = session.BaseSession.__init__

    def begin_softly(self: Any, target: str = "", graph: Any = None, config: Any = None) -> None:
        softly = tf.ConfigProto()
        if config is not None:
            softly.CopyFrom(config)
        softly.allow_soft_placement = True
        begin(self, target, graph, softly)

    session.BaseSession.__init__ = begin_softly
