"""Index files that abort the process in TensorFlow's reader, although their checksums match."""

import functools

import pytest

from deep_mnist.checkpoints import bundle_index


def varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def block(rows):
    content = b"".join(
        varint(shared) + varint(len(key)) + varint(len(value)) + key + value
        for shared, key, value in rows
    )
    return content + bytes(4) + (1).to_bytes(4, "little")


@pytest.fixture
def index(tmp_path):
    """Return a function that writes an index.

    A row is the number of bytes shared with the previous key, the rest of the key, and the value.
    The checksums, which are not verified here, are zero.
    """

    def write(*rows, compressed=0, times=1):
        made = [(shared, key, value() if callable(value) else value) for shared, key, value in rows]
        data = block([(0, b"", b""), *made])
        trailer = bytes([compressed]) + bytes(4)
        listing = block([(0, b"~", varint(0) + varint(len(data)))] * times)
        handles = varint(0) * 2 + varint(len(data) + 5) + varint(len(listing))
        path = tmp_path / "model.index"
        path.write_bytes(data + trailer + listing + bytes(5) + handles.ljust(48, b"\0"))
        return path

    return write


def entry(*sides, **more):
    """Return a function that serializes the entry of a variable; it needs TensorFlow."""
    return functools.partial(serialized, sides, more)


def serialized(sides, more):
    from tensorflow.core.protobuf import tensor_bundle_pb2

    shape = {"dim": [{"size": side} for side in sides]}
    return tensor_bundle_pb2.BundleEntryProto(shape=shape, **more).SerializeToString()


PART = {"extent": [{"start": 1, "length": 1}, {}]}


def test_a_valid_index_passes(index):
    bundle_index.check_index(
        index((0, b"W1", entry(784, 10)), (1, b"2", entry()), (0, b"b", entry(10)))
    )
    bundle_index.check_index(index((0, b"W", entry(2, 3, slices=[PART]))))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((0, b"W", b"\xff"), "an entry of its index cannot be parsed"),
        ((0, b"\xff", entry(1)), "an entry of its index cannot be parsed"),
        ((0, b"W", entry(-1)), "the shape of W in its index is invalid"),
        ((0, b"W", entry(*[1] * 255)), "the shape of W in its index is invalid"),
        ((0, b"W", entry(2, size=-1)), "the offset of W in its index is invalid"),
        (
            (0, b"W", entry(1, 3, slices=[PART])),
            "a slice of W in its index is outside of its shape",
        ),
        ((0, b"W", entry(2, slices=[PART])), "a slice of W in its index is outside of its shape"),
        ((9, b"W", entry(2)), "its index is truncated"),
        ((0, b"W" * 2000, entry(2)), "its index has a name of more than 1024 bytes"),
    ],
)
def test_an_invalid_index_is_an_error(index, row, message):
    with pytest.raises(ValueError, match=message):
        bundle_index.check_index(index(row))


def test_every_truncated_index_passes_or_is_a_value_error(index):
    content = index((0, b"W", entry(784, 10))).read_bytes()
    path = index()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        try:
            bundle_index.check_index(path)
        except ValueError as error:
            assert str(error)


def test_a_compressed_index_is_left_to_tensorflow(index):
    bundle_index.check_index(index((0, b"W", b"\xff"), compressed=1))


def test_a_block_that_is_referred_to_twice_is_an_error(index):
    """Otherwise 100 kB could take the time of 1 GB."""
    with pytest.raises(ValueError, match="its index refers to a block twice"):
        bundle_index.check_index(index((0, b"W", entry(2)), times=9))
