"""The rules of the house: who imports whom, and what an import must not do."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import deep_mnist

PACKAGE = Path(deep_mnist.__file__).parent
PROGRAMS = {"softmax", "cnn", "mlp", "fnn"}

# Each may import the rooms named after it, and itself.
LOW = {"errors", "lazy_tensorflow", "data"}
TRAINING = {*LOW, "checkpoints", "training"}
INFERENCE = {*TRAINING, "cli", "inference"}
ALLOWED = {
    "errors": set(),
    "lazy_tensorflow": {"errors"},
    "data": {"errors"},
    "autodiff": {"errors"},
    "input_data": {"data", "errors"},
    "vision": {"data", "errors"},
    "checkpoints": {*LOW},
    "training": {*LOW, "checkpoints"},
    "cli": TRAINING,
    "distributed": {*TRAINING, "cli"},
    **{program: {*TRAINING, "cli"} for program in PROGRAMS},
    "fnn": {*TRAINING, "cli", "autodiff"},
    "inference": {*TRAINING, *PROGRAMS},
    "predict": {*INFERENCE, "vision"},
    "serve": {*INFERENCE, "serving"},
    "serving": {*INFERENCE, "vision"},
    "report": INFERENCE,
    "export": INFERENCE,
    "legacy": {*INFERENCE, *PROGRAMS, "input_data"},
    "__main__": set(),
    "__init__": set(),
}


def room(path):
    """The file or folder right under the package that a module belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path):
    """The rooms of deep_mnist that a module imports, wherever in the module it does."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "deep_mnist" and (PACKAGE / parts[1]).is_dir():
                yield parts[1]
            elif parts[0] == "deep_mnist" and (PACKAGE / f"{parts[1]}.py").exists():
                yield parts[1]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name)
def test_arrows_of_import_never_turn_back(path):
    assert set(imported_rooms(path)) <= ALLOWED[room(path)] | {room(path)}


@pytest.mark.parametrize(
    "path",
    [
        path
        for room in ("data", "autodiff", "input_data")
        for path in sorted((PACKAGE / room).glob("*.py"))
    ],
    ids=lambda path: path.name,
)
def test_the_numpy_rooms_do_not_import_tensorflow(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            assert not any(alias.name.startswith("tensorflow") for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert not str(node.module).startswith("tensorflow")


def test_pictures_alone_need_pillow_and_only_when_they_are_read():
    for path in sorted((PACKAGE / "vision").glob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        places = [
            (node in tree.body, path.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("PIL")
        ]
        assert set(places) <= {(False, "image.py")}


def python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_any_part_loads_no_tensorflow():
    assert (
        python(
            "import sys, deep_mnist, deep_mnist.data, deep_mnist.training\n"
            "import deep_mnist.softmax, deep_mnist.cnn, deep_mnist.mlp, deep_mnist.fnn\n"
            "import deep_mnist.input_data, deep_mnist.predict, deep_mnist.serve\n"
            "import deep_mnist.legacy.__main__, deep_mnist.legacy.checkpoint\n"
            "import deep_mnist.inference, deep_mnist.report.__main__\n"
            "import deep_mnist.export.__main__\n"
            "print('tensorflow' in sys.modules)"
        )
        == "False"
    )


def test_importing_and_building_leaves_the_callers_tensorflow_eager():
    assert (
        python(
            "import os; os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'\n"
            "import tensorflow as tf, deep_mnist.softmax as softmax\n"
            "with tf.Graph().as_default(): softmax.build(softmax.Config())\n"
            "print(tf.executing_eagerly(), os.environ['TF_CPP_MIN_LOG_LEVEL'])\n"
            "print(tf.compat.v1.resource_variables_enabled())"
        )
        == "True 3\nTrue"
    )


def test_the_numpy_rooms_work_without_tensorflow():
    assert (
        python(
            "import sys; sys.modules['tensorflow'] = None\n"
            "from deep_mnist import data, input_data\n"
            "input_data.read_data_sets('', fake_data=True)\n"
            "print(next(data.batches(data.load_data('generated').train, 50, seed=0)).images.shape)"
        )
        == "(50, 784)"
    )


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_programs_have_the_same_captions_in_the_same_order(program):
    text = (PACKAGE / f"{program}.py").read_text("utf-8")
    captions = [line.strip(" #-") for line in text.splitlines() if line.endswith("------")]
    assert captions == ["Inputs", "Model", "Loss", "Training", "Evaluation"]


@pytest.mark.parametrize(
    ("program", "limit"), [("softmax", 120), ("cnn", 200), ("mlp", 200), ("fnn", 200)]
)
def test_programs_stay_short(program, limit):
    assert len((PACKAGE / f"{program}.py").read_text("utf-8").splitlines()) <= limit
