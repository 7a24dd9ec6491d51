import itertools
import threading

import pytest

from deep_mnist.data import prefetch


def test_the_order_is_kept():
    assert list(itertools.islice(prefetch(itertools.count()), 100)) == list(range(100))


def test_a_finite_iterator_ends():
    assert list(prefetch(iter([1, 2, 3]))) == [1, 2, 3]
    assert list(prefetch(iter([]))) == []


def test_an_exception_is_raised_in_place_of_its_batch():
    def failing():
        yield 1
        raise ValueError("no second batch")

    batches = prefetch(failing())
    assert next(batches) == 1
    with pytest.raises(ValueError, match="no second batch"):
        next(batches)


def test_at_most_four_batches_are_prepared_ahead():
    made = []
    reached = threading.Event()

    def counting():
        for number in itertools.count():
            made.append(number)
            if number == 4:
                reached.set()
            yield number

    batches = prefetch(counting())
    next(batches)
    assert reached.wait(5)  # by another thread
    batches.close()
    assert len(made) == 5  # the one that was used and four ahead


def test_the_thread_ends_with_the_loop():
    batches = prefetch(itertools.count())
    next(batches)
    assert any(thread.name.startswith("prefetch") for thread in threading.enumerate())
    batches.close()
    assert not any(thread.name.startswith("prefetch") for thread in threading.enumerate())
