from pathlib import Path

import pytest


@pytest.fixture
def cpuinfo(monkeypatch):
    """Set the text of /proc/cpuinfo."""

    def set_to(text):
        monkeypatch.setattr(Path, "read_text", lambda self, encoding: text)

    return set_to
