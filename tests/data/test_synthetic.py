"""Synthetic digits: the same for a seed, normalized as MNIST's, and legible."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from deep_mnist.data.synthetic import STYLES, digits, templates


@pytest.fixture(scope="module")
def drawn():
    """2,000 digits: images [2000, 28, 28] float64 in 0..255, labels [2000]."""
    images, labels = digits(2_000, seed=0)
    return images.reshape(-1, 28, 28).astype(np.float64), labels


def test_shapes_dtypes_and_range():
    images, labels = digits(123, seed=5)
    assert images.shape == (123, 784)
    assert labels.shape == (123,)
    assert images.dtype == np.uint8
    assert labels.dtype == np.uint8
    assert images.min() == 0
    assert images.max() == 255
    assert set(labels.tolist()) == set(range(10))


def test_zero_digits_can_be_drawn():
    images, labels = digits(0, seed=0)
    assert images.shape == (0, 784)
    assert labels.shape == (0,)


@pytest.mark.parametrize(("count", "seed"), [(-1, 0), (1, -1)])
def test_negative_arguments_are_an_error(count, seed):
    with pytest.raises(ValueError, match=f"found {count} and {seed}"):
        digits(count, seed)


def test_the_same_seed_gives_the_same_bytes_in_another_process():
    program = (
        "import hashlib; from deep_mnist.data.synthetic import digits; i, l = digits(60, 7);"
        "print(hashlib.sha256(i.tobytes() + l.tobytes()).hexdigest())"
    )
    fresh = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    images, labels = digits(60, seed=7)
    assert fresh.stdout.strip() == hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()


def test_another_seed_gives_other_digits():
    images, labels = digits(100, seed=1)
    others, other_labels = digits(100, seed=2)
    assert (images != others).any(axis=1).all()
    assert (labels != other_labels).any()


def test_classes_are_balanced_and_in_random_order():
    _, labels = digits(1_000, seed=3)
    assert np.bincount(labels).tolist() == [100] * 10
    assert np.bincount(digits(23, seed=3)[1], minlength=10).tolist() == [3, 3, 3] + [2] * 7
    # Neighbors are equal one time in ten, as in a shuffled list.
    assert 50 < (labels[1:] == labels[:-1]).sum() < 150
    assert (np.bincount(labels[:200], minlength=10) > 5).all()


def test_no_two_digits_are_equal(drawn):
    images, _ = drawn
    assert len(np.unique(images.reshape(2_000, 784), axis=0)) == 2_000


def test_center_of_mass_is_at_the_center(drawn):
    images, _ = drawn
    index = np.arange(28)
    mass = images.sum(axis=(1, 2))
    for axis in (1, 2):
        center = (images.sum(axis=axis) @ index) / mass
        assert abs(center.mean() - 13.7) < 0.05
        assert np.abs(center - 13.7).max() < 0.5


def test_digits_fit_the_box_of_20_pixels(drawn):
    images, _ = drawn
    ink = images > 0
    height = ink.any(axis=2).sum(axis=1)
    width = ink.any(axis=1).sum(axis=1)
    longer = np.maximum(height, width)
    assert longer.min() >= 19
    assert longer.max() <= 22
    assert np.median(longer) in (20, 21)
    border = np.concatenate(
        [images[:, [0, -1]].reshape(-1, 56), images[:, :, [0, -1]].reshape(-1, 56)], axis=1
    )
    assert (border.max(axis=1) > 128).mean() < 0.03


def test_strokes_are_bright_antialiased_and_of_many_widths(drawn):
    images, _ = drawn
    assert (images.max(axis=(1, 2)) > 200).all()
    assert len(np.unique(images)) > 250
    gray = ((images > 0) & (images < 255)).sum() / (images > 0).sum()
    assert 0.3 < gray < 0.7
    assert 0.11 < images.mean() / 255 < 0.16  # MNIST's is 0.1307
    ones = images[drawn[1] == 1].sum(axis=(1, 2)) / 255 / 20  # about the pen's width, in pixels
    assert np.percentile(ones, 5) < 2.2
    assert np.percentile(ones, 95) > 4


def test_digits_of_a_class_vary_as_in_mnist(drawn):
    images, labels = drawn
    for digit in range(10):
        mine = images[labels == digit] / 255
        # Mean squared distance from the mean image. In MNIST it is 22.7 (a 1) to 50.3 (a 2).
        assert 18 < mine.var(axis=0).sum() < 60


def test_mean_images_of_one_seed_classify_the_digits_of_another():
    images, labels = digits(1_500, seed=10)
    means = np.stack([images[labels == digit].mean(axis=0) for digit in range(10)])  # [10, 784]
    others, other_labels = digits(500, seed=11)
    nearest = (others @ means.T - (means**2).sum(axis=1) / 2).argmax(axis=1)
    assert (
        nearest == other_labels
    ).mean() > 0.7  # by chance 0.1; on MNIST this method reaches 0.81


def test_every_style_is_sampled_along_its_strokes():
    table = templates()
    count = sum(len(styles) for styles in STYLES.values())
    assert table.curve.shape[:2] == (count, 72)
    assert table.curve.sum(axis=2) == pytest.approx(np.ones((count, 72)), abs=1e-5)
    assert np.bincount(table.digit, table.probability) == pytest.approx(np.ones(10))
    points = table.curve @ table.controls
    step = np.hypot(*np.diff(points, axis=1).transpose(2, 0, 1))
    assert (step[table.joined] < 0.08).all()  # no stroke jumps from one end to another
    starts = [strokes.split()[0] for styles in STYLES.values() for _, strokes in styles]
    for style, start in zip(points, starts, strict=True):
        assert style[0] * 100 == pytest.approx([float(c) for c in start.split(",")], abs=1e-3)
