"""Safe reading and writing of files."""

import gzip
import io as stdlib_io
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from deep_mnist.data import io
from deep_mnist.errors import DatasetError, DeepMnistError


def names(directory):
    return sorted(path.name for path in directory.iterdir())


# Reading ------------------------------------------------------------------


def test_a_regular_file_is_opened_for_its_bytes(tmp_path):
    (tmp_path / "file").write_bytes(b"\x00\r\n\x1a")
    with io.open_regular_file(tmp_path / "file") as file:
        assert file.read() == b"\x00\r\n\x1a"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has none of these in a directory")
def test_a_pipe_a_device_and_a_directory_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match=r"not a regular file|Is a directory"):
            io.open_regular_file(path)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        io.open_regular_file(tmp_path / "none")


def test_exactly_the_expected_bytes_are_read(monkeypatch):
    monkeypatch.setattr(io, "CHUNK", 2)
    data = io.read_exactly(stdlib_io.BytesIO(b"\x01\x02\x03\x04\x05"), 5, "file")
    assert data.dtype == np.uint8
    assert data.tolist() == [1, 2, 3, 4, 5]
    assert data.flags.writeable


def test_too_few_or_too_many_bytes_are_an_error():
    with pytest.raises(DatasetError) as caught:
        io.read_exactly(stdlib_io.BytesIO(b"123"), 4, "file")
    assert str(caught.value) == "file: truncated, expected 4 bytes of data, found 3"
    with pytest.raises(DatasetError) as caught:
        io.read_exactly(stdlib_io.BytesIO(b"123"), 2, "file")
    assert str(caught.value) == "file: expected 2 bytes of data, found more"


def test_reading_to_the_end_verifies_the_checksum_of_gzip():
    content = bytearray(gzip.compress(b"1234"))
    content[-8] ^= 1
    stream = gzip.GzipFile(fileobj=stdlib_io.BytesIO(content))
    with stream, pytest.raises(gzip.BadGzipFile):
        io.read_exactly(stream, 4, "file")


# Writing ------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"new", lambda file: file.write(b"new")])
def test_atomic_write_replaces_a_file_and_leaves_no_other(tmp_path, content):
    (tmp_path / "file").write_bytes(b"old")
    io.atomic_write(tmp_path / "file", content)
    assert (tmp_path / "file").read_bytes() == b"new"
    assert names(tmp_path) == ["file"]


def test_atomic_write_saves_arrays(tmp_path):
    io.atomic_write(tmp_path / "a.npz", lambda file: np.savez(file, x=np.arange(3)))
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["x"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_write_keeps_the_old_file_and_leaves_no_temporary_one(tmp_path, error):
    def fail(file):
        file.write(b"half")
        raise error

    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(type(error)):
        io.atomic_write(tmp_path / "file", fail)
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_a_missing_directory_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        io.atomic_write(tmp_path / "none" / "file", b"")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_a_written_file_has_the_permissions_of_the_umask(tmp_path):
    io.atomic_write(tmp_path / "written", b"")
    (tmp_path / "ordinary").write_bytes(b"")
    assert (tmp_path / "written").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_only_temporary_files_are_removed(tmp_path):
    kept = ["model-1.npz", "model-1.npz.tmp", "notes.tmp", "config.json.0123456789abcdef.tmp"]
    for name in [*kept, "model-1.npz.0123456789abcdef.tmp"]:
        (tmp_path / name).write_bytes(b"")
    io.remove_temporary_files(tmp_path, "model-*.npz")
    assert names(tmp_path) == sorted(kept)
    io.remove_temporary_files(tmp_path)
    assert names(tmp_path) == sorted(kept[:3])


def test_the_temporary_file_of_a_write_is_one_that_is_removed(tmp_path):
    seen = []
    io.atomic_write(tmp_path / "file", lambda _: seen.extend(names(tmp_path)))
    (tmp_path / seen[0]).write_bytes(b"")
    io.remove_temporary_files(tmp_path, "file")
    assert names(tmp_path) == ["file"]


# New paths ----------------------------------------------------------------


def refused(path, **options):
    with pytest.raises(DeepMnistError) as caught:
        io.check_new_path(path, "--out", **options)
    return str(caught.value)


def test_a_new_path_and_an_empty_directory_are_accepted(tmp_path):
    io.check_new_path(tmp_path / "new", "--out")
    io.check_new_path(tmp_path / "new", "--out", directory=True)
    io.check_new_path(tmp_path, "--out", directory=True)


def test_an_existing_file_is_refused(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"")
    assert refused(path) == f"--out: {path} already exists\nhint: choose a new name"
    assert refused(path, directory=True) == f"--out: {path} is a file\nhint: choose a new directory"
    (tmp_path / "dangling").symlink_to(tmp_path / "none")
    assert "already exists" in refused(tmp_path / "dangling")


def test_a_path_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    message = f"--out: expected a directory, found the file {tmp_path / 'file'}"
    assert refused(tmp_path / "file" / "new") == message
    assert refused(tmp_path / "file" / "new" / "deep", directory=True) == message


def test_a_directory_is_refused_where_a_file_is_written_or_if_it_is_not_empty(tmp_path):
    assert "already exists" in refused(tmp_path)
    (tmp_path / "config.json.0123456789abcdef.tmp").write_bytes(b"")
    (tmp_path / ".lock").write_bytes(b"")
    io.check_new_path(tmp_path, "--out", directory=True)
    (tmp_path / "config.json").write_bytes(b"")
    assert refused(tmp_path, directory=True) == (
        f"--out: {tmp_path} is not empty\nhint: choose a new directory"
    )


def test_renaming_damaged_files_replaces_none(tmp_path):
    for content in ("first", "second", "third"):
        (tmp_path / "metrics.jsonl").write_text(content)
        assert io.rename_damaged(tmp_path / "metrics.jsonl").read_text() == content
    assert names(tmp_path) == [
        "metrics.jsonl.damaged",
        "metrics.jsonl.damaged-2",
        "metrics.jsonl.damaged-3",
    ]
