import itertools

import numpy as np
import pytest

from deep_mnist import data
from deep_mnist.autodiff import Matmul, Sum, gradients
from deep_mnist.data.micro_batches import (
    SIZE,
    ColumnSparseMatrix,
    group_by_blank_pixels,
    micro_batches,
)


def as_floats(images, dtype):
    return images.astype(dtype)


def stored_columns(images):
    return [len(ColumnSparseMatrix(images[rows]).columns) for rows in group_by_blank_pixels(images)]


def test_a_matrix_stores_the_columns_that_are_not_zero():
    matrix = ColumnSparseMatrix(np.array([[0.0, 1.0, 0.0, 2.0], [0.0, 0.0, 0.0, 3.0]]))
    assert matrix.shape == (2, 4)
    assert matrix.columns.tolist() == [1, 3]
    assert matrix.values.tolist() == [[1, 2], [0, 3]]


def test_products_are_those_of_the_dense_matrix():
    X = np.array([[0.0, 1.0, 0.0, 2.0], [0.0, 0.0, 0.0, 3.0]])
    W = np.array([[9.0], [10.0], [99.0], [100.0]])
    g = np.array([[1.0], [10.0]])
    assert (ColumnSparseMatrix(X) @ W).tolist() == (X @ W).tolist() == [[210], [300]]
    assert (ColumnSparseMatrix(X).T @ g).tolist() == (X.T @ g).tolist() == [[0], [1], [0], [32]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_matmul_and_its_gradients_take_it_for_a_matrix(dtype):
    random = np.random.default_rng(0)
    X = random.normal(size=(5, 7)).astype(dtype) * (np.arange(7) % 3 > 0)
    X, W = X.astype(dtype), random.normal(size=(7, 3)).astype(dtype)
    sparse = ColumnSparseMatrix(X)
    loss, dense_loss = Sum()(Matmul()(sparse, W)), Sum()(Matmul()(X, W))
    X_grad, W_grad = gradients(loss, [sparse, W])
    assert W_grad.dtype == dtype
    expected = gradients(dense_loss, [X, W])
    np.testing.assert_allclose(X_grad, expected[0], rtol=1e-6)
    np.testing.assert_allclose(W_grad, expected[1], rtol=1e-6)


def test_other_operators_are_errors():
    X = ColumnSparseMatrix(np.eye(3))
    for operator in (
        lambda: np.eye(3) @ X,
        lambda: np.eye(3) * X,
        lambda: X + 1,
        lambda: np.exp(X),
    ):
        with pytest.raises(TypeError):
            operator()


def test_every_image_is_in_one_group(digits):
    images = digits.train.images
    groups = group_by_blank_pixels(images)
    np.testing.assert_array_equal(np.sort(np.concatenate(groups)), np.arange(len(images)))
    assert max(len(rows) for rows in groups) <= SIZE
    assert all((np.diff(rows) > 0).all() for rows in groups)


def test_images_with_different_blank_pixels_are_in_different_groups():
    images = np.zeros((2 * SIZE, 784), np.uint8)
    images[::2, :10] = 1
    images[1::2, 700:] = 1
    assert sorted(stored_columns(images)) == [10, 84]


def test_images_that_are_all_alike_are_halved():
    for value in (0, 9):
        groups = group_by_blank_pixels(np.full((SIZE + 1, 784), value, np.uint8))
        assert sorted(len(rows) for rows in groups) == [SIZE // 2, SIZE // 2 + 1]


@pytest.mark.mnist
def test_a_third_of_mnist_is_not_stored(mnist_dir):
    images = data.load_data("mnist", mnist_dir, validation_size=0).train.images
    groups = group_by_blank_pixels(images)
    columns = stored_columns(images)
    stored = sum(len(rows) * count for rows, count in zip(groups, columns, strict=True))
    assert stored < 0.68 * images.size


def test_no_images_are_no_groups():
    assert group_by_blank_pixels(np.zeros((0, 784), np.uint8)) == []


def test_batches_have_the_images_of_the_file_in_order(digits):
    split = data.Split(digits.train.images[:5003], digits.train.labels[:5003])
    batches = list(itertools.islice(micro_batches(split, 2500, as_floats, "float32", 2), 4))
    sizes = [sum(len(part.y_) for part in batch) for batch in batches]
    assert sizes == [3, 2500, 2500, 3]  # from step 2 on: the third batch of the first epoch
    for batch, start in zip(batches, (5000, 0, 2500, 5000), strict=True):
        expected = split.labels[start : start + 2500]
        found = np.concatenate([part.y_.argmax(axis=1) for part in batch])
        np.testing.assert_array_equal(np.bincount(found), np.bincount(expected))
        assert batch[0].x.values.dtype == batch[0].y_.dtype == np.float32


def test_labels_belong_to_their_images(digits):
    split = data.Split(digits.train.images[:3000], digits.train.labels[:3000])
    label_of = {image.tobytes(): label for image, label in zip(*split, strict=True)}
    for x, y_ in next(micro_batches(split, 3000, as_floats, "float64")):
        images = (x @ np.eye(784)).astype(np.uint8)
        assert [label_of[image.tobytes()] for image in images] == y_.argmax(axis=1).tolist()
