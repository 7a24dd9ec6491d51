"""`python -m deep_mnist.legacy port`: write a TF1 script as a program for today's TensorFlow."""

from deep_mnist.legacy.port.script import main

__all__ = ["main"]
