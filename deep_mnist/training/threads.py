"""The threads of TensorFlow, which are set by the first session of a process.

Another number of threads changes the last bits of the results, so a run that would silently get
another number than it is configured for is an error.
"""

from __future__ import annotations

from deep_mnist.errors import DeepMnistError
from deep_mnist.training.config import RunConfig

_in_use: tuple[int, int] | None = None


def note(run_config: RunConfig) -> None:
    """Remember the threads of the first session of this process."""
    global _in_use
    _in_use = _in_use or _threads(run_config)


def check(run_config: RunConfig) -> None:
    """Raise DeepMnistError where a run would not get the threads it is configured for."""
    if _in_use is not None and _in_use != _threads(run_config):
        expected, used = (
            f"--intra-op-threads {intra} --inter-op-threads {inter}"
            for intra, inter in (_threads(run_config), _in_use)
        )
        raise DeepMnistError(
            f"{expected}: this process already uses {used}",
            hint="TensorFlow sets its threads once per process; start the run in another one",
        )


def _threads(run_config: RunConfig) -> tuple[int, int]:
    return run_config.intra_op_threads, run_config.inter_op_threads
