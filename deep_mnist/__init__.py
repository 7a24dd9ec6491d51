"""The two classic TensorFlow MNIST tutorials as graph-mode programs for today's TensorFlow.

Read in this order:

    softmax.py    softmax regression: the smallest complete program
    cnn.py        the Deep MNIST convolutional network
    mlp.py        an MLP from raw tensors, its gradients applied by hand
    fnn.py        a network in NumPy alone, differentiated by hand
    input_data/   drop-in for tensorflow.examples.tutorials.mnist.input_data (NumPy only)
    export/       trained weights for other runtimes
    report/       pictures of runs, and a page of them
    legacy/       old scripts and old checkpoints: run, port, checkpoint
    data/         bytes -> arrays -> batches (NumPy only)
    autodiff/     operations that know their own backward rule (NumPy only)
    training/     a built graph + data -> a trained checkpoint

Importing this package loads no TensorFlow and changes nothing in it.
"""

__version__ = "0.1.0"
