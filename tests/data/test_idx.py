"""IDX files: the bytes that are written, round trips, and the message for each wrong file."""

import gzip
import io
import struct
import tracemalloc

import numpy as np
import pytest

from deep_mnist.data import idx
from deep_mnist.errors import DatasetError, IdxTypeError


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (6, 28, 28), np.uint8)


def refused(path, *args):
    with pytest.raises(DatasetError) as caught:
        idx.read(path, *args)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def test_labels_are_written_in_the_published_format(tmp_path):
    path = tmp_path / "labels"
    idx.write(path, np.array([7, 2], np.uint8))
    assert path.read_bytes() == b"\x00\x00\x08\x01\x00\x00\x00\x02\x07\x02"


def test_images_are_written_in_the_published_format(tmp_path):
    path = tmp_path / "images"
    idx.write(path, np.arange(6, dtype=np.uint8).reshape(1, 2, 3))
    assert path.read_bytes() == (
        b"\x00\x00\x08\x03\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x01\x02\x03\x04\x05"
    )


@pytest.mark.parametrize("name", ["images", "images.gz"])
def test_what_is_written_is_read_back(tmp_path, images, name):
    path = tmp_path / name
    idx.write(path, images)
    read = idx.read(path, idx.IMAGES)
    assert read.dtype == np.uint8
    assert np.array_equal(read, images)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_an_array_that_is_not_contiguous_is_written_in_its_own_order(tmp_path):
    path = tmp_path / "images"
    idx.write(path, np.arange(6, dtype=np.uint8).reshape(1, 2, 3).transpose(0, 2, 1))
    assert idx.read(path).tolist() == [[[0, 3], [1, 4], [2, 5]]]


def test_gzip_output_is_reproducible_and_without_a_time(tmp_path, images):
    idx.write(tmp_path / "a.gz", images)
    idx.write(tmp_path / "b.gz", images)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert (tmp_path / "a.gz").read_bytes()[4:8] == bytes(4)


def test_gzip_is_detected_by_content_not_by_name(tmp_path, images):
    idx.write(tmp_path / "images.gz", images)
    (tmp_path / "images.gz").rename(tmp_path / "images")
    assert np.array_equal(idx.read(tmp_path / "images"), images)
    idx.write(tmp_path / "raw", images)
    (tmp_path / "raw").rename(tmp_path / "raw.gz")
    assert np.array_equal(idx.read(tmp_path / "raw.gz"), images)


@pytest.mark.parametrize("name", ["images", "images.gz"])
@pytest.mark.parametrize("size", [0, 1, 3, 15, 16, 1000, -1])
def test_a_truncated_file_is_an_error(tmp_path, images, name, size):
    path = tmp_path / name
    idx.write(path, images)
    path.write_bytes(path.read_bytes()[:size])
    message = refused(path)
    assert ("an empty file" if size == 0 else "truncated") in message


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"])
def test_a_web_page_is_named(tmp_path, name):
    path = tmp_path / name
    path.write_text("\n<!DOCTYPE html><html><body>Please log in</body></html>")
    assert refused(path) == "expected an IDX file, found a web page"


def test_a_compressed_web_page_is_named(tmp_path):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(b"<html></html>"))
    assert refused(path) == "expected an IDX file, found a web page"


def test_a_text_file_is_named(tmp_path):
    path = tmp_path / "images"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:...\n")
    assert refused(path) == "expected an IDX file, found a text file"


def test_an_unknown_magic_number_is_named(tmp_path):
    path = tmp_path / "images"
    path.write_bytes(struct.pack(">2I", 3329, 1) + b"\x00")
    assert refused(path) == "expected an IDX file, found the magic number 3329"


def test_the_error_for_a_wrong_magic_number_holds_it(tmp_path, images):
    idx.write(tmp_path / "labels", np.zeros(5, np.uint8))
    with pytest.raises(IdxTypeError) as caught:
        idx.read(tmp_path / "labels", idx.IMAGES)
    assert caught.value.magic == 2049


@pytest.mark.parametrize("name", ["images", "images.gz"])
def test_an_open_file_is_read_and_stays_open(tmp_path, images, name):
    idx.write(tmp_path / name, images)
    with (tmp_path / name).open("rb") as file:
        assert np.array_equal(idx.read_stream(file, "it", idx.IMAGES), images)
        assert not file.closed
    with pytest.raises(DatasetError, match="it: expected an IDX file, found an empty file"):
        idx.read_stream(io.BytesIO(), "it")


def test_labels_in_place_of_images_are_an_error(tmp_path, images):
    path = tmp_path / "train-images-idx3-ubyte"
    idx.write(path, np.zeros(5, np.uint8))
    assert refused(path, idx.IMAGES) == (
        "expected images (magic number 2051), found labels (magic number 2049)"
    )
    idx.write(path, images)
    assert refused(path, idx.LABELS) == (
        "expected labels (magic number 2049), found images (magic number 2051)"
    )


@pytest.mark.parametrize(
    "sizes",
    [(268_435_457, 1, 1), (60_000, 1024, 1024), (2**32 - 1,) * 3, (0, 2**32 - 1, 2**32 - 1)],
)
def test_a_shape_that_is_too_large_is_refused_before_it_is_allocated(tmp_path, sizes):
    path = tmp_path / "images"
    path.write_bytes(struct.pack(">4I", 2051, *sizes))
    assert refused(path) == (
        f"expected at most 268435456 bytes of data, found the shape {list(sizes)}"
    )


@pytest.mark.parametrize("name", ["images", "images.gz"])
def test_one_byte_too_many_is_an_error(tmp_path, images, name):
    payload = idx.header(images) + images.tobytes() + b"\x00"
    path = tmp_path / name
    path.write_bytes(gzip.compress(payload) if name.endswith(".gz") else payload)
    assert refused(path) == "expected 4704 bytes of data, found more"


def test_a_gzip_bomb_takes_no_memory(tmp_path):
    path = tmp_path / "labels.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(struct.pack(">2I", 2049, 10))
        for _ in range(64):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    assert refused(path) == "expected 10 bytes of data, found more"
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("position", [-5, -1, 2000])
def test_damaged_gzip_data_is_an_error(tmp_path, images, position):
    path = tmp_path / "images.gz"
    idx.write(path, images)
    data = bytearray(path.read_bytes())
    data[position] ^= 0xFF
    path.write_bytes(data)
    assert refused(path).startswith(("damaged gzip data", "truncated", "expected 4704 bytes"))


def test_a_missing_file_and_a_directory_are_errors(tmp_path):
    assert refused(tmp_path / "nothing") == "cannot be read (No such file or directory)"
    assert refused(tmp_path).startswith("cannot be read (")


@pytest.mark.parametrize("array", [np.zeros(3), np.zeros((2, 2), np.uint8), np.uint8(0)])
def test_another_dtype_or_rank_is_not_written(tmp_path, array):
    with pytest.raises(ValueError, match="expected"):
        idx.write(tmp_path / "x", array)
    assert list(tmp_path.iterdir()) == []


def test_payload_sha256_is_the_digest_of_the_uncompressed_file():
    # printf '\0\0\x08\x01\0\0\0\x02\x07\x02' | sha256sum
    assert idx.payload_sha256(np.array([7, 2], np.uint8)) == (
        "ccde9e37761edb216f68e4cda3e7e1a07cc7abea3580be5ea61f98b64667576c"
    )
