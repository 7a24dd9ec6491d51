"""What people still have of TensorFlow 1 MNIST programs, on today's TensorFlow.

    python -m deep_mnist.legacy checkpoint PATH      what an old checkpoint is, and its conversion

One file a command; `__main__.py` calls the one that is named.
"""
