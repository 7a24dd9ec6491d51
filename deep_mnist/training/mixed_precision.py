"""The number format of a graph's products: float32, or bfloat16 where the processor has it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from deep_mnist.errors import DeepMnistError

PRECISIONS = ("float32", "bfloat16", "auto")
FEATURES = {"avx512_bf16", "amx_bf16"}  # what Linux calls the instructions


def choose(precision: str) -> str:
    """What to compute in: "auto" is "bfloat16" where the processor has it, else "float32".

    Raises:
      DeepMnistError: bfloat16 was asked for, and the processor doesn't have it.
    """
    if precision == "float32":
        return precision
    has_instructions = bool(_features() & FEATURES)
    has_onednn = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1") != "0"
    if has_instructions and has_onednn:
        return "bfloat16"
    if precision == "auto":
        return "float32"
    found = "none of them in /proc/cpuinfo"
    if has_instructions:
        found = "TF_ENABLE_ONEDNN_OPTS=0 in the environment, which turns off what uses them"
    raise DeepMnistError(
        "--precision bfloat16: expected a processor with avx512_bf16 or amx_bf16, found "
        f"{found}: take --precision float32 or auto for a new run; one that is resumed needs "
        "what it was begun with"
    )


def set_bfloat16(config: Any) -> None:
    """Lets TensorFlow's graph rewriter compute a session's products and convolutions in bfloat16.

    Variables, their updates and the loss stay float32.

    Args:
      config: the session's tf.ConfigProto, which is changed.
    """
    options = config.graph_options.rewrite_options
    options.auto_mixed_precision_onednn_bfloat16 = type(options).ON


def _features() -> set[str]:
    try:
        cpuinfo = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return set()
    lines = (line.partition(":") for line in cpuinfo.splitlines())
    return {word for name, _, value in lines if name.strip() == "flags" for word in value.split()}
