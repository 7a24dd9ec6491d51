"""Batches made ahead of the loop that uses them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

DEPTH = 4  # batches that wait, at most


def prefetch(batches: Iterator[T]) -> Iterator[T]:
    """Yields the same batches in the same order; one thread makes the next ones meanwhile.

    An error in making a batch is raised where the batch would have been yielded.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="prefetch") as worker:
        ahead = deque(worker.submit(next, batches) for _ in range(DEPTH))
        try:
            while True:
                batch = ahead.popleft().result()
                ahead.append(worker.submit(next, batches))
                yield batch
        except StopIteration:
            return
        finally:
            worker.shutdown(wait=False, cancel_futures=True)
