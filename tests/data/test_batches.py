import hashlib

import numpy as np
import pytest

from deep_mnist.data import Split, batches, batches_in_file_order, one_hot, scale, smooth_labels


def numbered(count):
    """Return a split whose image i is filled with i."""
    numbers = np.arange(count, dtype=np.uint8)
    return Split(np.repeat(numbers[:, None], 784, axis=1), numbers % 10)


def visited(split, batch_size, steps, seed=0, first_step=0):
    """Return the numbers of the examples in each batch."""
    stream = batches(split, batch_size, seed, first_step)
    return [np.rint(next(stream).images[:, 0] * 255).astype(int).tolist() for _ in range(steps)]


def test_pixels_are_multiplied_by_float32_1_over_255_as_in_the_original():
    scaled = scale(np.arange(256, dtype=np.uint8))
    assert scaled.dtype == np.float32
    assert (
        hashlib.sha256(scaled.tobytes()).hexdigest()
        == "d5f525a13a07c1d604032ed460ac58ad9e012b8bec74236bd5f4f46142995b87"
    )


def test_one_hot_rows_have_a_single_1():
    assert one_hot(np.array([2, 0], np.uint8)).tolist() == [
        [0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ]


def test_a_batch_has_scaled_images_and_one_hot_labels():
    batch = next(batches(numbered(20), 5, seed=0))
    assert batch.images.shape == (5, 784)
    assert batch.images.dtype == np.float32
    assert batch.labels.shape == (5, 10)
    assert batch.labels.dtype == np.float32
    examples = np.rint(batch.images[:, 0] * 255).astype(int)
    assert batch.labels.argmax(axis=1).tolist() == (examples % 10).tolist()


@pytest.mark.parametrize("batch_size", [1, 4, 7, 20, 23, 50])
def test_every_epoch_visits_every_example_once(batch_size):
    steps = 60 // np.gcd(60, batch_size)
    stream = np.concatenate(visited(numbered(20), batch_size, steps))
    for epoch in stream[: len(stream) // 20 * 20].reshape(-1, 20):
        assert sorted(epoch) == list(range(20))


def test_batches_have_the_same_size_between_epochs():
    assert [len(step) for step in visited(numbered(20), 7, 9)] == [7] * 9


def test_epochs_and_seeds_have_different_orders():
    first, second = visited(numbered(20), 20, 2)
    assert first != second
    assert visited(numbered(20), 20, 1, seed=1) != [first]


@pytest.mark.parametrize("batch_size", [3, 10, 25])
@pytest.mark.parametrize("first_step", [1, 2, 9])
def test_batches_from_a_later_step_are_those_of_a_whole_run(batch_size, first_step):
    whole = visited(numbered(10), batch_size, 14)
    assert (
        visited(numbered(10), batch_size, 14 - first_step, first_step=first_step)
        == (whole[first_step:])
    )


def test_batches_in_file_order_end_an_epoch_with_a_smaller_batch():
    made = batches_in_file_order(numbered(7), 3)
    read = [next(made).labels.argmax(axis=1).tolist() for _ in range(4)]
    assert read == [[0, 1, 2], [3, 4, 5], [6], [0, 1, 2]]


def test_batches_in_file_order_can_start_at_any_step():
    made = batches_in_file_order(numbered(7), 3, first_step=5)
    assert next(made).labels.argmax(axis=1).tolist() == [6]
    images, labels = next(made)
    assert images[:, 0].tolist() == scale(np.array([0, 1, 2], np.uint8)).tolist()
    assert labels.tolist() == one_hot(np.array([0, 1, 2], np.uint8)).tolist()


def test_smooth_labels_have_091_for_the_class_and_001_for_the_others():
    plain = next(batches(numbered(20), 5, seed=0))
    smooth = next(smooth_labels(batches(numbered(20), 5, seed=0), 0.1))
    np.testing.assert_array_equal(smooth.images, plain.images)
    np.testing.assert_allclose(smooth.labels, np.where(plain.labels == 1, 0.91, 0.01), rtol=1e-6)
    assert smooth.labels.dtype == np.float32
