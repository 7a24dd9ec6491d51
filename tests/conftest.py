"""What every test starts from: no network, no user's folders, no real data unless asked for."""

import functools
import os
import signal
from pathlib import Path

import pytest

from deep_mnist import data
from deep_mnist.data import synthetic

# In a shell's background Ctrl-C is ignored, under nohup a closed terminal is; what is tested, and
# started by tests, must hear them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

STARTED_IN = Path.cwd()
REAL_DATA = STARTED_IN / os.environ.get("DEEP_MNIST_DATA_DIR", "MNIST_data")
generated_digits = functools.cache(synthetic.digits)


@pytest.fixture(autouse=True)
def _alone(tmp_path_factory, monkeypatch):
    """Runs each test in a folder of its own, offline, with an empty home."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.chdir(tmp_path_factory.mktemp("work"))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("DEEP_MNIST_DATA_DIR", raising=False)
    monkeypatch.setenv("DEEP_MNIST_OFFLINE", "1")
    # Drawing the generated set takes seconds, and it is always the same.
    monkeypatch.setattr(synthetic, "digits", generated_digits)


@pytest.fixture
def mnist_dir():
    """The folder with the real MNIST files; skips the test where there is none."""
    if not REAL_DATA.is_dir():
        pytest.skip("MNIST is neither in MNIST_data/ nor named by DEEP_MNIST_DATA_DIR")
    return str(REAL_DATA)


@pytest.fixture
def digits():
    """The generated set."""
    return data.load_data("generated")
