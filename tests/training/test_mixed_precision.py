"""bfloat16 is used only where the CPU has instructions for it."""

from pathlib import Path

import pytest

from deep_mnist.errors import DeepMnistError
from deep_mnist.training.mixed_precision import choose

AMX = "processor : 0\nmodel name : X\nflags\t\t: fpu avx2 avx512_bf16 amx_bf16 amx_tile\n"
AVX2 = "processor : 0\nmodel name : has no amx_bf16\nflags\t\t: fpu avx2 fma\n"


def test_auto_is_bfloat16_where_the_cpu_has_it(cpuinfo):
    cpuinfo(AMX)
    assert choose("auto") == "bfloat16"
    assert choose("bfloat16") == "bfloat16"
    assert choose("float32") == "float32"
    cpuinfo(AVX2)
    assert choose("auto") == "float32"
    assert choose("float32") == "float32"


def test_bfloat16_is_an_error_where_the_cpu_does_not_have_it(cpuinfo):
    cpuinfo(AVX2)
    with pytest.raises(DeepMnistError) as raised:
        choose("bfloat16")
    assert raised.value.message == (
        "--precision bfloat16: expected a CPU with avx512_bf16 or amx_bf16, "
        "found neither in /proc/cpuinfo"
    )
    assert raised.value.hint.startswith("use --precision float32 or auto; ")


def test_auto_is_float32_where_there_is_no_cpuinfo(monkeypatch):
    def missing(self, encoding):
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    assert choose("auto") == "float32"


def test_bfloat16_is_an_error_where_onednn_is_disabled(cpuinfo, monkeypatch):
    cpuinfo(AMX)
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert choose("auto") == "float32"
    with pytest.raises(DeepMnistError, match="found TF_ENABLE_ONEDNN_OPTS=0, which disables them"):
        choose("bfloat16")
