"""Metadata, dependencies and extras of deep_mnist: their only home."""

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
VERSION = re.search(
    r'^__version__ = "(.+)"$', (ROOT / "deep_mnist/__init__.py").read_text("utf-8"), re.M
).group(1)
# On a package index, links to files of the repository lead nowhere: their text is kept.
DESCRIPTION = re.sub(
    r"\[([^]]+)\]\((?!https?:)[^)]+\)", r"\1", (ROOT / "README.md").read_text("utf-8")
)

PREDICT = ["opencv-python-headless>=4.10.0.84", "pillow>=10.1"]
WEB = [
    *PREDICT,
    "fastapi>=0.116",
    "fastapi-offline>=1.7",  # Swagger UI for /docs, which FastAPI itself loads from a CDN
    "python-multipart>=0.0.18",
    "uvicorn>=0.30",
]
# What TF1 scripts import: Keras 2, slim, estimators and distributions in the original (tf_keras
# requires the TensorFlow of its own number), and fissix, a fork of lib2to3 that reads Python 2.
LEGACY = [
    "fissix>=24.4",
    "matplotlib>=3.8",
    "pillow>=10",
    "tf_keras>=2.16",
    "tf_slim>=1.1",
    "tensorflow_estimator==2.15.*",
    "tensorflow_probability>=0.24",
]
PLOTS = ["jinja2>=3.1.2", "matplotlib>=3.8"]
NOTEBOOKS = [*PLOTS, "notebook>=7"]
DOCS = [
    *PLOTS,
    "ipykernel>=6",  # runs the tutorials
    "jupytext>=1.16",  # docs/notebooks.py
    "myst-nb>=1.2",
    "pydata-sphinx-theme>=0.16",
    "sphinx>=8.1",
    "sphinx-argparse-cli>=1.18",
    "sphinx-copybutton>=0.5.2",
]
EXPORT = ["tf2onnx>=1.17", "onnx>=1.17", "onnxruntime>=1.20"]
TEST = [
    *LEGACY,
    *PLOTS,
    *PREDICT,
    *WEB,
    "ipykernel>=6",  # a kernel that loads the IPython extension
    "jsonschema>=4.23",  # the answers of the API against its description
    "kubernetes-validate>=1.37",  # the manifests of docs/kubernetes against Kubernetes' schemas
    "nbclient>=0.8",
    "pytest>=8",
    "pytest-xdist>=3.8",
    "pyyaml>=6",
    "setuptools>=70.1",  # a test builds the wheel
]
# Checks of the dependencies in .ci/run.
SUPPLY_CHAIN = ["cyclonedx-bom>=7", "deptry>=0.23", "pip-audit>=2.9", "pip-licenses>=5"]


class BuildWithWeights(build_py):
    """Copies the pretrained weights in saved/ into the package."""

    def run(self):
        """Build the package, then copy the weights into it."""
        super().run()
        if not self.editable_mode:
            for model in ("softmax", "cnn", "mlp", "fnn"):
                target = Path(self.build_lib, "deep_mnist", "saved", model)
                shutil.copytree(ROOT / "saved" / model, target, dirs_exist_ok=True)


setup(
    name="deep_mnist",
    version=VERSION,
    description="The two classic TensorFlow MNIST tutorials, alive on today's TensorFlow",
    long_description=DESCRIPTION,
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    keywords="mnist tensorflow tf1 compat.v1 tutorial softmax convolutional",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Education",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
    python_requires=">=3.10",
    install_requires=[
        "tensorflow>=2.16",
        "numpy>=1.26",
        "tqdm>=4.60",  # the progress bar on a terminal
        "pooch>=1.8",  # downloads
        "requests>=2.32.2",  # with which pooch downloads: its exceptions are caught
        "platformdirs>=3",  # the user's cache directory
        "filelock>=3.13",  # one process per run directory
    ],
    extras_require={
        "predict": PREDICT,
        "web": WEB,
        "export": EXPORT,
        "legacy": LEGACY,
        "plots": PLOTS,
        "tensorboard": ["tensorboard>=2.16"],
        "docs": DOCS,
        "notebooks": NOTEBOOKS,
        "test": TEST,
        "browser": ["axe-playwright-python>=0.1.4", "playwright>=1.40"],  # tests of web pages
        "dev": [
            *TEST,
            *SUPPLY_CHAIN,
            "codespell==2.4.*",
            "ruff==0.17.*",
            "mypy==2.4.*",
            "pre-commit>=3",
        ],
    },
    packages=find_packages(include=["deep_mnist", "deep_mnist.*"]),
    package_dir={"": "."},  # so that `pip install -e` is a plain path, found before a namesake
    package_data={
        "deep_mnist": ["py.typed", "serving/static/*"],
        "deep_mnist.report": ["*.html.jinja", "*.json", "*.mplstyle"],
    },
    entry_points={"console_scripts": ["deep-mnist = deep_mnist.__main__:main"]},
    cmdclass={"build_py": BuildWithWeights},
)
