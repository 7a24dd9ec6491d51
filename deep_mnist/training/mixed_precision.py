"""The number format of matrix products and convolutions: float32, or bfloat16 on CPUs that have it.

Variables, their updates and the loss are float32 in either.
"""

from __future__ import annotations

import os
from typing import Any

from deep_mnist.errors import DeepMnistError
from deep_mnist.training.cpu_features import cpu_features

PRECISIONS = ("float32", "bfloat16", "auto")
FEATURES = {"avx512_bf16", "amx_bf16"}  # names of the CPU instructions in /proc/cpuinfo


def choose(precision: str) -> str:
    """Return "float32" or "bfloat16"; "auto" is bfloat16 where the CPU has it.

    Raises:
      DeepMnistError: bfloat16 was requested and is unavailable.
    """
    if precision == "float32":
        return precision
    has_instructions = bool(cpu_features() & FEATURES)
    has_onednn = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1") != "0"
    if has_instructions and has_onednn:
        return "bfloat16"
    if precision == "auto":
        return "float32"
    found = "neither in /proc/cpuinfo"
    if has_instructions:
        found = "TF_ENABLE_ONEDNN_OPTS=0, which disables them"
    raise DeepMnistError(
        f"--precision bfloat16: expected a CPU with avx512_bf16 or amx_bf16, found {found}",
        hint="use --precision float32 or auto; resume a run on a CPU like the one it started on",
    )


def set_bfloat16(config: Any) -> None:
    """Let TensorFlow's graph optimizer compute products and convolutions in bfloat16.

    Args:
      config: the session's tf.ConfigProto, which is changed.
    """
    options = config.graph_options.rewrite_options
    options.auto_mixed_precision_onednn_bfloat16 = type(options).ON
