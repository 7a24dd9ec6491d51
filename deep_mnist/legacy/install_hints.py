"""What to do about a module that cannot be imported.

Only packages of this table get an install hint. Any other missing module is most likely a file of
the script's own project, and a package of the same name on PyPI would be somebody else's.
"""

from __future__ import annotations

from deep_mnist.errors import DeepMnistError

__all__ = ["PACKAGES", "missing_module"]

# Module -> what pip calls its package.
PACKAGES = {
    "IPython": "ipython",
    "PIL": "pillow",
    "absl": "absl-py",
    "bokeh": "bokeh",
    "boto3": "boto3",
    "bs4": "beautifulsoup4",
    "colorama": "colorama",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "easydict": "easydict",
    "fire": "fire",
    "flask": "flask",
    "gensim": "gensim",
    "gym": "gym",
    "h5py": "h5py",
    "imageio": "imageio",
    "ipywidgets": "ipywidgets",
    "joblib": "joblib",
    "lmdb": "lmdb",
    "matplotlib": "matplotlib",
    "mpl_toolkits": "matplotlib",
    "networkx": "networkx",
    "nltk": "nltk",
    "numpy": "numpy",
    "pandas": "pandas",
    "plotly": "plotly",
    "progressbar": "progressbar2",
    "psutil": "psutil",
    "pydot": "pydot",
    "pygame": "pygame",
    "pylab": "matplotlib",
    "requests": "requests",
    "scipy": "scipy",
    "seaborn": "seaborn",
    "six": "six",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "skopt": "scikit-optimize",
    "sympy": "sympy",
    "tabulate": "tabulate",
    "tensorboard": "tensorboard",
    "tensorflow_datasets": "tensorflow-datasets",
    "tensorflow_hub": "tensorflow-hub",
    "termcolor": "termcolor",
    "tflearn": "tflearn",
    "tqdm": "tqdm",
    "yaml": "pyyaml",
}
# The original libraries of TensorFlow 1's high-level APIs, which need matching versions.
LEGACY_EXTRA = frozenset(
    {"fissix", "tensorflow_estimator", "tensorflow_probability", "tf_keras", "tf_slim"}
)


def missing_module(module: str, where: str) -> DeepMnistError:
    """Return the error for a module that cannot be imported.

    Args:
      module: its name as in ModuleNotFoundError.
      where: file and line of the import.
    """
    top, _, rest = module.partition(".")
    if rest:
        return DeepMnistError(f"{where}: {top} is installed, but has no module {module}")
    if top in LEGACY_EXTRA:
        return DeepMnistError(
            f"{where}: the module {top} is not installed",
            hint='pip install "deep_mnist[legacy]"',
        )
    if top in PACKAGES:
        return DeepMnistError(
            f"{where}: the module {top} is not installed", hint=f"pip install {PACKAGES[top]}"
        )
    return DeepMnistError(
        f"{where}: the module {top} is neither installed nor found next to the script, in the "
        "working directory or in PYTHONPATH",
        hint=f"{top} is probably another file of the script's project: get the whole project, and "
        f"run the script in the directory that contains {top}",
    )
