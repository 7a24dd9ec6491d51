"""What people still have of TensorFlow 1 MNIST programs, on today's TensorFlow.

    python -m deep_mnist.legacy run SCRIPT           runs an old script as it stands
    python -m deep_mnist.legacy port SCRIPT          writes it out for tensorflow.compat.v1
    python -m deep_mnist.legacy checkpoint PATH      what an old checkpoint is, and its conversion

`__main__.py` calls the command that is named: run.py, port.py, checkpoint.py.
"""
