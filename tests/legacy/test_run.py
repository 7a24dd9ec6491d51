"""Old scripts, run and ported: one after the other in one process, for starting costs most."""

import re
import subprocess
import sys

import pytest

from deep_mnist.legacy import downloads

START = """
import sys
from deep_mnist.legacy.__main__ import main
for command in sys.argv[1:]:
    code = main(command.split())
    for stream in sys.stdout, sys.stderr:
        print("exit", code, file=stream, flush=True)
"""

R0 = """
import tensorflow as tf, numpy as np
from tensorflow.models.rnn import rnn, rnn_cell
from tensorflow.models.image.mnist.convolutional import BATCH_SIZE, error_rate
from tensorflow.python.ops import rnn_cell as cells
from tensorflow.python.ops.constant_op import constant
a = tf.constant(np.arange(6.0).reshape(2, 3).astype('float32'))
lstm = rnn_cell.BasicLSTMCell(4)
outputs, state = rnn.rnn(lstm, [a, a], initial_state=tf.zeros([2, lstm.state_size]))
mean = tf.scalar_summary('mean of a', tf.reduce_mean(a))
asked = [
    tf.pack([a, a]), tf.concat(1, [a, a]), tf.concat([a, a], 1), tf.split(1, 3, a)[0],
    tf.split(a, 3, 1)[0], tf.reverse(a, [False, True]), tf.select(a > 2, a, tf.neg(a)),
    tf.reduce_sum(a, reduction_indices=1, keep_dims=True), tf.argmax(a, dimension=1),
    tf.batch_matmul(tf.ones([2, 3, 4]), tf.ones([2, 4, 5])), tf.mul(a, 2.0),
    tf.nn.softmax_cross_entropy_with_logits(a, tf.ones([2, 3])),
    tf.nn.sparse_softmax_cross_entropy_with_logits(a, [0, 1]),
    tf.nn.softmax(a, 'classes'), rnn_cell.linear([a, a], 5, True),
    tf.image.resize_images(tf.zeros([1, 28, 28, 1]), 14, 14),
    tf.nn.dropout(a, keep_prob=1.0), outputs[-1], state, tf.merge_all_summaries(),
]
with tf.Session() as sess, tf.device('/gpu:0'):
    sess.run(tf.initialize_all_variables())
    print('r0', [getattr(v, 'shape', 'bytes') for v in sess.run(asked)])
    FLAGS = tf.app.flags.FLAGS = tf.python.platform.flags._FlagValues()
    tf.app.flags.DEFINE_integer('size', BATCH_SIZE, 'a flag')
    print('inner', constant([2]).eval(), FLAGS.size, error_rate([[0, 1], [0, 1]], [1, 0]))
    print('value', a.get_shape()[1].value, int(a.get_shape()[0]), tf.reverse(a, [1]).eval()[0])
"""

LAYERS = """
import tensorflow as tf
import tensorflow.contrib.slim as slim
from tensorflow.contrib import layers, rnn
from tensorflow.contrib.layers.python.layers import batch_norm
from tensorflow.examples.tutorials.mnist import mnist as tutorial
with tf.Graph().as_default():
    x = tf.placeholder(tf.float32, [None, 784])
    train = tf.placeholder(tf.bool)
    h = tf.layers.conv2d(tf.reshape(x, [-1, 28, 28, 1]), 2, 5, padding='same')
    h = tf.layers.batch_normalization(tf.layers.max_pooling2d(h, 2, 2), training=train)
    h = tf.layers.conv2d_transpose(h, 3, 4, strides=2, padding='same')
    with slim.arg_scope([slim.conv2d], normalizer_fn=slim.batch_norm, stride=2):
        h = slim.conv2d(h, 2, [3, 3], scope='c')
    h = batch_norm(layers.fully_connected(slim.flatten(h), 8), updates_collections=None)
    h = tf.layers.dropout(h, 0.5, training=train)
    y = tf.layers.dense(tf.layers.dense(h, 6), 10)
    cell = rnn.MultiRNNCell([rnn.DropoutWrapper(rnn.GRUCell(3), 0.5), rnn.BasicLSTMCell(3)])
    rows = tf.reshape(x, [-1, 28, 28])
    steps, last = tf.nn.dynamic_rnn(cell, rows, dtype=tf.float32)
    both, _, _ = rnn.static_bidirectional_rnn(
        rnn.LSTMCell(2), rnn.LSTMCell(2), tf.unstack(rows, 28, 1), dtype=tf.float32)
    pairs = [rnn.GRUCell(2), rnn.GRUCell(3)], [rnn.GRUCell(2), rnn.GRUCell(3)]
    deep, _, _ = rnn.stack_bidirectional_dynamic_rnn(*pairs, rows, dtype=tf.float32)
    more = [layers.maxout(y, 5), layers.group_norm(h[:, None, None], 4), deep,
            layers.conv1d(rows, 2, 3), tf.contrib.nn.alpha_dropout(y, 0.9)]
    picture = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    turned = tf.contrib.image.rotate(picture, 1.5707963)
    t = tutorial.loss(tutorial.inference(x, 4, 3), tf.zeros([tf.shape(x)[0]], tf.int32))
    print('variables', [v.op.name for v in tf.global_variables()])
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        feed = {x: [[0.5] * 784] * 2, train: True}
        updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        got = sess.run([y, steps, last[1].h, both[-1], t, updates], feed)
        print('shapes', [v.shape for v in got[:5]], len(updates))
        print('more', [v.shape for v in sess.run(more, feed)], sess.run(turned).tolist())
        emb, classes = tf.constant([[1.0, 0], [0.8, 0.6], [0, 1], [-1, 0]]), [0, 0, 1, 1]
        loss = tf.contrib.losses.metric_learning.triplet_semihard_loss(classes, emb)
        print('triplets', round(float(sess.run(loss)), 6))
    with tf.variable_scope('again') as scope:
        tf.layers.dense(x, 3)
    with tf.variable_scope(scope, reuse=True):
        tf.layers.dense(x, 3)
    print('again', [v.op.name for v in tf.global_variables() if 'again' in v.name])
"""

ESTIMATOR = """
import numpy as np, tensorflow as tf
def model(features, labels, mode):
    logits = tf.layers.dense(features['x'], 2)
    classes = tf.argmax(logits, 1)
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, {'classes': classes})
    loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
    step = tf.train.GradientDescentOptimizer(1.0).minimize(loss, tf.train.get_global_step())
    metrics = {'accuracy': tf.metrics.accuracy(labels, classes)}
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=step, eval_metric_ops=metrics)
x = np.eye(2, dtype=np.float32).repeat(8, 0)
y = np.array([0, 1], np.int32).repeat(8)
feed = tf.estimator.inputs.numpy_input_fn
estimator = tf.estimator.Estimator(model, 'model')
estimator.train(feed({'x': x}, y, num_epochs=None, shuffle=True), steps=20)
scores = estimator.evaluate(feed({'x': x}, y, num_epochs=1, shuffle=False))
given = tf.estimator.export.build_raw_serving_input_receiver_fn({'x': tf.constant(x)})
with tf.Session(graph=tf.Graph()) as sess:
    graph = tf.saved_model.loader.load(sess, ['serve'], estimator.export_savedmodel('out', given))
    names = graph.signature_def['serving_default']
    print('served', sess.run(names.outputs['classes'].name, {names.inputs['x'].name: x[7:9]}))
experiment = tf.contrib.learn.Experiment(
    estimator, feed({'x': x}, y, shuffle=True), feed({'x': x}, y, shuffle=False), train_steps=21)
tf.contrib.learn.learn_runner.run(lambda folder: experiment, 'model')
print('experiment', estimator.get_variable_value('global_step'))
print('estimator', float(scores['accuracy']), int(scores['global_step']),
      [int(p['classes']) for p in estimator.predict(feed({'x': x[7:9]}, shuffle=False))])
"""


PLOT = """
import matplotlib.pyplot as plt
plt.figure().add_subplot(111, axisbg='white').hold(True)
plt.hist([1, 2, 3], normed=True)
plt.imshow([[0.0, 1.0]], cmap='spectral')
plt.show()
"""

OWN_FAULT = "raise ValueError('its own')\n"


PYTHON2 = """# -*- coding: utf-8 -*-
import sys
import tensorflow as tf
import halves
flags = tf.app.flags
flags.DEFINE_string('log_dir', '/tmp', 'also a flag of absl')
flags.DEFINE_integer('steps', 3, 'steps')
FLAGS = flags.FLAGS

def main(_):
    print 'halves', halves.half(7), FLAGS.steps, FLAGS.log_dir, raw_input('name? ')
    print np_names()
    try:
        tf.contrib.crf
    except AttributeError, error:
        print error
    tf.contrib.seq2seq.dynamic_decode

def np_names():
    import numpy as np
    np.set_printoptions(threshold=np.nan)
    return np.float, np.asscalar(np.array(3)), np.arange(2, dtype=np.uint8).tostring()

if __name__ == '__main__':
    tf.app.run()
"""


OLD = """import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data
a = tf.concat(0, [[1.0], tf.mul([2.0], 3.0)])
loss = tf.nn.softmax_cross_entropy_with_logits(a, a, name='loss')
with tf.Session() as sess:
    sess.run(tf.initialize_all_variables())
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scripts")
    (folder / "all.py").write_text(R0 + LAYERS + ESTIMATOR + PLOT + OWN_FAULT)
    (folder / "two.py").write_text(PYTHON2)
    (folder / "halves.py").write_text("def half(n):\n    print 'halved'\n    return n / 2\n")
    (folder / "old.py").write_text(OLD)
    (folder / "layers.py").write_text(
        "import tensorflow as tf\ncell = tf.contrib.seq2seq.AttentionWrapper(0, 0)\n"
    )
    return folder


@pytest.fixture(scope="module")
def ended(folder):
    """What each command wrote: (lines of stdout, lines of stderr), the last one its exit code."""
    commands = (
        "port old.py -o new.py",
        "port old.py",
        "port layers.py",
        "port layers.py -o layers.py",
        "run all.py",
        "run two.py --steps=5 --unknown=1",
    )
    done = subprocess.run(
        [sys.executable, "-c", START, *commands],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    out, err = (re.findall(r"(?ms)(.*?^exit \d)\n", text) for text in (done.stdout, done.stderr))
    wrote = [(o.splitlines(), e.splitlines()) for o, e in zip(out, err, strict=True)]
    return dict(zip(commands, wrote, strict=True))


def test_names_of_every_release(ended):
    out, err = ended["run all.py"]
    lines = dict(line.split(" ", 1) for line in out)
    assert lines["r0"] == (
        "[(2, 2, 3), (2, 6), (2, 6), (2, 1), (2, 1), (2, 3), (2, 3), (2, 1), (2,), (2, 3, 5), "
        "(2, 3), (2,), (2,), (2, 3), (2, 5), (1, 14, 14, 1), (2, 3), (2, 4), (2, 8), 'bytes']"
    )
    assert lines["inner"] == "[2] 64 50.0"
    assert lines["value"] == "3 2 [2. 1. 0.]"
    assert lines["shapes"] == "[(2, 10), (2, 28, 3), (2, 3), (2, 4), ()] 4"
    assert lines["again"] == "['again/dense/kernel', 'again/dense/bias']"
    assert lines["more"] == (
        "[(2, 5), (2, 1, 1, 8), (2, 28, 6), (2, 28, 2), (2, 10)] [[2.0, 4.0], [1.0, 3.0]]"
    )
    assert lines["triplets"] == "0.4"  # two of the four pairs have a loss: 0.6 and 1
    assert lines["served"] == "[0 1]"
    assert lines["experiment"] == "21"
    assert lines["estimator"] == "1.0 20 [0, 1]"
    names = lines["variables"]
    for name in (
        *("conv2d/kernel", "conv2d/bias", "batch_normalization/moving_variance"),
        *("conv2d_transpose/kernel", "c/weights", "c/BatchNorm/beta", "fully_connected/biases"),
        *("BatchNorm/moving_mean", "dense/kernel", "dense_1/bias"),
        "rnn/multi_rnn_cell/cell_0/gru_cell/gates/kernel",
        "rnn/multi_rnn_cell/cell_1/basic_lstm_cell/bias",
        "bidirectional_rnn/bw/lstm_cell/kernel",
    ):
        assert f"'{name}'" in names
    assert "c/biases" not in names  # a normalizer stands for the bias
    assert err[-2:] == ["ValueError: its own", "exit 1"]
    assert not [line for line in err if "deep_mnist" in line]


def test_a_plot_is_a_file_and_nobody_waits_for_a_window(folder, ended):
    assert "plot written to all-plot-1.png" in ended["run all.py"][0]
    assert (folder / "all-plot-1.png").read_bytes().startswith(b"\x89PNG")


def test_python_2_its_neighbors_and_names_that_are_not_covered(folder, ended):
    pytest.importorskip("fissix")
    out, err = ended["run two.py --steps=5 --unknown=1"]
    assert out == [
        "halved",
        "name? ",
        "halves 3 5 /tmp ",
        "(<class 'float'>, 3, b'\\x00\\x01')",
        "tf.contrib.crf was removed in TensorFlow 2.0 and is not covered here: "
        "copy it from tensorflow-addons, which is not maintained any more",
        "exit 2",
    ]
    assert err == [
        "error: legacy run: two.py:17: tf.contrib.seq2seq was removed in TensorFlow 2.0 "
        "and is not covered here",
        "hint: copy it from tensorflow-addons (tfa.seq2seq), which is not maintained any more; "
        "losses over sequences are tf.nn.sparse_softmax_cross_entropy_with_logits",
        "exit 2",
    ]
    assert (folder / "halves.py").read_text().startswith("def half(n):\n    print 'h")


def test_a_ported_script_needs_the_bridge_no_more(folder, ended):
    assert ended["port old.py -o new.py"][1][-2:] == ["6 changes, 0 to do", "exit 0"]
    assert (folder / "new.py").read_text() == (
        "import tensorflow.compat.v1 as tf; tf.disable_v2_behavior()\n"
        "from deep_mnist import input_data\n"
        "a = tf.concat(axis=0, values=[[1.0], tf.multiply([2.0], 3.0)])\n"
        "loss = tf.nn.softmax_cross_entropy_with_logits(logits=a, labels=a, name='loss')\n"
        "with tf.Session() as sess:\n"
        "    sess.run(tf.global_variables_initializer())\n"
    )


def test_a_port_to_standard_output_is_the_program_alone(folder, ended):
    out, _ = ended["port old.py"]
    assert [*out[:-1], ""] == (folder / "new.py").read_text().split("\n")


@pytest.mark.parametrize(
    ("address", "known"),
    [
        ("http://yann.lecun.com/exdb/mnist/", "mnist"),
        ("https://somewhere.example/data/mnist/", "mnist"),
        ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/", "kmnist"),
        ("https://somewhere.example/emnist/", None),
        ("https://github.com/someone/notMNIST-to-MNIST/", None),
        ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/", "fashion-mnist"),
    ],
)
def test_an_address_is_answered_with_its_own_set_or_not_at_all(address, known):
    assert downloads.dataset_at(address) == known


def test_a_port_says_what_it_cannot_do_and_overwrites_nothing(folder, ended):
    out, err = ended["port layers.py"]
    assert out[1] == "cell = tf.contrib.seq2seq.AttentionWrapper(0, 0)"
    assert err[0].startswith("layers.py:1: changed: ")
    assert err[1:] == [
        "layers.py:2: to do: tf.contrib.seq2seq has no name today",
        "1 changes, 1 to do",
        "exit 1",
    ]
    assert ended["port layers.py -o layers.py"][1][-1] == "exit 2"
    assert (folder / "layers.py").read_text().startswith("import tensorflow as tf\n")
