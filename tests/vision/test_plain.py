"""Drawings on one exact colour are read without looking for paper, and alike."""

import numpy as np
import pytest

from deep_mnist.vision import image, plain

pytest.importorskip("PIL", reason="NumPy alone is installed")
from PIL import Image, ImageDraw


def seven(paper=255, ink=0, side=140):
    drawing = Image.new("L", (side, side), paper)
    ImageDraw.Draw(drawing).line([(43, 36), (100, 36), (71, 107)], fill=ink, width=10)
    return np.asarray(drawing, np.float32) / 255


def digits(grey):
    height, width = grey.shape
    return image.digits(image.Picture(grey, width, height))


@pytest.mark.parametrize(("paper", "ink"), [(255, 0), (0, 255), (200, 90), (40, 130)])
def test_a_drawing_is_plain_and_reads_as_on_paper(paper, ink):
    drawing = seven(paper, ink)
    speck = drawing.copy()
    speck[-1, -1] = paper / 255 - 0.004
    assert plain.is_plain(drawing)
    assert not plain.is_plain(speck)
    (drawn,), (on_paper,) = digits(drawing), digits(speck)
    assert drawn.box == pytest.approx(on_paper.box, abs=1)
    assert np.abs(drawn.pixels - on_paper.pixels).mean() < 0.01


def test_what_may_have_a_sheet_on_it_or_two_inks_is_not_plain():
    note = np.full((140, 140), 0.4, np.float32)
    note[40:100, 40:100] = 1
    note[60:80, 68:72] = 0
    assert not plain.is_plain(note)
    two_inks = seven(128)
    two_inks[100:110, 20:30] = 1
    assert not plain.is_plain(two_inks)
    assert not plain.is_plain(np.full((140, 140), 0.5, np.float32))
    (digit,) = digits(note)
    assert digit.box == pytest.approx((68, 60, 4, 20), abs=3)
