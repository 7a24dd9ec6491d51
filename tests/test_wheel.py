"""What an installed package has, without the checkout."""

import configparser
import re
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
    """A directory with the contents of the wheel of this checkout."""
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
    directory = tmp_path_factory.mktemp("installed")
    zipfile.ZipFile(next(source.glob("wheels/*.whl"))).extractall(directory)
    return directory


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_the_wheel_has_the_pretrained_weights_and_no_runs(installed):
    saved = installed / "deep_mnist" / "saved"
    assert names(saved) == ["cnn", "fnn", "mlp", "softmax"]
    for program in ("softmax", "cnn", "mlp", "fnn"):
        assert names(saved / program) == names(ROOT / "saved" / program)


def test_the_installed_package_finds_the_pretrained_weights(installed):
    code = (
        "import deep_mnist.input_data\n"
        "from deep_mnist.checkpoints import pretrained; print(pretrained.directory('cnn'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=installed, capture_output=True, text=True, check=True
    )
    assert installed / done.stdout.strip() == installed / "deep_mnist" / "saved" / "cnn"


def test_the_wheel_has_every_module(installed):
    modules = {path.relative_to(ROOT) for path in (ROOT / "deep_mnist").rglob("*.py")}
    assert {path.relative_to(installed) for path in installed.rglob("*.py")} == modules


def test_the_wheel_has_the_web_page(installed):
    static = Path("deep_mnist", "serving", "static")
    assert names(installed / static) == names(ROOT / static)


def test_the_wheel_has_the_data_of_the_report(installed):
    for name in ("deep_mnist.mplstyle", "page.html.jinja", "published.json"):
        path = Path("deep_mnist", "report", name)
        assert (installed / path).read_bytes() == (ROOT / path).read_bytes()


def test_the_installed_report_finds_its_style_sheet_and_its_template(installed):
    code = (
        "from deep_mnist.report import figure, page\n"
        "with figure.style(): figure.create('title', 'caption', 2)\n"
        "print(figure.__file__, page.render([], [], 'svg')[:15])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=installed, capture_output=True, text=True, check=True
    )
    path, start = done.stdout.strip().split(" ", 1)
    assert Path(path) == installed / "deep_mnist" / "report" / "figure.py"
    assert start == "<!DOCTYPE html>"


def test_the_wheel_has_type_information(installed):
    assert (installed / "deep_mnist" / "py.typed").exists()


def test_the_description_has_no_links_to_files_of_the_repository(installed):
    metadata = (next(installed.glob("*.dist-info")) / "METADATA").read_text("utf-8")
    assert "| softmax.py | graph and session, " in metadata
    assert re.findall(r"\]\((?!https?:)", metadata) == []


def test_the_wheel_has_the_command_deep_mnist(installed):
    entry_points = configparser.ConfigParser()
    entry_points.read(next(installed.glob("*.dist-info")) / "entry_points.txt")
    assert dict(entry_points["console_scripts"]) == {"deep-mnist": "deep_mnist.__main__:main"}


def test_a_directory_named_like_the_project_does_not_hide_the_installed_package(tmp_path):
    # As in the directory that the repository was cloned into.
    (tmp_path / "deep_mnist").mkdir()
    code = "import deep_mnist; print(deep_mnist.__version__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == f"{deep_mnist.__version__}\n", done.stderr
