"""Packages that old scripts import, under the names that pip knows them by."""

from __future__ import annotations

import sys

PIP_NAMES = {
    "PIL": "Pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "pylab": "matplotlib",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
    "tensorflow_hub": "tensorflow-hub",
    "tensorflow_probability": "tensorflow-probability",
}


def missing_package(module: str, where: str) -> str | None:
    """What to say of a module that is not installed; None for a part of one that is."""
    top = module.partition(".")[0]
    if top in sys.modules:
        return None
    return f"{where}: needs {top}, which is not installed; pip install {PIP_NAMES.get(top, top)}"
