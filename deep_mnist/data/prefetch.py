"""Prepare batches in a thread, ahead of the loop that uses them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["prefetch"]

T = TypeVar("T")

DEPTH = 4  # largest number of batches that are prepared ahead


def prefetch(batches: Iterator[T]) -> Iterator[T]:
    """Yield the same batches in the same order, while a thread prepares the next ones.

    An exception in the thread is raised in place of the batch.
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
