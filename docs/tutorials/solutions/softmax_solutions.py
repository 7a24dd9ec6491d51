"""Solutions of the exercises of the first tutorial."""

import numpy as np
import tensorflow.compat.v1 as tf

from deep_mnist import data, softmax


def test_accuracy(learning_rate, steps, mnist):
    """Return the test accuracy after `steps` steps with a learning rate."""
    with tf.Graph().as_default(), tf.Session() as sess:
        model = softmax.build(softmax.Config(learning_rate=learning_rate))
        sess.run(tf.global_variables_initializer())
        for _, batch in zip(range(steps), data.batches(mnist.train, batch_size=50, seed=0)):
            sess.run(model.train_step, {model.x: batch.images, model.y_: batch.labels})
        images, labels = data.scale(mnist.test.images), data.one_hot(mnist.test.labels)
        return sess.run(model.accuracy, {model.x: images, model.y_: labels})


def recall(labels, predicted):
    """Return the share of the images of each digit, [10], that are classified correctly."""
    return np.array([np.mean(predicted[labels == digit] == digit) for digit in range(10)])


def train_step_by_hand(x, y_, W, b, learning_rate):
    """Return an op that does one step of gradient descent, for the loss summed over the batch."""
    y = tf.nn.softmax(tf.matmul(x, W) + b)  # [B, 10]
    gradient = y - y_  # [B, 10], of the loss with respect to the logits
    W_gradient = tf.matmul(x, gradient, transpose_a=True)  # [784, B] @ [B, 10] -> [784, 10]
    b_gradient = tf.reduce_sum(gradient, 0)  # [10]
    with tf.control_dependencies([W_gradient, b_gradient]):  # both before the first update
        return tf.group(
            W.assign_sub(learning_rate * W_gradient), b.assign_sub(learning_rate * b_gradient)
        )
