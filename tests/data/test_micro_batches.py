import numpy as np
import pytest

from deep_mnist import data
from deep_mnist.data.micro_batches import ROWS


def test_blocks_hold_every_image_once_and_all_its_ink(digits):
    images = digits.train.images
    made = data.blocks(images)
    np.testing.assert_array_equal(
        np.sort(np.concatenate([block.rows for block in made])), np.arange(len(images))
    )
    for rows, pixels in made:
        assert len(rows) <= ROWS
        assert images[rows].sum(dtype=np.int64) == images[np.ix_(rows, pixels)].sum(dtype=np.int64)
        assert images[np.ix_(rows, pixels)].any(axis=0).all()


def test_images_that_are_blank_in_different_places_are_put_apart():
    images = np.zeros((2 * ROWS, 784), np.uint8)
    images[::2, :10] = 1
    images[1::2, 700:] = 1
    made = data.blocks(images)
    assert sorted(len(block.pixels) for block in made) == [10, 84]


def test_images_that_are_all_alike_are_split_all_the_same():
    for value in (0, 9):
        made = data.blocks(np.full((ROWS + 1, 784), value, np.uint8))
        assert sorted(len(block.rows) for block in made) == [ROWS // 2, ROWS // 2 + 1]


@pytest.mark.mnist
def test_mnist_leaves_a_third_out(mnist_dir):
    images = data.load_data("mnist", mnist_dir, validation_size=0).train.images
    made = data.blocks(images)
    assert sum(len(block.rows) * len(block.pixels) for block in made) < 0.68 * images.size


def test_no_images_no_blocks():
    assert data.blocks(np.zeros((0, 784), np.uint8)) == []
