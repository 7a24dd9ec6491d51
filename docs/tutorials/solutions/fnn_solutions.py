"""Solutions of the exercises of the fourth tutorial."""

import numpy as np

from deep_mnist import autodiff, fnn
from deep_mnist.autodiff import Operation


def Exp():
    """Return the operation y = exp x: dy/dx = y."""
    return Operation("Exp", np.exp, lambda g, y, x: g * y)


def smaller_weights(seed=0):
    """Return a model whose initial weights are scaled as He et al. (2015) propose for ReLU."""
    random = np.random.default_rng(seed)
    W1 = random.normal(0, np.sqrt(2 / 785), [785, 100])
    W2 = random.normal(0, np.sqrt(2 / 100), [100, 10])
    return fnn.Model(W1, W2)


matmul, relu, log_softmax = autodiff.Matmul(), autodiff.Relu(), autodiff.LogSoftmax()


def inference(x, W1, W2):
    """Return the log probabilities of each digit, without an epsilon."""
    return log_softmax(matmul(relu(matmul(x, W1)), W2))
