"""Every test runs offline, in an empty directory, with an empty home and synthetic digits."""

import functools
import os
import shutil
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

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",  # root may not have one
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
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


@pytest.fixture(scope="module")
def browser():
    """Chromium, for tests marked browser."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        try:
            chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        except playwright.Error:
            pytest.skip("Chromium not found: apt-get install chromium, or playwright install")
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def axe_violations():
    """A function that checks the accessibility of a page with axe-core."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()

    def violations(page):
        return [
            (rule["id"], [node["html"] for node in rule["nodes"]])
            for rule in axe.run(page).response["violations"]
        ]

    return violations
