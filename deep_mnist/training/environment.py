"""The software versions and the processor that a run was made with, for its result."""

from __future__ import annotations

import platform
import re
import sys
from pathlib import Path

import numpy as np

from deep_mnist import __version__
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training.config import available_cpus


def versions() -> dict[str, str]:
    """Return the versions of deep_mnist, python, numpy and, if it is imported, tensorflow."""
    versions = {
        "deep_mnist": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    return {**versions, "tensorflow": tf.__version__} if _uses_tensorflow() else versions


def device() -> str:
    """Return the processor, such as "AMD EPYC, 2 CPUs": the GPU if TensorFlow has one."""
    gpus = tf.config.list_physical_devices("GPU") if _uses_tensorflow() else []
    if gpus:
        return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))
    return f"{_cpu_model()}, {available_cpus()} CPUs"


def _uses_tensorflow() -> bool:
    return sys.modules.get("tensorflow") is not None


def _cpu_model() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text("utf-8"))
    except OSError:
        found = None
    return found.group(1) if found else platform.processor() or platform.machine()
