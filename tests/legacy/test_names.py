"""Names, paths and habits of TF1 programs, NumPy 1 and its relatives."""

import gzip
import hashlib
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from deep_mnist.data import search, verify
from deep_mnist.legacy import downloads

NAMES = """
import numpy as np
import tensorflow as tf
import tensorflow.contrib.slim as slim
from keras.layers.normalization import BatchNormalization
from keras.preprocessing.image import ImageDataGenerator
from tensorflow.contrib.learn.python.learn.estimators.dnn import DNNClassifier
from tensorflow.contrib.rnn.python.ops.core_rnn_cell_impl import LSTMStateTuple
from tensorflow.python import pywrap_tensorflow
from tensorflow.python.framework import graph_util
from tensorflow.python.keras._impl.keras.layers import TimeDistributed

print('dnn', DNNClassifier is tf.contrib.learn.DNNClassifier)
print('sync', tf.train.SyncReplicasOptimizerV2 is tf.train.SyncReplicasOptimizer)
print('keras', BatchNormalization is tf.keras.layers.BatchNormalization,
      TimeDistributed is tf.keras.layers.TimeDistributed, ImageDataGenerator.__name__)
print('state', LSTMStateTuple is tf.nn.rnn_cell.LSTMStateTuple)
v = tf.Variable([1.0, 2.0], name='v')
y = tf.identity(2 * v, name='y')
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    path = tf.train.Saver().save(sess, './private.ckpt')
    frozen = graph_util.convert_variables_to_constants(sess, sess.graph_def, ['y'])
tf.nn.softmax_cross_entropy_with_logits(_sentinel=None, labels=[[0.0, 1.0]], logits=[[1.0, 2.0]])
print('reader', sorted(pywrap_tensorflow.NewCheckpointReader(path).get_variable_to_shape_map()))
print('frozen', any(node.op == 'Const' for node in frozen.node))

table = tf.contrib.lookup.index_to_string_table_from_tensor(tf.constant(['zero', 'one', 'two']))
_, indices = tf.nn.top_k([[0.1, 0.7, 0.2]], 2)
words = table.lookup(tf.to_int64(indices))
with tf.Session() as sess:
    sess.run(tf.tables_initializer())
    print('lookup', sess.run(words).tolist())

x = tf.placeholder(tf.float32, [None, 28, 28, 1])
net = slim.conv2d(x, 8, [5, 5], normalizer_fn=slim.batch_norm, scope='conv1')
slim.model_analyzer.analyze_vars(tf.trainable_variables('conv1'), print_info=True)
_, points = slim.nets.alexnet.alexnet_v2(tf.zeros([1, 224, 224, 3]), 10)
print('alexnet', len(points))
normal = tf.contrib.distributions.MultivariateNormalDiag([0.0, 0.0], [1.0, 1.0])
with tf.Session() as sess:
    print('density', round(float(sess.run(normal.log_prob([0.0, 0.0]))), 4))

flags = tf.app.flags
flags.DEFINE_integer('epoch', 3, 'epochs')
print('flags', sorted(k for k in flags.FLAGS.__dict__['__flags'] if k == 'epoch'))

tf.reset_default_graph()
data = tf.Variable(np.arange(6, dtype=np.float32), trainable=False, collections=[])
one, = tf.train.slice_input_producer([data], num_epochs=2, shuffle=False)
batch = tf.train.batch([one], batch_size=3)
with tf.Session() as sess:
    sess.run(tf.initialize_all_variables())
    sess.run(data.initializer)
    coord = tf.train.Coordinator()
    threads = tf.train.start_queue_runners(sess=sess, coord=coord)
    total = 0
    try:
        while not coord.should_stop():
            total += sess.run(batch).sum()
    except tf.errors.OutOfRangeError:
        pass
    coord.request_stop()
    coord.join(threads)
print('epochs', total)
"""

TPU = """
import numpy as np
import tensorflow as tf
tpu = tf.contrib.tpu
print(tpu.TPUEstimator is tf.estimator.tpu.TPUEstimator)


def input_fn(params):
    features = np.ones((params['batch_size'], 4), np.float32)
    labels = np.zeros(params['batch_size'], np.int32)
    return tf.data.Dataset.from_tensors((features, labels)).repeat()


def model_fn(features, labels, mode, params):
    loss = tf.losses.sparse_softmax_cross_entropy(labels, tf.layers.dense(features, 3))
    optimizer = tf.train.GradientDescentOptimizer(0.1)
    if params['use_tpu']:
        optimizer = tpu.CrossShardOptimizer(optimizer)
    train_op = optimizer.minimize(loss, tf.train.get_global_step())
    return tpu.TPUEstimatorSpec(mode=mode, loss=loss, train_op=train_op)


config = tpu.RunConfig(model_dir='run', tpu_config=tpu.TPUConfig(iterations_per_loop=2))
estimator = tpu.TPUEstimator(model_fn, use_tpu=False, eval_on_tpu=False, train_batch_size=8,
                             config=config, params={'use_tpu': False})
estimator.train(input_fn, max_steps=3)
print(estimator.get_variable_value('global_step'))
"""

# Public names of contrib that re-exported private names of TensorFlow, or names of each other.
CONTRIB = """
import tensorflow as tf
from tensorflow.contrib import tfprof
print(tf.contrib.slim.lookup.HashTable is tf.contrib.lookup.HashTable)
print(tf.contrib.framework.convolutional_orthogonal_2d is not None)
print(tf.contrib.checkpoint.NoDependency.__name__, tf.contrib.eager.SYNC)
print(tf.contrib.util.ops_used_by_graph_def.__name__, tf.contrib.nn.nth_element.__name__)
print(tfprof.model_analyzer.Profiler is tf.profiler.Profiler)
print(tf.contrib.quantization.quantized_concat.__name__, tf.flags.FLAGS is tf.app.flags.FLAGS)
print(tf.contrib.distribute.get_distribution_strategy is tf.distribute.get_strategy)
print(tf.layers.Input is tf.keras.layers.Input)
"""

ADVISED = """
import re
from deep_mnist.legacy import tf1_mode, tf1_module, unsupported
tf1_mode.start(eager=False)
for _, text in unsupported.ADVICE.values():
    for name in re.findall(r'\\btf((?:\\.\\w+)+)', text):
        tf1_module.find(name[1:])
        print(name)
"""

YEARS = """
import collections
import time

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import cm
from PIL import Image, ImageDraw

labels = np.full(300, 200, np.uint8)
total = 0
for label in labels:
    total += label
print('uint8', max(labels) + 1, labels[0] * 100, total, sum(labels), (labels + 1).dtype)
print('pad', np.lib.pad(np.ones((2, 2)), 1, 'constant').shape, np.rank(np.zeros((2, 3))))
print('ragged', np.array([[1], [2, 3]]).dtype,
      np.array(list(zip(np.zeros((6, 784)), np.zeros((6, 10))))).shape)
array = np.zeros(3, np.float32)
array.itemset(1, 5)
print('methods', array.tolist(), len(array.tostring()), array.ptp())
print('python', issubclass(list, collections.MutableSequence), time.clock() >= 0)
print('pillow', ImageDraw.Draw(Image.new('L', (28, 28))).textsize('7')[0] > 0)
plt.subplot(4 / 2, 2, 1)
line, = plt.plot([1, 2], label='accuracy')
plt.plot([3, 4])
plt.legend().draggable(True)
plt.gca().lines.remove(line)
plt.gca().lines.pop(0)
assert len(plt.gca().lines) == 0
print('pyplot', cm.get_cmap('gray').name, plt.figure().gca(projection='polar').name)
"""


def run(directory, name, text):
    """Run a script and return the lines that it prints."""
    (directory / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "deep_mnist.legacy", "run", name],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_the_same_objects_under_private_paths_and_names_of_contrib(tmp_path):
    lines = run(tmp_path, "names.py", NAMES)
    assert lines[:6] == [
        "dnn True",
        "sync True",
        "keras True True ImageDataGenerator",
        "state True",
        "reader ['v']",
        "frozen True",
    ]
    assert "lookup [[b'one', b'two']]" in lines
    assert "conv1/weights:0 (float32_ref 5x5x1x8) [200, bytes: 800]" in lines
    assert lines[-4:] == ["alexnet 11", "density -1.8379", "flags ['epoch']", "epochs 30.0"]


def test_a_tpu_estimator_trains_without_a_tpu(tmp_path):
    assert run(tmp_path, "tpu.py", TPU)[-2:] == ["True", "3"]


def test_names_that_contrib_re_exported(tmp_path):
    assert run(tmp_path, "contrib.py", CONTRIB) == [
        "True",
        "True",
        "NoDependency 0",
        "ops_used_by_graph_def nth_element",
        "True",
        "quantized_concat True",
        "True",
        "True",
    ]


def test_advised_names_exist():
    done = subprocess.run([sys.executable, "-c", ADVISED], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 15


def test_numpy_1_and_its_relatives(tmp_path):
    assert run(tmp_path, "years.py", YEARS) == [
        "uint8 201 20000 60000 60000 uint8",
        "pad (4, 4) 2",
        "ragged object (6, 2)",
        "methods [0.0, 5.0, 0.0] 12 5.0",
        "python True True",
        "pillow True",
        "pyplot gray polar",
    ]


@pytest.mark.parametrize(
    ("name", "size", "content"),
    [
        ("t10k-labels-idx1-ubyte.gz", 4542, 10_008),
        ("t10k-images-idx3-ubyte.gz", 1_648_877, 7_840_016),
        ("train-labels-idx1-ubyte.gz", 28_881, 60_008),
    ],
)
def test_downloads_have_the_published_length(monkeypatch, name, size, content):
    arrays = verify.Arrays(
        *(np.zeros((60_000, 784), np.uint8), np.zeros(60_000, np.uint8)),
        *(np.zeros((10_000, 784), np.uint8), np.zeros(10_000, np.uint8)),
        source="a test",
    )
    monkeypatch.setattr(search, "load_arrays", lambda dataset: arrays)
    data = downloads.content("http://yann.lecun.com/exdb/mnist/" + name)
    assert len(data) == size
    assert len(gzip.decompress(data)) == content
    assert downloads.content("http://example.com/emnist/" + name) is None


@pytest.mark.mnist
@pytest.mark.skipif(
    not shutil.which("gzip") or b"Apple" in subprocess.check_output(["gzip", "--version"]),
    reason="needs GNU gzip",
)
@pytest.mark.parametrize(
    ("name", "md5"),
    [
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ],
)
def test_downloads_are_the_published_bytes(monkeypatch, mnist_dir, tmp_path, name, md5):
    monkeypatch.setenv(search.DATA_DIR_VARIABLE, mnist_dir)
    arrays = search.load_arrays("mnist")
    monkeypatch.setattr(search, "load_arrays", lambda dataset: arrays)
    monkeypatch.setenv(search.DATA_DIR_VARIABLE, str(tmp_path))  # no copy of the file
    monkeypatch.setattr(search, "cache_dir", lambda: tmp_path)
    data = downloads.content("http://yann.lecun.com/exdb/mnist/" + name)
    assert hashlib.md5(data).hexdigest() == md5


HINT = """
import importlib.util, sys
sys.modules["tf_keras"] = None
from deep_mnist.legacy.__main__ import main
sys.exit(main(["run", "layers.py"]))
"""


@pytest.mark.parametrize(
    ("text", "code", "error"),
    [
        ("import tensorflow as tf\nprint(tf.nn.relu(tf.zeros([2])).shape)\n", 0, ""),
        (
            "import tensorflow as tf\ntf.layers.dense(tf.zeros([1, 2]), 3)\n",
            2,
            'hint: pip install "deep_mnist[legacy]"',
        ),
    ],
)
def test_only_a_script_that_uses_a_library_needs_the_extra(tmp_path, text, code, error):
    (tmp_path / "layers.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", HINT],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert done.returncode == code
    assert error in done.stderr
