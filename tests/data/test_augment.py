import numpy as np
import pytest

from deep_mnist.data import AUGMENTATIONS, Split, augmented, batches
from deep_mnist.data.augment import SLIGHT, STRONG, Augmentation, distort, elastic_field, resample

NONE = Augmentation(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 4.0)


def images(count, seed=0):
    return np.random.default_rng(seed).random((count, 784), dtype=np.float32)


def dot(row, column):
    image = np.zeros((1, 28, 28), np.float32)
    image[0, row, column] = 1
    return image.reshape(1, 784)


def center_of_mass(image):
    rows, columns = np.mgrid[:28, :28]
    image = image.reshape(28, 28)
    return (rows * image).sum() / image.sum(), (columns * image).sum() / image.sum()


def test_without_distortion_images_are_unchanged():
    same = distort(images(3), NONE, np.random.default_rng(0))
    np.testing.assert_allclose(same, images(3), atol=2e-6)
    assert same.dtype == np.float32


def test_resampling_at_half_pixels_averages_neighbors_and_is_zero_outside():
    points = np.stack(np.meshgrid(np.arange(28.0), np.arange(28.0))).astype(np.float32)[None]
    points[:, 0] += 0.5
    image = images(1).reshape(28, 28)
    shifted = resample(image.reshape(1, 784), points).reshape(28, 28)
    np.testing.assert_allclose(shifted[:, :-1], (image[:, :-1] + image[:, 1:]) / 2, atol=1e-6)
    np.testing.assert_allclose(shifted[:, -1], image[:, -1] / 2, atol=1e-6)


def test_points_far_outside_are_background():
    points = np.full((1, 2, 28, 28), 1e6, np.float32)
    points[:, :, :14] = -1e6
    assert not resample(np.ones((1, 784), np.float32), points).any()


def test_each_image_is_resampled_at_its_own_points():
    pair = np.concatenate([dot(3, 4), dot(20, 21)])
    moved = distort(pair, NONE._replace(shift=1.0), np.random.default_rng(1))
    for image, (row, column) in zip(moved, ((3, 4), (20, 21)), strict=True):
        assert center_of_mass(image) == (
            pytest.approx(row, abs=3),
            pytest.approx(column, abs=3),
        )


def test_rotation_is_about_the_center():
    # A dot 8 pixels above the center keeps its distance from it.
    turned = distort(
        np.repeat(dot(5, 13), 50, axis=0), NONE._replace(rotation=0.4), np.random.default_rng(2)
    )
    positions = np.array([center_of_mass(image) for image in turned]) - 13.5
    np.testing.assert_allclose(np.hypot(*positions.T), np.hypot(8.5, 0.5), atol=0.35)
    assert np.ptp(positions[:, 1]) > 6


def test_images_become_larger_and_smaller():
    square = np.zeros((28, 28), np.float32)
    square[8:20, 8:20] = 1
    sized = distort(
        np.repeat(square.reshape(1, 784), 200, axis=0),
        NONE._replace(size=0.1),
        np.random.default_rng(3),
    )
    ink = np.log(sized.sum(axis=1) / 144) / 2  # log of the side
    assert ink.std() == pytest.approx(0.1, abs=0.02)
    assert ink.mean() == pytest.approx(0.0, abs=0.03)


def test_an_elastic_field_has_the_given_amplitude_and_is_smooth():
    field = elastic_field(np.random.default_rng(4), 2000, amplitude=1.5, smoothness=4.0)
    assert field.shape == (2000, 2, 28, 28)
    np.testing.assert_allclose(field.std(axis=0), 1.5, atol=0.12)
    np.testing.assert_allclose(field.mean(axis=0), 0.0, atol=0.15)
    assert np.abs(np.diff(field, axis=-1)).max() < 1.5
    apart = (field[:, 0, 14, 4] * field[:, 0, 14, 24]).mean() / 1.5**2
    assert abs(apart) < 0.1  # distant points move independently


def test_strong_augmentation_keeps_digits_inside_the_image():
    square = np.zeros((28, 28), np.float32)
    square[4:24, 4:24] = 1
    many = np.repeat(square.reshape(1, 784), 500, axis=0)
    ink = distort(many, STRONG, np.random.default_rng(5)).sum(axis=1) / 400
    assert ink.min() > 0.5
    assert ink.max() < 1.6


def split(count):
    rng = np.random.default_rng(6)
    return Split(rng.integers(0, 256, (count, 784), np.uint8), rng.integers(0, 10, count, np.uint8))


def test_a_batch_is_a_function_of_seed_and_step():
    examples = split(70)

    def steps(seed, first_step, count):
        plain = batches(examples, 20, seed, first_step)
        return [
            batch
            for _, batch in zip(
                range(count), augmented(plain, SLIGHT, seed, first_step, until=100), strict=False
            )
        ]

    straight, later = steps(0, 0, 12), steps(0, 7, 5)
    for expected, found in zip(straight[7:], later, strict=True):
        np.testing.assert_array_equal(found.images, expected.images)
        np.testing.assert_array_equal(found.labels, expected.labels)
    assert not np.array_equal(steps(1, 7, 1)[0].images, later[0].images)


def test_an_image_is_distorted_differently_each_time_and_keeps_its_label():
    examples = split(1)
    first, second = (
        batch
        for _, batch in zip(
            range(2), augmented(batches(examples, 1, 0), SLIGHT, 0, 0, until=2), strict=False
        )
    )
    assert not np.array_equal(first.images, second.images)
    np.testing.assert_array_equal(first.labels, second.labels)


def test_the_last_batches_are_not_distorted():
    examples = split(20)
    made = augmented(batches(examples, 5, 0, 3), SLIGHT, 0, first_step=3, until=5)
    plain = batches(examples, 5, 0, 3)
    same = [np.array_equal(next(made).images, next(plain).images) for _ in range(4)]
    assert same == [False, False, True, True]


def test_the_names_of_the_augmentations():
    assert list(AUGMENTATIONS) == ["slight", "strong"]
