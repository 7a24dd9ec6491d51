"""What an installed package holds, away from the checkout."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import deep_mnist

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The unpacked wheel of this checkout, which is left as it is."""
    source = tmp_path_factory.mktemp("source")
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    ignored = shutil.ignore_patterns("runs", "__pycache__")
    for name in ("deep_mnist", "saved"):
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    (source / "saved" / "runs").mkdir()
    (source / "saved" / "runs" / "mine.txt").touch()
    build = ["pip", "wheel", ".", "--no-deps", "--no-build-isolation", "--quiet", "-w", "wheels"]
    subprocess.run([sys.executable, "-m", *build], cwd=source, check=True)
    place = tmp_path_factory.mktemp("installed")
    zipfile.ZipFile(next(source.glob("wheels/*.whl"))).extractall(place)
    return place


def test_trained_weights_are_in_the_wheel_and_the_users_runs_are_not(installed):
    saved = installed / "deep_mnist" / "saved"
    assert sorted(path.name for path in saved.iterdir()) == ["cnn", "fnn", "mlp", "softmax"]
    for program in ("softmax", "cnn", "mlp", "fnn"):
        original = ROOT / "saved" / program
        assert sorted(path.name for path in (saved / program).iterdir()) == sorted(
            path.name for path in original.iterdir()
        )


def test_the_installed_package_finds_them(installed):
    code = (
        "import deep_mnist.input_data\n"
        "from deep_mnist.checkpoints import pretrained; print(pretrained.directory('cnn'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=installed, capture_output=True, text=True, check=True
    )
    assert installed / done.stdout.strip() == installed / "deep_mnist" / "saved" / "cnn"


def test_the_page_is_in_the_wheel(installed):
    assert {path.name for path in (installed / "deep_mnist" / "serving" / "static").iterdir()} == {
        path.name for path in (ROOT / "deep_mnist" / "serving" / "static").iterdir()
    }


def test_it_is_typed(installed):
    assert (installed / "deep_mnist" / "py.typed").exists()


def test_a_folder_of_the_projects_name_does_not_hide_the_installed_package(tmp_path):
    # As in the folder that a checkout was cloned into, where Python sees deep_mnist/ first.
    (tmp_path / "deep_mnist").mkdir()
    code = "import deep_mnist; print(deep_mnist.__version__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == f"{deep_mnist.__version__}\n", done.stderr
