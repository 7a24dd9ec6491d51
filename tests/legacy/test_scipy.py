"""SciPy's functions as TF1 scripts call them."""

import numpy as np
import pytest

from deep_mnist.legacy.shims import scipy_compat


def test_images_are_rotated_by_an_angle_in_an_array(monkeypatch):
    ndimage = pytest.importorskip("scipy.ndimage")
    monkeypatch.setattr(ndimage, "rotate", ndimage.rotate)
    monkeypatch.setattr(ndimage, "imread", None, raising=False)
    scipy_compat.install_ndimage()
    image = np.arange(9.0).reshape(3, 3)
    for angle in (90, np.array([90])):
        assert np.allclose(ndimage.rotate(image, angle, reshape=False), np.rot90(image))
