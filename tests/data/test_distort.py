"""Distortions of the plane: their effect on known points, different for each example."""

import numpy as np
import pytest

from deep_mnist.data.distort import affine_maps, elastic

GRID = np.stack(np.meshgrid(np.linspace(0, 1, 28), np.linspace(0, 1, 28)), axis=-1)
GRID = GRID.reshape(1, 784, 2).astype(np.float32)  # the pixels of an image, as points


def test_affine_maps_without_deviation_are_the_mean_slant():
    maps = affine_maps(np.random.default_rng(0), 3, slant=(0.25, 0.0), rotation=0.0, stretch=0.0)
    assert maps.shape == (3, 2, 2)
    assert maps.dtype == np.float32
    # The top of a stroke (y = -1) moves to the right, a horizontal line stays.
    assert (maps @ np.float32([0, -1])).tolist() == [[0.25, -1.0]] * 3
    assert (maps @ np.float32([1, 0])).tolist() == [[1.0, 0.0]] * 3


def test_rotations_keep_lengths_and_orientation():
    maps = affine_maps(np.random.default_rng(1), 50, slant=(0.0, 0.0), rotation=0.5, stretch=0.0)
    assert maps @ maps.transpose(0, 2, 1) == pytest.approx(np.tile(np.eye(2), (50, 1, 1)), abs=1e-6)
    assert np.linalg.det(maps) == pytest.approx(np.ones(50), abs=1e-6)
    assert np.arctan2(maps[:, 1, 0], maps[:, 0, 0]).std() == pytest.approx(0.5, rel=0.3)


def test_stretches_change_only_the_width():
    maps = affine_maps(np.random.default_rng(2), 400, slant=(0.0, 0.0), rotation=0.0, stretch=0.2)
    assert np.log(maps[:, 0, 0]).std() == pytest.approx(0.2, rel=0.15)
    assert (maps[:, 1, 1] == 1).all()
    assert (maps[:, 0, 1] == 0).all() and (maps[:, 1, 0] == 0).all()


def test_an_elastic_field_has_the_given_amplitude():
    points = np.repeat(GRID, 200, axis=0)
    moved = elastic(np.random.default_rng(3), points, amplitude=0.06, smoothness=0.5)
    assert moved.shape == (200, 784, 2)
    assert moved.dtype == np.float32
    shift = moved - points
    assert shift[..., 0].std() == pytest.approx(0.06, rel=0.1)
    assert shift[..., 1].std() == pytest.approx(0.06, rel=0.1)
    assert np.abs(shift.mean(axis=(0, 1))).max() < 0.015


def test_an_elastic_field_is_smooth_and_has_no_folds():
    points = np.repeat(GRID, 50, axis=0)
    moved = elastic(np.random.default_rng(4), points, amplitude=0.04, smoothness=0.5)
    rows = moved.reshape(50, 28, 28, 2)
    assert (np.diff(rows[..., 0], axis=2) > 0).all()  # the order along a row stays
    assert (np.diff(rows[..., 1], axis=1) > 0).all()


def test_equal_points_have_equal_displacements():
    points = np.concatenate([GRID, GRID], axis=1)  # every point twice
    moved = elastic(np.random.default_rng(5), points, amplitude=0.06, smoothness=0.5)
    assert moved[:, :784] == pytest.approx(moved[:, 784:], abs=1e-5)


def test_each_example_has_its_own_field_and_the_seed_decides():
    points = np.repeat(GRID, 2, axis=0)
    once = elastic(np.random.default_rng(6), points, amplitude=0.06, smoothness=0.5)
    again = elastic(np.random.default_rng(6), points, amplitude=0.06, smoothness=0.5)
    assert once.tobytes() == again.tobytes()
    assert np.abs(once[0] - once[1]).max() > 0.01
    assert (points == np.repeat(GRID, 2, axis=0)).all()  # the argument is unchanged
