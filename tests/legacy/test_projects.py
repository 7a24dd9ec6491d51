"""Projects of several modules, and which TensorFlow each module gets."""

import builtins
import importlib
import subprocess
import sys
from importlib.machinery import ModuleSpec
from types import SimpleNamespace

import pytest

from deep_mnist.legacy import imports, project_modules, session_errors, tf1_mode, tf1_module
from deep_mnist.legacy.install_hints import missing_module

TRAIN = """
import importlib, os, sys
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tensorflow as tf
import keras
from layers import dense
from layers.dense import dense as again
scale = importlib.import_module('plugins.scale')
from keras_names import name
x = tf.placeholder(tf.float32, [None, 784])
y = scale.scale(dense.dense(x, 10))
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(y, {x: [[0.5] * 784]}).shape, again is dense.dense)
load = importlib.import_module
print(load('tensorflow') is tf, load('tensorflow.nn') is tf.nn)
print(load('tensorflow').__version__, scale.tf is tf, name, keras.__version__)
print(tf.Variable(tf.zeros([2, 3])).get_shape()[1].value, scale.halves)
"""

ERROR = """
import tensorflow as tf
def build():
    x = tf.placeholder(tf.float32, [None, 784], name='x')
    return tf.reduce_sum(x)
sess = tf.Session()
try:
    sess.run(build())
except tf.errors.InvalidArgumentError as error:
    print(error.message)
    print(str(error).split(chr(10))[-3:])
from lib.util import helper
"""


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """What `legacy run` of two scripts wrote to standard output and standard error."""
    project = tmp_path_factory.mktemp("project")
    for name, text in {
        "scripts/train.py": TRAIN,
        "scripts/error.py": ERROR,
        "scripts/keras_names.py": "name = 'next to the script'\n",
        "layers/__init__.py": "",
        "layers/initializers.py": "import tensorflow as tf\nzeros = tf.zeros_initializer()\n",
        "layers/dense.py": (
            "import tensorflow as tf\n"
            "import initializers\n"  # as Python 2 looked modules up
            "def dense(x, units):\n"
            "    shape = [x.get_shape()[1], units]\n"
            "    return tf.matmul(x, tf.get_variable('W', shape, initializer=initializers.zeros))\n"
        ),
        "plugins/scale.py": (
            "import tensorflow as tf\n"
            "print 'Python 2'\n"
            "halves = 7 / 2\n"
            "def scale(x):\n    return tf.mul(x, 2.0)\n"
        ),
    }.items():
        path = project / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    command = (
        "import sys; from deep_mnist.legacy.__main__ import main;"
        "print('exit', main(['run', 'scripts/train.py']));"
        "print('exit', main(['run', 'scripts/error.py']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=project, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines(), done.stderr.splitlines()


def test_every_module_of_a_project_gets_tf1(ended):
    pytest.importorskip("fissix")
    assert ended[0][:6] == [
        "Python 2",
        "(1, 10) True",
        "True True",
        "1.15.5 True next to the script 2.2.4-tf",
        "3 3",
        "exit 0",
    ]


def test_an_error_of_a_session_begins_with_the_message_of_tf1(ended):
    assert ended[0][6:] == [
        "You must feed a value for placeholder tensor 'x' with dtype float and shape [?,784]",
        "\t [[node x (defined at scripts/error.py:4) ]]",
        "['  File \"scripts/error.py\", line 4, in build', "
        "\"    x = tf.placeholder(tf.float32, [None, 784], name='x')\", '']",
        "exit 2",
    ]


def test_a_missing_module_of_the_project_is_not_a_package_to_install(ended):
    assert ended[1] == [
        "error: legacy run: scripts/error.py:12: the module lib is neither installed nor found "
        "next to the script, in the working directory or in PYTHONPATH",
        "hint: lib is probably another file of the script's project: get the whole project, and "
        "run the script in the directory that contains lib",
    ]


@pytest.mark.parametrize(
    ("module", "hint"),
    [
        ("cv2", "pip install opencv-python"),
        ("sklearn", "pip install scikit-learn"),
        ("tf_slim", 'pip install "deep_mnist[legacy]"'),
        ("matplotlib.nothing", None),
    ],
)
def test_known_packages_get_an_install_hint(module, hint):
    assert missing_module(module, "a.py:2").hint == hint


@pytest.mark.parametrize("module", ["lib", "TFUtils", "model", "mnist", "libs", "utils"])
def test_other_modules_get_none(module):
    error = missing_module(module, "a.py:2")
    assert error.message.startswith(f"a.py:2: the module {module} is neither installed nor found")
    assert "pip" not in str(error)


@pytest.fixture
def installed(monkeypatch):
    """The import functions, with a TensorFlow 1 and a start-up that only record their use."""
    started = []
    monkeypatch.setattr(tf1_mode, "start", lambda eager: started.append(eager))
    monkeypatch.setattr(session_errors, "install", lambda: None)
    monkeypatch.setattr(tf1_module, "import_path", lambda path: SimpleNamespace(path=path, v=1))
    monkeypatch.setattr(tf1_module, "root", lambda: "TF1")
    imports.install()
    yield started
    imports.uninstall()


def importer(name, **more):
    return {"__name__": name, "__file__": f"/lib/{name}.py", **more}


def test_libraries_of_tf1_get_tf1_and_tensorflows_own_do_not(installed, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", "TF2")
    for name in ("tflearn.layers.core", "sonnet", "__main__", "train"):
        assert builtins.__import__("tensorflow", importer(name)) == "TF1"
    for name in ("tensorflow.python.ops", "keras.src", "tf_keras", "tf_slim.nets", "tensorboard"):
        assert builtins.__import__("tensorflow", importer(name)) == "TF2"
    generated = {"__name__": "962faca22ef6", "__spec__": ModuleSpec("962faca22ef6", None)}
    assert builtins.__import__("tensorflow", generated) == "TF2"
    assert installed == [False]  # once


def test_from_and_importlib_get_tf1(installed):
    namespace = importer("train")
    exec("from tensorflow.contrib.slim import v, path", namespace)
    assert (namespace["v"], namespace["path"]) == (1, "contrib.slim")
    assert importlib.import_module("keras.layers").path == "keras.layers"


def test_uninstalled_imports_are_pythons(installed):
    imports.uninstall()
    assert not imports.is_installed()
    assert "built-in function __import__" in repr(builtins.__import__)
    assert "project_modules" not in repr(sys.meta_path)


def test_a_projects_own_keras_is_its_own(installed, tmp_path, monkeypatch):
    (tmp_path / "keras.py").write_text("mine = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    for _ in range(2):
        assert builtins.__import__("keras", {"__name__": "__main__"}).mine
    monkeypatch.delitem(sys.modules, "keras")


def test_own_modules_are_those_outside_of_libraries(tmp_path):
    assert project_modules.is_own_path(str(tmp_path / "train.py"))
    for library in (subprocess, pytest, project_modules):
        assert not project_modules.is_own_path(library.__file__)
    assert not project_modules.is_own_path(None)


def test_libraries_of_tf1_get_the_names_that_pillow_dropped(installed):
    image = pytest.importorskip("PIL.Image")
    builtins.__import__("PIL", importer("tflearn.data_utils"), None, ["Image"])
    assert image.ANTIALIAS == image.LANCZOS


def test_libraries_are_not_told_that_they_run_in_ipython(installed):
    namespace = importer("matplotlib.pyplot", get=project_modules.get_ipython)
    exec("found = get()", namespace)
    assert namespace["found"] is None
    own = importer("__main__", get=project_modules.get_ipython)
    exec("found = get()", own)
    assert own["found"] is project_modules.shell()
