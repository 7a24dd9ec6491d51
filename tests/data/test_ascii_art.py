import numpy as np

from deep_mnist import data


def test_every_pixel_is_two_characters():
    image = np.zeros(784, np.uint8)
    image[0], image[29], image[783] = 255, 128, 25
    lines = data.ascii_art(image).split("\n")
    assert [len(line) for line in lines] == [56] * 28
    assert lines[0] == "@@" + " " * 54
    assert lines[1] == "  ++" + " " * 52
    assert lines[27] == " " * 56
