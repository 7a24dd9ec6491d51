"""Every test runs offline, in an empty directory, with an empty home and synthetic digits."""

import functools
import os
import signal
from pathlib import Path

import pytest

from deep_mnist import data
from deep_mnist.data import synthetic
from deep_mnist.lazy_tensorflow import tf

# A shell's background jobs ignore Ctrl-C, and jobs under nohup ignore SIGHUP; programs that the
# tests start would inherit it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

MNIST_DIR = Path.cwd() / os.environ.get("DEEP_MNIST_DATA_DIR", "MNIST_data")
cached_digits = functools.cache(synthetic.digits)


@pytest.fixture(autouse=True)
def _isolated(tmp_path_factory, monkeypatch):
    home = tmp_path_factory.mktemp("home")
    monkeypatch.chdir(tmp_path_factory.mktemp("work"))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    for name in ("XDG_CACHE_HOME", "DEEP_MNIST_DATA_DIR", "TF_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DEEP_MNIST_OFFLINE", "1")
    monkeypatch.setattr(synthetic, "digits", cached_digits)  # drawing them takes seconds


@pytest.fixture
def mnist_dir():
    """The directory of the real MNIST files; skips the test where there is none."""
    if not MNIST_DIR.is_dir():
        pytest.skip("MNIST is neither in MNIST_data/ nor in DEEP_MNIST_DATA_DIR")
    return str(MNIST_DIR)


@pytest.fixture
def digits():
    """The synthetic digits."""
    return data.load_data("generated")


@pytest.fixture
def graph():
    """A new default graph."""
    with tf.Graph().as_default() as graph:
        yield graph
