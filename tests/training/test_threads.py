"""TensorFlow keeps the threads of a process's first session."""

import pytest

from deep_mnist.errors import DeepMnistError
from deep_mnist.training import RunConfig, threads


def test_a_run_that_would_get_other_threads_than_its_own_is_an_error(monkeypatch):
    monkeypatch.setattr(threads, "_in_use", None)
    threads.check(RunConfig(intra_op_threads=3, inter_op_threads=1))
    threads.note(RunConfig(intra_op_threads=2, inter_op_threads=2))
    threads.note(RunConfig(intra_op_threads=1, inter_op_threads=1))
    threads.check(RunConfig(intra_op_threads=2, inter_op_threads=2))
    with pytest.raises(DeepMnistError) as raised:
        threads.check(RunConfig(intra_op_threads=1, inter_op_threads=2))
    assert raised.value.message == (
        "--intra-op-threads 1 --inter-op-threads 2: this process already uses "
        "--intra-op-threads 2 --inter-op-threads 2"
    )
    assert raised.value.hint == (
        "TensorFlow sets its threads once per process; start the run in another one"
    )
