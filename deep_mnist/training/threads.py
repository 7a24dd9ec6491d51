"""The threads that TensorFlow computes with: those that a process's first session asked for.

Later sessions get the same, whatever they ask for, and other threads mean other last bits.
"""

from __future__ import annotations

from typing import Any

from deep_mnist.errors import DeepMnistError

_in_force: tuple[int, int] | None = None


def note(config: Any) -> None:
    """Remembers what the first session of this process is made with.

    Args:
      config: a program's Config: intra_op_threads and inter_op_threads.
    """
    global _in_force
    _in_force = _in_force or _asked(config)


def check(config: Any) -> None:
    """Raises DeepMnistError where a run asks for other threads than it would get."""
    if _in_force is not None and _in_force != _asked(config):
        asked, found = (
            f"--intra-op-threads {intra} --inter-op-threads {inter}"
            for intra, inter in (_asked(config), _in_force)
        )
        raise DeepMnistError(
            f"{asked}: this process has computed with {found}, which hold until it ends: start "
            "the run in a process of its own"
        )


def _asked(config: Any) -> tuple[int, int]:
    return config.intra_op_threads, config.inter_op_threads
