"""Measurements in a process of their own: TensorFlow sets its threads once per process."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any


def isolated(measure: Callable[..., Any], *arguments: Any) -> Any:
    """Return `measure(*arguments)`, called in a new process."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as executor:
        return executor.submit(measure, *arguments).result()
