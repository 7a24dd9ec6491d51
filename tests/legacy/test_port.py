"""`legacy port`: the program that it writes, and that it runs without this project's legacy."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

LIBRARIES = """\
'''A script.'''
from __future__ import print_function
import tensorflow as tf
import tensorflow.contrib.slim as slim
from tensorflow.contrib import rnn
from tensorflow.contrib.layers import fully_connected as fc, flatten
from tensorflow.python.ops import rnn_cell
from keras.layers import Dense
layers = tf.contrib.layers
x = tf.placeholder(tf.float32, [None, 28, 28])
out, _ = tf.nn.dynamic_rnn(rnn.BasicLSTMCell(8), x, dtype=tf.float32)
cell = rnn_cell.GRUCell(4)
y = layers.fully_connected(flatten(out), 10, weights_initializer=layers.xavier_initializer())
y = slim.fully_connected(y, 5)
y = tf.layers.dense(fc(y, 3), 2)
w = tf.get_variable('w', [2, 2], initializer=tf.contrib.layers.xavier_initializer())
mode = tf.estimator.ModeKeys.TRAIN
with tf.Session() as sess:
    sess.run(tf.initialize_all_variables())
    print(sess.run(tf.matmul(y, w), {x: [[[0.0] * 28] * 28]}).shape, mode)
"""

PORTED = """\
from tensorflow_estimator import estimator as tf_estimator
import tf_slim

import tensorflow.compat.v1 as tf; tf.disable_v2_behavior()
import tf_slim as slim
import tensorflow.compat.v1 as tf; rnn = tf.nn.rnn_cell
from tf_slim import fully_connected as fc; from tf_slim import flatten
import tensorflow.compat.v1 as tf; rnn_cell = tf.nn.rnn_cell
from tf_keras.layers import Dense
layers = tf_slim
x = tf.placeholder(tf.float32, [None, 28, 28])
out, _ = tf.nn.dynamic_rnn(rnn.BasicLSTMCell(8), x, dtype=tf.float32)
cell = rnn_cell.GRUCell(4)
y = layers.fully_connected(flatten(out), 10, weights_initializer=layers.xavier_initializer())
y = slim.fully_connected(y, 5)
y = tf.layers.dense(fc(y, 3), 2)
w = tf.get_variable('w', [2, 2], initializer=tf_slim.xavier_initializer())
mode = tf_estimator.ModeKeys.TRAIN
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(tf.matmul(y, w), {x: [[[0.0] * 28] * 28]}).shape, mode)
"""

HEAD = """\
'''A script.'''
from __future__ import print_function
# pip install tensorflow tf_keras tf_slim
# pip install --no-deps "tensorflow_estimator==2.15.*"
import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # before TensorFlow is imported

"""


def port(tmp_path, text, *flags):
    """Port a script; return the ended process."""
    (tmp_path / "old.py").write_text(text)
    command = [sys.executable, "-m", "deep_mnist.legacy", "port", "old.py", *flags]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)


@pytest.mark.skipif(
    None in map(find_spec, ("tf_keras", "tf_slim", "tensorflow_estimator")),
    reason="the original libraries are not installed",
)
def test_high_level_apis_are_the_original_libraries(tmp_path):
    ended = port(tmp_path, LIBRARIES, "-o", "new.py")
    assert ended.returncode == 0, ended.stderr
    new = (tmp_path / "new.py").read_text()
    assert new.startswith(HEAD)
    assert new.endswith(PORTED)
    assert "deep_mnist" not in new
    assert "old.py:17: changed: tf.estimator.ModeKeys is tf_estimator.ModeKeys\n" in ended.stderr
    ran = subprocess.run([sys.executable, "new.py"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.stdout == "(1, 2) train\n", ran.stderr


def test_a_script_without_them_needs_no_other_package(tmp_path):
    ended = port(tmp_path, "import tensorflow as tf\nx = tf.mul(2, 3)\n")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == (
        "import tensorflow.compat.v1 as tf; tf.disable_v2_behavior()\nx = tf.multiply(2, 3)\n"
    )


def test_a_name_that_is_nowhere_today_is_reported_with_its_line(tmp_path):
    script = "import tensorflow as tf\n\ntf.contrib.training.HParams(a=1)\n"
    script += "tf.contrib.learn.DNNClassifier([10], [])\n"  # had fit(), as tf.estimator's has not
    ended = port(tmp_path, script)
    assert ended.returncode == 1
    assert "old.py:4: to do: tf.contrib.learn.DNNClassifier has no name today\n" in ended.stderr
    assert "old.py:3: to do: tf.contrib.training.HParams has no name today\n" in ended.stderr


def test_dropped_names_of_numpy_scipy_and_python_are_todays(tmp_path):
    old = """\
import tensorflow as tf
import collections, time
import numpy as np
import scipy.misc
from time import clock
from itertools import chain
from scipy.misc import imresize as resize
start = time.clock() + clock()
data = np.reshape(np.zeros(16, np.float), newshape=[4, 4]).astype(np.bool)
print(np.rank(data), np.fromstring(data.tostring(), dtype=np.uint8).sum())
print(issubclass(list, collections.MutableSequence), resize(np.eye(4), 2.0).shape)
tf.app.flags.DEFINE_integer('steps', 3)
y = tf.nn.softmax(tf.zeros([1, 4]), 'probabilities')
z = tf.image.resize_images(tf.zeros([1, 4, 4, 1]), 8, 6)
print(y.name, z.shape, tf.app.flags.FLAGS.steps)
scipy.misc.imsave('image.png', np.eye(4))
"""
    new = """\
import tensorflow.compat.v1 as tf; tf.disable_v2_behavior()
import collections, time
import numpy as np
pass
from time import process_time as clock
from itertools import chain
resize = scipy_misc_imresize
start = time.process_time() + clock()
data = np.reshape(np.zeros(16, float), [4, 4]).astype(bool)
print(np.ndim(data), np.frombuffer(data.tobytes(), dtype=np.uint8).sum())
print(issubclass(list, collections.abc.MutableSequence), resize(np.eye(4), 2.0).shape)
tf.app.flags.DEFINE_integer('steps', 3, "")
y = tf.nn.softmax(tf.zeros([1, 4]), name='probabilities')
z = tf.image.resize_images(tf.zeros([1, 4, 4, 1]), [8, 6])
print(y.name, z.shape, tf.app.flags.FLAGS.steps)
scipy_misc_imsave('image.png', np.eye(4))
"""
    ended = port(tmp_path, old, "-o", "new.py")
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "new.py").read_text().endswith(new)
    ran = subprocess.run([sys.executable, "new.py"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.stdout == "2 0\nTrue (8, 8)\nprobabilities:0 (1, 8, 6, 1) 3\n", ran.stderr
    assert (tmp_path / "image.png").exists()


def test_a_module_of_the_project_that_uses_tensorflow_is_reported(tmp_path):
    (tmp_path / "model.py").write_text("import tensorflow as tf\n")
    (tmp_path / "settings.py").write_text("steps = 10\n")
    ended = port(
        tmp_path, "import tensorflow as tf\nimport model\nimport settings\nimport common\n"
    )
    assert ended.returncode == 1
    assert "old.py:2: to do: model is a module of the project; port it too\n" in ended.stderr
    assert "old.py:4: to do: common is neither installed nor next to the script\n" in ended.stderr
    assert "settings" not in ended.stderr


def test_check_runs_the_original_and_the_port(tmp_path):
    ended = port(tmp_path, "import tensorflow as tf\nprint(tf.mul(2, 3))\n", "--check", "1")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.endswith("check: the original ran, the port ran\n")


def test_a_port_that_fails_where_the_original_runs_is_not_complete(tmp_path):
    script = "import numpy as np\nimport tensorflow as tf\nprint(np.array([[1], [1, 2]]).shape)\n"
    ended = port(tmp_path, script, "-o", "new.py", "--check", "60")
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith(
        "check: the original ran, the port failed: ValueError: "
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.py", "old.py"]


def test_an_existing_file_is_never_overwritten(tmp_path):
    (tmp_path / "new.py").write_text("mine\n")
    ended = port(tmp_path, "import tensorflow as tf\n", "-o", "new.py")
    assert ended.returncode == 2
    assert ended.stderr == (
        "error: legacy port: new.py: expected a new file, found an existing one\n"
    )
    assert (tmp_path / "new.py").read_text() == "mine\n"


@pytest.mark.skipif(find_spec("tf_keras") is None, reason="tf_keras is not installed")
def test_a_project_is_ported_into_a_new_directory(tmp_path):
    for name, text in {
        "train.py": "import tensorflow as tf\nfrom nets import model\nprint(model.net().shape)\n",
        "nets/__init__.py": "",
        "nets/model.py": (
            "import tensorflow as tf\n"
            "def net():\n"
            "    print 'Python 2'\n"
            "    return tf.layers.dense(tf.zeros([2, 3]), 4)\n"
        ),
        "settings.json": "{}\n",
        ".git/config": "",
    }.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    command = [sys.executable, "-m", "deep_mnist.legacy", "port", "project", "-o", "new"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert "project/nets/model.py:3: changed: Python 2 to 3\n" in ended.stderr
    written = [p.relative_to(tmp_path / "new") for p in (tmp_path / "new").rglob("*")]
    assert sorted(path.as_posix() for path in written) == [
        *("nets", "nets/__init__.py", "nets/model.py", "settings.json", "train.py")
    ]
    assert (tmp_path / "new/train.py").read_text().startswith("# pip install tensorflow tf_keras\n")
    ran = subprocess.run(
        [sys.executable, "new/train.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.stdout == "Python 2\n(2, 4)\n", ran.stderr
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert again.returncode == 2
    assert again.stderr == (
        "error: legacy port: new: expected a new directory, found an existing path\n"
    )
