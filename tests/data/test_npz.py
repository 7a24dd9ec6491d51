"""Reading .npz files: no pickle, and no more memory than the limits allow."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from deep_mnist.data import npz
from deep_mnist.errors import DatasetError


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (30, 28, 28), np.uint8),
        "y_train": rng.integers(0, 10, 30, np.uint8),
        "x_test": rng.integers(0, 256, (10, 28, 28), np.uint8),
        "y_test": rng.integers(0, 10, 10, np.uint8),
    }


def refused(path):
    with pytest.raises(DatasetError) as caught:
        npz.read_mnist(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def npy_bytes(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def write_zip(path, arrays, x_train, **options):
    """The four members, x_train's bytes as given."""
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, array in arrays.items():
            archive.writestr(f"{name}.npy", x_train if name == "x_train" else npy_bytes(array))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_mnist_npz_of_keras_is_read(tmp_path, arrays, save):
    path = tmp_path / "mnist.npz"
    save(path, **arrays)
    read = npz.read_mnist(path)
    assert list(read) == ["x_train", "y_train", "x_test", "y_test"]
    for name, array in arrays.items():
        assert read[name].dtype == np.uint8
        assert np.array_equal(read[name], array)


class Trap:
    """Unpickling it would create a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_pickled_objects_are_refused_and_not_executed(tmp_path, arrays):
    path = tmp_path / "mnist.npz"
    executed = tmp_path / "executed"
    np.savez(path, **(arrays | {"x_train": np.array([Trap(executed)], object)}))
    assert refused(path) == ("x_train: contains Python objects (pickle), which are never loaded")
    assert not executed.exists()


def test_a_member_that_is_a_pickle_is_refused(tmp_path, arrays):
    path = tmp_path / "mnist.npz"
    write_zip(path, arrays, b"\x80\x04K\x01.")
    assert refused(path).startswith("x_train: not a .npy file")


def test_a_missing_array_is_named(tmp_path, arrays):
    path = tmp_path / "mnist.npz"
    del arrays["y_test"]
    np.savez(path, **arrays)
    assert refused(path) == (
        "expected the arrays x_train, y_train, x_test, y_test, found x_test, x_train, y_train"
    )


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.zeros((30, 28, 28), np.float32), "found float32 of shape [30, 28, 28]"),
        (np.zeros((30, 784), np.uint8), "found uint8 of shape [30, 784]"),
    ],
)
def test_a_wrong_dtype_or_rank_is_an_error(tmp_path, arrays, array, found):
    path = tmp_path / "mnist.npz"
    np.savez(path, **(arrays | {"x_train": array}))
    assert refused(path) == f"x_train: expected uint8 in 3 dimensions, {found}"


def test_arrays_in_fortran_order_are_read(tmp_path, arrays):
    path = tmp_path / "mnist.npz"
    np.savez(path, **(arrays | {"x_train": np.asfortranarray(arrays["x_train"])}))
    images = npz.read_mnist(path)["x_train"]
    assert np.array_equal(images, arrays["x_train"])
    assert images.flags.c_contiguous


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"PK\x03\x04 and nothing more"])
def test_a_file_that_is_not_a_zip_is_an_error(tmp_path, content):
    path = tmp_path / "mnist.npz"
    path.write_bytes(content)
    assert refused(path).startswith("damaged .npz file")


def test_a_truncated_file_is_an_error(tmp_path, arrays):
    path = tmp_path / "mnist.npz"
    np.savez(path, **arrays)
    path.write_bytes(path.read_bytes()[:-1])
    assert refused(path).startswith("damaged .npz file")


def test_a_changed_byte_is_an_error(tmp_path, arrays):
    path = tmp_path / "mnist.npz"
    np.savez(path, **arrays)
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)
    assert refused(path).startswith("damaged .npz file (Bad CRC-32")


def test_a_truncated_array_is_an_error(tmp_path, arrays):
    path = tmp_path / "mnist.npz"
    write_zip(path, arrays, npy_bytes(arrays["x_train"])[:-1])
    assert refused(path) == "x_train: expected 23520 bytes of data, found 23519"


def test_data_beyond_the_header_takes_no_memory(tmp_path, arrays):
    path = tmp_path / "mnist.npz"
    bomb = npy_bytes(np.zeros((1, 28, 28), np.uint8)) + bytes(64 << 20)
    write_zip(path, arrays, bomb, compression=zipfile.ZIP_DEFLATED)
    del bomb
    tracemalloc.start()
    assert refused(path) == "x_train: expected 784 bytes of data, found 67109648"
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_a_zip_with_a_wrong_uncompressed_size_takes_no_memory(tmp_path, arrays):
    path = tmp_path / "mnist.npz"
    bomb = npy_bytes(np.zeros((1, 28, 28), np.uint8)) + bytes(64 << 20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x_train.npy", bomb)
        archive.getinfo("x_train.npy").file_size = 912
    del bomb
    tracemalloc.start()
    assert refused(path).startswith("damaged .npz file")
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_a_shape_that_is_too_large_is_refused_before_it_is_allocated(tmp_path, arrays):
    path = tmp_path / "mnist.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (10**7, 1000, 1000)}
    )
    write_zip(path, arrays, header.getvalue())
    assert refused(path).startswith("x_train: expected at most 268435456 bytes")


def test_other_compressions_than_numpys_are_refused(tmp_path, arrays):
    path = tmp_path / "mnist.npz"
    write_zip(path, arrays, npy_bytes(arrays["x_train"]), compression=zipfile.ZIP_BZIP2)
    assert refused(path) == "x_train: expected the compression of NumPy"


def test_a_missing_file_is_an_error(tmp_path):
    assert refused(tmp_path / "mnist.npz") == "cannot be read (No such file or directory)"


def test_the_file_and_its_list_of_members_are_limited(tmp_path, arrays, monkeypatch):
    path = tmp_path / "mnist.npz"
    np.savez(path, **arrays)
    monkeypatch.setattr(npz, "MAX_MEMBERS", 3)
    with pytest.raises(DatasetError, match="expected at most 3 arrays, found 4"):
        npz.read_mnist(path)
    monkeypatch.setattr(npz, "MAX_FILE_BYTES", 100)
    with pytest.raises(DatasetError, match="expected at most 100 bytes, found "):
        npz.read_mnist(path)
