"""Files that have no end are refused before a byte of them is waited for."""

import os
import sys
from pathlib import Path

import pytest

from deep_mnist.data import regular


def test_a_files_bytes(tmp_path):
    (tmp_path / "file").write_bytes(b"\x00\r\n\x1a")
    with regular.open_file(tmp_path / "file") as file:
        assert file.read() == b"\x00\r\n\x1a"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has none of these in a folder")
def test_a_pipe_a_device_and_a_folder_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match=r"it is no regular file|Is a directory"):
            regular.open_file(path)


def test_what_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        regular.open_file(tmp_path / "none")
