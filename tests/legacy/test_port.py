"""`legacy port`: the program that it writes, and that it runs without this project's legacy."""

import json
import subprocess
import sys
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
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


# Ports scripts one after the other, because TensorFlow takes seconds to import.
SERVER = """
import contextlib, io, json, os, sys
from deep_mnist.legacy.port import main
for line in sys.stdin:
    directory, arguments = json.loads(line)
    os.chdir(directory)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
"""


class Ended(NamedTuple):
    """How `legacy port` ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture(scope="module")
def port_paths():
    """Return a function that runs `legacy port` with arguments in a directory."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def run(directory, *arguments):
            print(json.dumps([str(directory), arguments]), file=process.stdin, flush=True)
            return Ended(*json.loads(process.stdout.readline()))

        yield run
        process.stdin.close()


@pytest.fixture
def port(port_paths, tmp_path):
    """Return a function that ports the text of a script, old.py."""

    def run(text, *flags):
        (tmp_path / "old.py").write_text(text)
        return port_paths(tmp_path, "old.py", *flags)

    return run


@pytest.mark.skipif(
    None in map(find_spec, ("tf_keras", "tf_slim", "tensorflow_estimator")),
    reason="the original libraries are not installed",
)
def test_high_level_apis_are_the_original_libraries(port, tmp_path):
    ended = port(LIBRARIES, "-o", "new.py")
    assert ended.returncode == 0, ended.stderr
    new = (tmp_path / "new.py").read_text()
    assert new.startswith(HEAD)
    assert new.endswith(PORTED)
    assert "deep_mnist" not in new
    assert "old.py:17: changed: tf.estimator.ModeKeys is tf_estimator.ModeKeys\n" in ended.stderr
    ran = subprocess.run([sys.executable, "new.py"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.stdout == "(1, 2) train\n", ran.stderr


@pytest.mark.skipif(
    None in map(find_spec, ("tf_keras", "tf_slim", "tensorflow_estimator")),
    reason="the original libraries are not installed",
)
def test_a_configuration_for_tpus_runs(port, tmp_path):
    ended = port(
        """\
import tensorflow as tf
from tensorflow.contrib import slim
config = tf.contrib.tpu.RunConfig(master='', model_dir='model')
print(type(config).__name__, config.model_dir, slim.fully_connected(tf.zeros([2, 3]), 4).shape)
""",
        "-o",
        "new.py",
    )
    assert ended.returncode == 0, ended.stderr
    ran = subprocess.run([sys.executable, "new.py"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.stdout == "RunConfig model (2, 4)\n", ran.stderr


def test_a_script_without_them_needs_no_other_package(port):
    ended = port("import tensorflow as tf\nx = tf.mul(2, 3)\n")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == (
        "import tensorflow.compat.v1 as tf; tf.disable_v2_behavior()\nx = tf.multiply(2, 3)\n"
    )


@pytest.mark.parametrize(
    ("text", "ported"),
    [
        (
            "import tensorflow as tf; import input_data\n",
            "import tensorflow.compat.v1 as tf; tf.disable_v2_behavior(); "
            "from deep_mnist import input_data\n",
        ),
        (
            "from tensorflow import placeholder\n",
            "from tensorflow.compat.v1 import placeholder, disable_v2_behavior; "
            "disable_v2_behavior()\n",
        ),
    ],
)
def test_imports_are_ported_wherever_they_stand(port, text, ported):
    assert port(text).stdout == ported


@pytest.mark.parametrize(
    ("body", "ported"),
    [
        (
            "x = tf.mul(tf.placeholder(tf.float32), 3.0)\n",
            "; tf.disable_v2_behavior()\nx = tf.multiply(tf.placeholder(tf.float32), 3.0)\n",
        ),
        (
            "tf.disable_eager_execution()\nx = tf.concat(0, [[1]])\n",
            "\ntf.disable_eager_execution()\nx = tf.concat(axis=0, values=[[1]])\n",
        ),
        (
            "with tf.Graph().as_default():\n    x = tf.neg(1.0)\n",
            "\nwith tf.Graph().as_default():\n    x = tf.negative(1.0)\n",
        ),
    ],
)
def test_a_program_that_imports_compat_v1_gets_graph_mode_and_todays_names(port, body, ported):
    ended = port(f"import tensorflow.compat.v1 as tf\n{body}")
    assert ended.stdout == f"import tensorflow.compat.v1 as tf{ported}"


def test_a_name_that_is_nowhere_today_is_reported_with_its_line(port):
    script = "import tensorflow as tf\nimport numpy as np\n\ntf.contrib.ffmpeg.decode_audio('')\n"
    script += "np.find_common_type([], [])\n"
    ended = port(script)
    assert ended.returncode == 1
    assert "old.py:4: to do: tf.contrib.ffmpeg has no name today\n" in ended.stderr
    if np.__version__ >= "2":
        assert "old.py:5: to do: np.find_common_type does not exist any more\n" in ended.stderr


@pytest.mark.skipif(find_spec("tf_keras") is None, reason="tf_keras is not installed")
def test_what_only_the_bridge_has_is_written_into_the_program(port, tmp_path):
    script = """\
import tensorflow as tf
from tensorflow.contrib.training import HParams
cell = tf.contrib.rnn.MultiRNNCell([tf.contrib.rnn.LayerNormBasicLSTMCell(3)] * 2)
outputs, _ = tf.nn.dynamic_rnn(cell, tf.zeros([2, 5, 4]), dtype=tf.float32)
print(outputs.shape, HParams(units=3).units)
"""
    ended = port(script, "-o", "new.py")
    assert ended.returncode == 0, ended.stderr
    new = (tmp_path / "new.py").read_text()
    assert "class HParams:" in new
    assert "class LayerNormBasicLSTMCell(" in new
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.modules['deep_mnist'] = None\n{new}"],
        capture_output=True,
        text=True,
    )
    assert ran.stdout == "(2, 5, 3) 3\n", ran.stderr


@pytest.mark.skipif(find_spec("tf_keras") is None, reason="tf_keras is not installed")
def test_keras_is_that_of_tensorflow_1(port, tmp_path):
    script = """\
import keras
from keras.datasets import mnist
from keras.utils import np_utils
from keras import backend as K
load = mnist.load_data
print(np_utils.to_categorical([1], 2), K.get_session().graph is not None)
print(hasattr(keras.optimizers.Adam(lr=0.5), 'get_updates'))
import tensorflow as tf
print(tf.keras.__version__[:2])
"""
    ended = port(script, "-o", "new.py")
    assert ended.returncode == 0, ended.stderr
    ran = subprocess.run([sys.executable, "new.py"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.stdout == "[[0. 1.]] True\nTrue\n2.\n", ran.stderr


def test_calls_that_todays_functions_refuse_are_reported(port):
    script = """\
import tensorflow as tf
import numpy as np
saver = tf.train.Saver(None)
saver.restore_all()
np.zeros(3, kind='int')
try:
    np.no_such_function()
except AttributeError:
    pass
"""
    ended = port(script)
    assert ended.returncode == 1
    assert "old.py:4: to do: Saver of today has no restore_all()\n" in ended.stderr
    assert "no_such_function" not in ended.stderr


def test_arguments_of_0_x_are_those_of_1_15(port, tmp_path):
    old = """\
import tensorflow as tf
axis = 1
a = tf.concat(1, [tf.ones([2, 3]), tf.ones([2, 1])])
b = tf.concat(axis, (a, a))
c = tf.concat([a, a], axis)
d = tf.split(1, 2, b)[0]
e = tf.nn.softmax_cross_entropy_with_logits((a + 1), a)
f = tf.reverse(a, [False, True])
g = tf.batch_matmul(tf.ones([1, 2, 3]), tf.ones([1, 4, 3]), adj_y=True)
h = tf.image.resize_images(tf.zeros([1, 4, 4, 1]), 8, 6)
i = tf.zeros_initializer([2])
j = tf.nn.softmax(a, 'probabilities')
tf.scalar_summary('mean', tf.reduce_mean(a, reduction_indices=[0, 1]))
tf.app.flags.DEFINE_string('log_dir', 'logs')
flags = tf.app.flags
flags.DEFINE_integer('steps', 3)
print(a.shape, b.shape, c.shape, d.shape, e.shape, f.shape, g.shape, h.shape, i.shape, j.name)
print(flags.FLAGS.steps, flags.FLAGS.log_dir)
"""
    new = """\
import tensorflow.compat.v1 as tf; tf.disable_v2_behavior()
axis = 1
a = tf.concat(axis=1, values=[tf.ones([2, 3]), tf.ones([2, 1])])
b = tf.concat(axis=axis, values=(a, a))
c = tf.concat([a, a], axis)
d = tf.split(axis=1, num_or_size_splits=2, value=b)[0]
e = tf.nn.softmax_cross_entropy_with_logits(logits=(a + 1), labels=a)
f = tf.reverse(a, [1])
g = tf.matmul(a=tf.ones([1, 2, 3]), b=tf.ones([1, 4, 3]), adjoint_b=True)
h = tf.image.resize_images(tf.zeros([1, 4, 4, 1]), [8, 6])
i = tf.zeros([2])
j = tf.nn.softmax(a, name='probabilities')
tf.summary.scalar('mean', tf.reduce_mean(a, reduction_indices=[0, 1]))
tf.app.flags.DEFINE_string('log_dir', 'logs', help="", allow_override=True)
flags = tf.app.flags
flags.DEFINE_integer('steps', 3, help="")
print(a.shape, b.shape, c.shape, d.shape, e.shape, f.shape, g.shape, h.shape, i.shape, j.name)
print(flags.FLAGS.steps, flags.FLAGS.log_dir)
"""
    ended = port(old, "-o", "new.py")
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "new.py").read_text() == new
    assert "old.py:3: changed: tf.concat: arguments by name\n" in ended.stderr
    ran = subprocess.run([sys.executable, "new.py"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.stdout == (
        "(2, 4) (2, 8) (2, 8) (2, 4) (2,) (2, 4) (1, 2, 4) (1, 8, 6, 1) (2,) probabilities:0\n"
        "3 logs\n"
    ), ran.stderr


def test_flags_are_overridden_by_the_names_that_absl_defines_alone():
    from absl import flags

    from deep_mnist.legacy.port.arguments import rewrite_arguments
    from deep_mnist.legacy.port.helpers import Helpers

    flags.DEFINE_string("a_flag_of_the_process", "", "")
    define = "flags.DEFINE_string({!r}, '', ''{})\n".format
    text = define("a_flag_of_the_process", "") + define("log_dir", "")
    assert rewrite_arguments(text, Helpers(set()))[0] == (
        define("a_flag_of_the_process", "") + define("log_dir", ", allow_override=True")
    )


PYTHON_2 = """\
import sys
import numpy as np
reload(sys).setdefaultencoding('utf8')
examples, total = 55000, 7
batches = examples / 100
def half(value):
    return value / 2
values = np.array([5, 7])
values /= 2
scale = 1.0 / total
print batches, half(9), half(9.0), half(values), scale * 7, reduce(max, [total / 2, 1])
for i in range(len([1, 2, 3]) / 2):
    print i
"""


@pytest.mark.skipif(find_spec("fissix") is None, reason="fissix is not installed")
def test_division_of_python_2_gives_the_same_results(port, tmp_path):
    ended = port(PYTHON_2, "-o", "new.py")
    assert ended.returncode == 0, ended.stderr
    new = (tmp_path / "new.py").read_text()
    assert "batches = examples // 100\n" in new
    assert "    return python2_divide(value, 2)\n" in new
    assert "values = python2_divide_in_place(values, 2)\n" in new
    assert "scale = 1.0 / total\n" in new
    assert "range(len([1, 2, 3]) // 2)" in new
    assert "old.py:5: changed: a quotient of integers: / is //\n" in ended.stderr
    ran = subprocess.run([sys.executable, "new.py"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.stdout == "550 4 4.5 [1 1] 1.0 3\n0\n", ran.stderr


@pytest.mark.skipif(find_spec("fissix") is None, reason="fissix is not installed")
def test_an_augmented_division_whose_target_cannot_be_repeated_is_reported(port):
    ended = port("""\
print 'Python 2'
def f(w, n):
    w[n / 2] /= n
    w[n.pop()] /= n
    w.rate[n + 1] /= (n)
""")
    assert ended.returncode == 1
    assert ended.stdout.endswith("""
print('Python 2')
def f(w, n):
    w[python2_divide(n, 2)] /= n
    w[n.pop()] /= n
    w.rate[n + 1] = python2_divide_in_place(w.rate[n + 1], (n))
""")
    assert "old.py:3: to do: write this division by hand\n" in ended.stderr
    assert "old.py:4: to do: write this division by hand\n" in ended.stderr
    assert ended.stderr.endswith(", 2 to do\n")


def test_edits_next_to_and_inside_of_each_other_are_all_applied(port):
    ended = port("""\
import numpy as np
import tensorflow as tf
x = np.zeros(9)
x.itemset(np.int(3), 2); y = 1
x.itemset((2), np.asscalar((np.sum(x))),); y = 1
d = np.load(('a.npy')).item()
d = np.load(open('a.npy'),).item()
d = np.reshape(d, newshape=([4]))
z = tf.nn.softmax_cross_entropy_with_logits(
    (
        d),  # logits, (
    (x), 'name')
z = tf.nn.softmax(d, ('name'))
""")
    assert ended.returncode == 0, ended.stderr
    assert (
        ended.stdout
        == """\
import numpy as np
import tensorflow.compat.v1 as tf; tf.disable_v2_behavior()
x = np.zeros(9)
x.flat[int(3)] = 2; y = 1
x.flat[(2)] = np.asarray((np.sum(x))).item(); y = 1
d = np.load(('a.npy'), allow_pickle=True).item()
d = np.load(open('a.npy'),allow_pickle=True).item()
d = np.reshape(d, ([4]))
z = tf.nn.softmax_cross_entropy_with_logits(
    logits=(
        d),  # logits, (
    labels=(x), name='name')
z = tf.nn.softmax(d, name=('name'))
"""
    )


def test_itemset_that_is_no_statement_is_reported(port):
    ended = port("import numpy as np\nx = np.zeros(9)\ny = [x.itemset(1, 2)]\n")
    assert ended.returncode == 1
    assert "old.py:3: to do: write `array[index] = value` by hand\n" in ended.stderr


UNPORTABLE = "import tensorflow as tf\nx = 1\ny = tf.image.resize_images(x, (8), (6))\n"


def test_a_line_that_cannot_be_rewritten_is_an_error(port):
    ended = port(UNPORTABLE)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("error: legacy port: old.py:3: this line cannot be rewritten; ")


def test_a_project_goes_on_after_a_script_that_cannot_be_rewritten(port_paths, tmp_path):
    (tmp_path / "project").mkdir()
    (tmp_path / "project/bad.py").write_text(UNPORTABLE)
    (tmp_path / "project/good.py").write_text("import tensorflow as tf\ny = tf.mul(1, 2)\n")
    ended = port_paths(tmp_path, "project", "-o", "new")
    assert ended.returncode == 1
    assert "project/bad.py:1: to do: copied as it is: project/bad.py:3: this line" in ended.stderr
    assert (tmp_path / "new/bad.py").read_text() == UNPORTABLE
    assert "tf.multiply(1, 2)" in (tmp_path / "new/good.py").read_text()


def test_keywords_and_methods_of_the_scripts_own_stay(port):
    ended = port("""\
import matplotlib.pyplot as plt
import numpy as np
class Chart:
    def annotate(self, s):
        return s
    def tostring(self):
        return 'chart'
def hist(x, normed):
    return x
chart = Chart()
_, ax = plt.subplots()
ax.hist([1], normed=True)
plt.hist([1], normed=True)
hist([1], normed=True)
chart.annotate(s='text')
chart.tostring()
""")
    assert (
        ended.stdout
        == """\
import matplotlib.pyplot as plt
import numpy as np
class Chart:
    def annotate(self, s):
        return s
    def tostring(self):
        return 'chart'
def hist(x, normed):
    return x
chart = Chart()
_, ax = plt.subplots()
ax.hist([1], density=True)
plt.hist([1], density=True)
hist([1], normed=True)
chart.annotate(s='text')
chart.tostring()
"""
    )


@pytest.mark.parametrize(
    ("head", "keyword"),
    [
        ("from matplotlib.pyplot import hist", "density"),
        ("from pylab import *", "density"),
        ("from charts import hist", "normed"),
    ],
)
def test_a_keyword_of_a_bare_name_needs_an_import_from_the_library(port, head, keyword):
    assert port(f"{head}\nhist([1], normed=1)\n").stdout == f"{head}\nhist([1], {keyword}=1)\n"


def test_a_script_for_a_gpu_runs_without_one(port, tmp_path):
    script = """\
import tensorflow as tf
name = '/gpu:3'
with tf.device(name):
    x = tf.constant(2) * 3
config = tf.ConfigProto(
    log_device_placement=False,
)
with tf.Session() as one, tf.Session(config=config) as other:
    print(one.run(x), other.run(x))
"""
    ended = port(script, "-o", "new.py")
    assert ended.returncode == 0, ended.stderr
    ran = subprocess.run([sys.executable, "new.py"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.stdout == "6 6\n", ran.stderr


def test_slices_and_other_syntax_stay_as_they_are(port):
    script = "i = n = 1\na = {}\ndef f():\n    a[(i + 1) * 28 : n, :] = a  # as they are\n"
    ended = port(script)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == script
    assert ended.stderr.endswith("0 changes, 0 to do\n")


def test_a_range_of_a_quotient_is_one_of_integers(port):
    script = "batches = 10 / 4\nprint(len(range(batches)), len(range(9 / 2)), 5 / 2)\n"
    ended = port(script)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == (
        "batches = 10 / 4\nprint(len(range(int(batches))), len(range(int(9 / 2))), 5 / 2)\n"
    )


def test_dropped_names_of_numpy_scipy_and_python_are_todays(port, tmp_path):
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
data = np.zeros([2, 2])
data.itemset(3, 5)
print(data.max())
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
print(np.ndim(data), np.frombuffer(data.tobytes(), dtype=np.uint8).copy().sum())
print(issubclass(list, collections.abc.MutableSequence), resize(np.eye(4), 2.0).shape)
data = np.zeros([2, 2])
data.flat[3] = 5
print(data.max())
scipy_misc_imsave('image.png', np.eye(4))
"""
    ended = port(old, "-o", "new.py")
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "new.py").read_text().endswith(new)
    ran = subprocess.run([sys.executable, "new.py"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.stdout == "2 0\nTrue (8, 8)\n5.0\n", ran.stderr
    assert (tmp_path / "image.png").exists()


def test_a_module_of_the_project_that_uses_tensorflow_is_reported(port, tmp_path):
    (tmp_path / "model.py").write_text("import tensorflow as tf\n")
    (tmp_path / "settings.py").write_text("steps = 10\n")
    (tmp_path / "train.py").write_text("import settings\nfrom model import *\n")
    ended = port(
        "import tensorflow as tf\nimport model\nimport settings\nimport common\nimport train\n",
    )
    assert ended.returncode == 1
    assert "old.py:2: to do: model is a module of the project; port it too\n" in ended.stderr
    assert "old.py:4: to do: common is neither installed nor in the project\n" in ended.stderr
    assert "old.py:5: to do: train is a module of the project; port it too\n" in ended.stderr
    assert "settings" not in ended.stderr


def test_check_stops_the_original_and_the_port_after_some_seconds(port):
    ended = port("import time\ntime.sleep(60)\n", "--check", "1")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.endswith(
        "check: the original ran until it was stopped after 1 s, "
        "the port ran until it was stopped after 1 s\n"
    )


def test_check_reports_the_error_and_not_what_follows_it(port):
    script = "import tensorflow as tf\nx = tf.placeholder(tf.float32, [2])\n"
    ended = port(script + "tf.Session().run(x + 1)\n", "--check", "60")
    assert ended.returncode == 1
    message = "tensorflow.python.framework.errors_impl.InvalidArgumentError: "
    assert ended.stderr.splitlines()[-1].startswith(
        f"check: the original failed: {message}You must feed a value for placeholder tensor"
    )


def test_a_port_that_fails_where_the_original_runs_is_not_complete(port, tmp_path):
    script = "import numpy as np\nprint(np.array([[1], [1, 2]]).shape)\n"
    ended = port(script, "-o", "new.py", "--check", "60")
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith(
        "check: the original ran, the port failed: ValueError: "
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.py", "old.py"]


def test_a_notebook_becomes_a_script_that_is_checked(port_paths, tmp_path):
    cells = ["import time", "%time x = 7 / 2", "x"]
    book = {
        "cells": [{"cell_type": "code", "source": cell} for cell in cells],
        "metadata": {"language_info": {"name": "python", "version": "2.7.1"}},
    }
    (tmp_path / "book.ipynb").write_text(json.dumps(book))
    ended = port_paths(tmp_path, "book.ipynb", "-o", "new.py", "--check", "60")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.endswith("check: the original ran, the port ran\n")
    assert "x = 7 // 2" in (tmp_path / "new.py").read_text()


def test_an_existing_file_is_never_overwritten(port, tmp_path):
    (tmp_path / "new.py").write_text("mine\n")
    ended = port("import tensorflow as tf\n", "-o", "new.py")
    assert ended.returncode == 2
    assert ended.stderr == (
        "error: legacy port: new.py: expected a new file, found an existing one\n"
    )
    assert (tmp_path / "new.py").read_text() == "mine\n"


@pytest.mark.skipif(find_spec("tf_slim") is None, reason="tf_slim is not installed")
def test_a_project_is_ported_into_a_new_directory(port_paths, tmp_path):
    for name, text in {
        "train.py": "import tensorflow as tf\nfrom nets import model\nprint(model.net().shape)\n",
        "nets/__init__.py": "",
        "nets/ops.py": "import tensorflow as tf\n",
        "nets/model.py": (
            "from nets.ops import *\n"
            "def net():\n"
            "    print 'Python 2'\n"
            "    return tf.contrib.layers.fully_connected(tf.zeros([2, 3]), 4)\n"
        ),
        "settings.json": "{}\n",
        ".git/config": "",
    }.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    ended = port_paths(tmp_path, "project", "-o", "new")
    assert ended.returncode == 0, ended.stderr
    assert "project/nets/model.py:3: changed: Python 2 to 3\n" in ended.stderr
    written = [p.relative_to(tmp_path / "new") for p in (tmp_path / "new").rglob("*")]
    assert sorted(path.as_posix() for path in written) == [
        *("nets", "nets/__init__.py", "nets/model.py", "nets/ops.py", "settings.json", "train.py")
    ]
    assert (tmp_path / "new/train.py").read_text().startswith("# pip install tensorflow tf_keras")
    ran = subprocess.run(
        [sys.executable, "new/train.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.stdout == "Python 2\n(2, 4)\n", ran.stderr
    again = port_paths(tmp_path, "project", "-o", "new")
    assert again.returncode == 2
    assert again.stderr == (
        "error: legacy port: new: expected a new directory, found an existing path\n"
    )


def test_check_runs_the_programs_of_a_project(port_paths, tmp_path):
    (tmp_path / "project").mkdir()
    (tmp_path / "project/half.py").write_text("def half(n):\n    return n / 2\n")
    (tmp_path / "project/main.py").write_text("import half\nprint half.half(7)\n")
    ended = port_paths(tmp_path, "project", "-o", "new", "--check", "60")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.endswith("project/main.py: check: the original ran, the port ran\n")
    assert ended.stderr.count("check: ") == 1


def test_a_module_that_is_not_found_makes_a_project_incomplete(port_paths, tmp_path):
    (tmp_path / "project/lib").mkdir(parents=True)
    (tmp_path / "project/lib/model.py").write_text("layers = 2\n")
    (tmp_path / "project/train.py").write_text(
        "import sys\nsys.path.append('lib')\nimport model\nimport no_such_library\n"
    )
    ended = port_paths(tmp_path, "project", "-o", "new")
    assert ended.returncode == 1
    assert (
        "project/train.py:4: to do: no_such_library is neither installed nor in the project\n"
        in ended.stderr
    )
    assert "model is" not in ended.stderr


def test_installed_packages_inside_of_a_project_are_not_ported(port_paths, tmp_path):
    for name in (
        "train.py",
        "env/pyvenv.cfg",
        "env/lib/tool.py",
        "node_modules/tool.py",
        "__pycache__/tool.py",
        "nets/.hidden.py",
        "nets/model.py",
    ):
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
    ended = port_paths(tmp_path, "project", "-o", "new")
    assert ended.returncode == 0, ended.stderr
    written = [p.relative_to(tmp_path / "new") for p in (tmp_path / "new").rglob("*")]
    assert sorted(path.as_posix() for path in written) == ["nets", "nets/model.py", "train.py"]


def test_a_directory_that_cannot_be_written_is_an_error(port_paths, tmp_path):
    (tmp_path / "project").mkdir()
    (tmp_path / "project/train.py").write_text("x = 1\n")
    (tmp_path / "file").touch()
    ended = port_paths(tmp_path, "project", "-o", "file/new")
    assert ended.returncode == 2
    assert ended.stderr == (
        "error: legacy port: file/new/train.py: cannot be written; Not a directory\n"
    )


def test_the_port_of_a_notebook_overwrites_no_script(port_paths, tmp_path):
    (tmp_path / "project").mkdir()
    (tmp_path / "project/a.ipynb").write_text('{"cells": [], "metadata": {}}')
    (tmp_path / "project/a_ipynb.py").write_text("x = 1\n")
    ended = port_paths(tmp_path, "project", "-o", "new")
    assert ended.returncode == 2
    assert ended.stderr == (
        "error: legacy port: project/a.ipynb: its port would be a_ipynb.py, which the project has\n"
        "hint: rename one of them\n"
    )
    assert not (tmp_path / "new").exists()
