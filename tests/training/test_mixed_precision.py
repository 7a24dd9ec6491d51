from pathlib import Path

import pytest

from deep_mnist.errors import DeepMnistError
from deep_mnist.training.mixed_precision import choose

AMX = "processor : 0\nmodel name : X\nflags\t\t: fpu avx2 avx512_bf16 amx_bf16 amx_tile\n"
AVX2 = "processor : 0\nmodel name : has no amx_bf16\nflags\t\t: fpu avx2 fma\n"


@pytest.fixture
def cpuinfo(monkeypatch):
    def pretend(text):
        monkeypatch.setattr(Path, "read_text", lambda self, encoding: text)

    return pretend


def test_auto_is_what_the_processor_has(cpuinfo):
    cpuinfo(AMX)
    assert choose("auto") == "bfloat16"
    assert choose("bfloat16") == "bfloat16"
    assert choose("float32") == "float32"
    cpuinfo(AVX2)
    assert choose("auto") == "float32"
    assert choose("float32") == "float32"


def test_bfloat16_is_refused_where_it_would_silently_be_float32(cpuinfo):
    cpuinfo(AVX2)
    with pytest.raises(DeepMnistError, match="expected a processor with avx512_bf16 or amx_bf16"):
        choose("bfloat16")


def test_a_machine_without_cpuinfo_computes_in_float32(monkeypatch):
    def missing(self, encoding):
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    assert choose("auto") == "float32"


def test_bfloat16_is_refused_where_onednn_is_turned_off(cpuinfo, monkeypatch):
    cpuinfo(AMX)
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert choose("auto") == "float32"
    with pytest.raises(DeepMnistError, match="found TF_ENABLE_ONEDNN_OPTS=0 in the environment"):
        choose("bfloat16")
