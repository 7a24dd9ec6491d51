"""Solutions of the exercises of the third tutorial."""

import tensorflow.compat.v1 as tf

from deep_mnist import data, mlp


def test_accuracy(learning_rate, epochs, mnist):
    """Return the test accuracy of the network after some epochs with a learning rate."""
    steps = epochs * -(-len(mnist.train.labels) // 128)
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.set_random_seed(0)
        model = mlp.build(mlp.Config(learning_rate=learning_rate))
        sess.run(tf.global_variables_initializer())
        for _, batch in zip(range(steps), data.batches_in_file_order(mnist.train, 128)):
            sess.run(model.train_step, {model.x: batch.images, model.y_: batch.labels})
        images, labels = data.scale(mnist.test.images), data.one_hot(mnist.test.labels)
        return sess.run(model.accuracy, {model.x: images, model.y_: labels})


def momentum_step(loss, variables, learning_rate, momentum):
    """Return an op that does one step of gradient descent with momentum."""
    gradients = tf.gradients(loss, variables)
    velocities = [tf.Variable(tf.zeros(v.shape), trainable=False) for v in variables]
    with tf.control_dependencies(gradients):
        faster = [
            velocity.assign(momentum * velocity + gradient)
            for velocity, gradient in zip(velocities, gradients)
        ]
    with tf.control_dependencies(faster):
        return tf.group(
            *[v.assign_sub(learning_rate * velocity) for v, velocity in zip(variables, faster)]
        )


def cross_entropy(y_, logits):
    """Return the cross-entropy, mean over the batch."""
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=y_, logits=logits))
