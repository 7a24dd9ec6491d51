"""Weights in .npz files: exact values, and an error for every damaged file."""

import zipfile

import numpy as np
import pytest

from deep_mnist.checkpoints import npz_reader, reader
from deep_mnist.checkpoints.variables import Spec
from deep_mnist.data import npz
from deep_mnist.errors import DamagedCheckpointError, DeepMnistError

SOFTMAX = {"W": (784, 10), "b": (10,)}


@pytest.fixture
def values():
    generator = np.random.default_rng(0)
    return {name: generator.random(shape, np.float32) for name, shape in SOFTMAX.items()}


def load(path):
    return reader.load_weights(reader.open_checkpoint(path), SOFTMAX)


def test_shapes_and_dtypes_are_read_from_the_headers(tmp_path):
    np.savez(tmp_path / "a.npz", **{"fc/W": np.zeros((2, 3), ">f8"), "step": np.int64(7)})
    assert npz_reader.read_specs(tmp_path / "a.npz") == {
        "fc/W": Spec((2, 3), "float64"),
        "step": Spec((), "int64"),
    }
    assert npz_reader.read(tmp_path / "a.npz", "step") == 7


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_variables_are_matched_by_shape_whatever_their_names(tmp_path, values, save):
    old = {"Variable": np.asfortranarray(values["W"]), "Variable_1": values["b"]}
    save(tmp_path / "old.npz", global_step=np.int64(1000), **old)
    loaded = load(tmp_path / "old.npz")
    for name, value in values.items():
        np.testing.assert_array_equal(loaded.values[name], value)
    assert loaded.summary() == ["renamed variables: W = Variable, b = Variable_1"]


def test_arrays_of_another_model_are_an_error(tmp_path, values):
    np.savez(tmp_path / "a.npz", **{**values, "W": np.zeros((785, 10))})
    with pytest.raises(DeepMnistError, match=r"a.npz has no variable W \[784, 10\]"):
        load(tmp_path / "a.npz")


def test_python_objects_are_never_unpickled(tmp_path):
    np.savez(tmp_path / "a.npz", W=np.array([object()]))
    with pytest.raises(
        DamagedCheckpointError, match=r"Python objects \(pickle\), which are never loaded"
    ):
        npz_reader.read_specs(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ("(784, 11)", "expected 34496 bytes of data, found 31360"),
        ("(784, 9)", "expected 28224 bytes of data, found 31360"),
        ("(100000, 100000)", "expected at most 67108864 values"),
        ("(-1, 10)", "expected at most 67108864 values"),
    ],
)
def test_a_header_of_another_size_is_an_error_before_memory_is_allocated(
    tmp_path, values, shape, message
):
    path = tmp_path / "a.npz"
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    magic = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("W.npy", magic + header.encode() + values["W"].tobytes())
    with pytest.raises(DeepMnistError, match=message):
        reader.open_checkpoint(path).read("W")


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_truncated_file_is_damaged(tmp_path, values, keep):
    path = tmp_path / "a.npz"
    np.savez(path, **values)
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(DamagedCheckpointError, match="is damaged"):
        npz_reader.read_specs(path)


def test_a_flipped_bit_is_damaged(tmp_path, values):
    path = tmp_path / "a.npz"
    np.savez(path, **values)
    content = bytearray(path.read_bytes())
    content[20_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedCheckpointError, match=r"Bad CRC-32 for file 'W.npy'"):
        npz_reader.read(path, "W")


def test_a_flipped_bit_in_a_header_is_damage_and_not_another_model(tmp_path, values):
    path = tmp_path / "a.npz"
    np.savez(path, **values)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"(784, 10)", b"(784, 30)", 1))
    with pytest.raises(DamagedCheckpointError, match=r"Bad CRC-32 for file 'W.npy'"):
        npz_reader.read_specs(path)


def test_a_file_that_is_too_large_uncompressed_is_refused(tmp_path, values, monkeypatch):
    np.savez_compressed(tmp_path / "a.npz", **values)
    monkeypatch.setattr(npz, "MAX_BYTES", 30_000)
    with pytest.raises(
        DamagedCheckpointError, match="expected at most 30000 bytes of arrays, found 31656"
    ):
        npz_reader.read_specs(tmp_path / "a.npz")
