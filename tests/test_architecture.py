"""The layers of the package, what an import does, and the form of the tutorials."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import deep_mnist

PACKAGE = Path(deep_mnist.__file__).parent
TUTORIALS = ["softmax", "cnn", "mlp", "fnn"]

# From the lowest to the highest. A module imports from its own package and from lower layers.
LAYERS = [
    {"errors"},
    {"lazy_tensorflow", "data", "autodiff"},
    {"checkpoints", "vision"},
    {"training"},
    {"cli"},
    {"distributed"},
    {*TUTORIALS},
    {"inference"},
    {"serving", "input_data"},
    {"predict", "serve", "export", "report", "legacy"},
]
WITHOUT_TENSORFLOW = {"data", "autodiff", "input_data", "vision"}


def modules(*packages):
    return [path for package in packages for path in sorted((PACKAGE / package).rglob("*.py"))]


def package_of(path):
    """The file or directory in deep_mnist/ that a module belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path):
    """The absolute names that a module imports, at its top or in a function."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_packages(path):
    """The files and directories in deep_mnist/ that a module imports from."""
    parts = [name.split(".") for name in imports(path) if name.startswith("deep_mnist.")]
    names = {name for _, name, *_ in parts}
    return {
        name for name in names if (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").exists()
    }


def python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# Imports ----------------------------------------------------------------------


def test_every_package_has_a_layer():
    packages = {package_of(path) for path in PACKAGE.rglob("*.py")}
    assert packages - {"__init__", "__main__"} == set().union(*LAYERS)


@pytest.mark.parametrize("path", modules("."), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_to_lower_layers(path):
    package = package_of(path)
    if package == "__init__":  # imports the public names when they are first used
        return
    if package == "__main__":
        assert imported_packages(path) <= {"errors", "cli"}
        return
    (level,) = [number for number, layer in enumerate(LAYERS) if package in layer]
    assert imported_packages(path) <= {package}.union(*LAYERS[:level])


def test_input_data_needs_only_data():
    for path in modules("input_data"):
        assert imported_packages(path) <= {"input_data", "data", "errors"}


@pytest.mark.parametrize(
    "path", modules(*sorted(WITHOUT_TENSORFLOW)), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_these_packages_do_not_import_tensorflow(path):
    names = {name.split(".")[0] for name in imports(path)}
    assert "tensorflow" not in names
    assert "lazy_tensorflow" not in imported_packages(path)


def test_pillow_and_opencv_are_imported_when_an_image_is_processed():
    code = (
        "import sys\nfrom deep_mnist import predict, serve\nfrom deep_mnist.vision import image\n"
        "print({'PIL', 'cv2'} & {*sys.modules})"
    )
    assert python(code) == "set()"


def test_importing_the_package_loads_neither_tensorflow_nor_numpy():
    assert python("import sys, deep_mnist; print({'numpy', 'tensorflow'} & {*sys.modules})") == (
        "set()"
    )


def test_importing_any_module_loads_no_tensorflow():
    assert (
        python(
            "import sys, deep_mnist.__main__\n"
            "from deep_mnist import data, autodiff, input_data, checkpoints, training, cli\n"
            "from deep_mnist import softmax, cnn, mlp, fnn, inference, predict, serve\n"
            "import deep_mnist.distributed.__main__, deep_mnist.report.__main__\n"
            "import deep_mnist.export.__main__, deep_mnist.legacy.__main__\n"
            "import deep_mnist.legacy.checkpoint\n"
            "print('tensorflow' in sys.modules)"
        )
        == "False"
    )


def test_importing_and_building_changes_no_switch_of_tensorflow():
    code = (
        "import os; os.environ['TF_CPP_MIN_LOG_LEVEL'] = '1'\n"
        "import tensorflow as tf\n"
        "def switches():\n"
        "    v1 = tf.compat.v1\n"
        "    return (tf.executing_eagerly(), v1.resource_variables_enabled(),\n"
        "            v1.control_flow_v2_enabled(), tf.Tensor._USE_EQUALITY,\n"
        "            tf.config.threading.get_intra_op_parallelism_threads(),\n"
        "            dict(os.environ))\n"
        "before = switches()\n"
        "from deep_mnist import softmax, cnn, mlp, fnn\n"
        "for tutorial in (softmax, cnn, mlp):\n"
        "    with tf.Graph().as_default(): tutorial.build(tutorial.Config())\n"
        "print(before[:4], switches() == before)"
    )
    assert python(code) == "(True, True, True, True) True"


def test_the_numpy_packages_work_without_tensorflow():
    code = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "import numpy as np\n"
        "from deep_mnist import autodiff, data, input_data, vision\n"
        "input_data.read_data_sets('', fake_data=True)\n"
        "print(next(data.batches(data.load_data('generated').train, 50, seed=0)).images.shape)\n"
        "x = np.array([1.0, 2.0])\n"
        "multiply, total = autodiff.Multiply(), autodiff.Sum()\n"
        "print(*autodiff.gradients(total(multiply(x, x)), [x]))"
    )
    assert python(code) == "(50, 784)\n[2. 4.]"


# The public API ---------------------------------------------------------------


def test_the_public_names():
    assert deep_mnist.__all__ == [
        "Classifier",
        "Dataset",
        "DeepMnistError",
        "__version__",
        "load_data",
        "load_model",
    ]
    assert set(deep_mnist.__all__) <= set(dir(deep_mnist))


def test_public_names_are_those_of_their_modules():
    from deep_mnist import data, errors, inference

    assert deep_mnist.load_data is data.load_data
    assert deep_mnist.Dataset is data.Dataset
    assert deep_mnist.load_model is inference.load_model
    assert deep_mnist.Classifier is inference.Classifier
    assert deep_mnist.DeepMnistError is errors.DeepMnistError
    with pytest.raises(AttributeError, match="module 'deep_mnist' has no attribute 'load_modle'"):
        deep_mnist.load_modle  # noqa: B018


@pytest.mark.parametrize("package", ["data", "autodiff", "checkpoints", "training", "cli"])
def test_packages_list_their_public_names(package):
    module = __import__(f"deep_mnist.{package}", fromlist=["__all__"])
    for name in module.__all__:
        __import__(f"deep_mnist.{package}", fromlist=[name])
        assert hasattr(module, name)


# The tutorials ----------------------------------------------------------------


SECTIONS = ["Config", "Model", "inference", "loss", "build", "train", "main"]


@pytest.mark.parametrize("tutorial", TUTORIALS)
def test_tutorials_have_the_same_sections_in_the_same_order(tutorial):
    tree = ast.parse((PACKAGE / f"{tutorial}.py").read_text("utf-8"))
    names = [node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    assert [name for name in names if name in SECTIONS] == SECTIONS


@pytest.mark.parametrize("tutorial", TUTORIALS)
def test_tutorials_use_only_raw_operations(tutorial):
    tree = ast.parse((PACKAGE / f"{tutorial}.py").read_text("utf-8"))
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "tf"
    }
    assert used.isdisjoint({"keras", "layers", "contrib", "estimator", "data", "function"})


@pytest.mark.parametrize("tutorial", ["softmax", "cnn", "mlp"])
def test_the_training_loop_is_in_the_tutorial(tutorial):
    tree = ast.parse((PACKAGE / f"{tutorial}.py").read_text("utf-8"))
    (train,) = [node for node in tree.body if getattr(node, "name", None) == "train"]
    (loop,) = [node for node in ast.walk(train) if isinstance(node, ast.For)]
    assert "sess.run(model.train_step, feed_dict=" in ast.unparse(loop)
