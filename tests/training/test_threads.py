"""TensorFlow computes with the threads of a process's first session; a run is not told others."""

import pytest

from deep_mnist import softmax
from deep_mnist.errors import DeepMnistError
from deep_mnist.training import threads


def test_a_run_with_other_threads_than_it_would_get_is_refused(monkeypatch):
    monkeypatch.setattr(threads, "_in_force", None)
    threads.check(softmax.Config(intra_op_threads=3, inter_op_threads=1))
    threads.note(softmax.Config(intra_op_threads=2, inter_op_threads=2))
    threads.note(softmax.Config(intra_op_threads=1, inter_op_threads=1))
    threads.check(softmax.Config(intra_op_threads=2, inter_op_threads=2))
    with pytest.raises(
        DeepMnistError,
        match=r"^--intra-op-threads 1 --inter-op-threads 2: this process has computed with "
        "--intra-op-threads 2 --inter-op-threads 2, which hold until it ends: start the run in a",
    ):
        threads.check(softmax.Config(intra_op_threads=1, inter_op_threads=2))
