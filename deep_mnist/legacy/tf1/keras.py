"""What tensorflow.python.keras, the Keras of the time, has lost in today's TensorFlow."""

from __future__ import annotations

from tensorflow.python import keras

__all__ = ["__version__"]

__version__ = "2.4.0"
keras.__version__ = __version__  # which it writes into the files it saves
