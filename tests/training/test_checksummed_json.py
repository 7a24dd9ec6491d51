"""JSON files with a checksum: damage and alterations are errors."""

import json

import pytest

from deep_mnist.errors import DeepMnistError
from deep_mnist.training import checksummed_json, run_directory

VALUES = {"seed": 0, "learning_rate": 0.01, "dataset": "mnist", "picture": None}


@pytest.fixture
def path(tmp_path):
    run_directory.write_json(tmp_path / "config.json", VALUES)
    return tmp_path / "config.json"


def test_values_are_read_in_any_order_and_with_any_spaces(path):
    assert checksummed_json.read(path) == VALUES
    written = json.loads(path.read_text())
    assert list(written) == [*VALUES, "sha256"]
    path.write_text(json.dumps(dict(reversed(written.items()))))
    assert checksummed_json.read(path) == VALUES


@pytest.mark.parametrize(
    ("before", "after"),
    [('"seed": 0', '"seed": 1'), ("0.01", "0.11"), ("mnist", "kmnist"), ('"seed": 0,', "")],
)
def test_an_altered_value_is_an_error_with_a_hint_for_those_who_meant_it(path, before, after):
    altered = path.read_text().replace(before, after)
    path.write_text(altered)
    with pytest.raises(DeepMnistError) as raised:
        checksummed_json.read(path)
    assert raised.value.message == f"{path} was altered: its values do not match its sha256"
    assert raised.value.hint == (
        "restore the file from a copy; if you edited it, remove the line sha256"
    )
    values = json.loads(altered)
    del values["sha256"]
    path.write_text(json.dumps(values))
    assert checksummed_json.read(path) == values


def test_a_flipped_bit_never_changes_a_value(path):
    content = path.read_bytes()
    for position in range(8 * len(content)):
        altered = bytearray(content)
        altered[position // 8] ^= 1 << position % 8
        path.write_bytes(altered)
        try:
            found = checksummed_json.read(path)
        except DeepMnistError as error:
            assert "\n" not in error.message
        else:
            assert {name: found.get(name) for name in VALUES} == VALUES


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not valid JSON"),
        (b"\xff", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b"9" * 10_000, "is not valid JSON"),
        (b"[]", "expected an object, found a list"),
        (b'{"learning_rate": NaN}', "expected finite numbers, found NaN"),
        (b'{"learning_rate": -Infinity}', "expected finite numbers, found -Infinity"),
        (b" " * 2_000_000, "expected at most 1048576 bytes"),
    ],
)
def test_an_invalid_file_is_an_error(path, content, message):
    path.write_bytes(content)
    with pytest.raises(DeepMnistError, match=message):
        checksummed_json.read(path)


def test_deep_nesting_is_an_error(path):
    for depth in range(800, 1100):  # near Python's limit, reading works and writing does not
        path.write_text('{"sha256": "0", "a": ' + depth * "[" + depth * "]" + "}")
        with pytest.raises(DeepMnistError):
            checksummed_json.read(path)


def test_a_file_without_a_checksum_is_read(path):
    path.write_text('{"seed": 3}')
    assert checksummed_json.read(path) == {"seed": 3}


def test_a_missing_file_is_a_file_not_found_error_and_a_directory_a_deep_mnist_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        checksummed_json.read(tmp_path / "config.json")
    with pytest.raises(DeepMnistError, match=r"^cannot read .* \(not a regular file\)$"):
        checksummed_json.read(tmp_path)
