"""JSON files of a run: whole and unaltered, or refused in a line."""

import json

import pytest

from deep_mnist.errors import DeepMnistError
from deep_mnist.training import checksummed_json, run_directory

VALUES = {"seed": 0, "learning_rate": 0.01, "dataset": "mnist", "picture": None}


@pytest.fixture
def path(tmp_path):
    run_directory.write_json(tmp_path / "config.json", VALUES)
    return tmp_path / "config.json"


def test_values_come_back_without_the_seal_in_any_order_and_spacing(path):
    assert checksummed_json.read(path) == VALUES
    written = json.loads(path.read_text())
    assert list(written) == [*VALUES, "sha256"]
    path.write_text(json.dumps(dict(reversed(written.items()))))
    assert checksummed_json.read(path) == VALUES


@pytest.mark.parametrize(
    ("there", "instead"),
    [('"seed": 0', '"seed": 1'), ("0.01", "0.11"), ("mnist", "kmnist"), ('"seed": 0,', "")],
)
def test_an_altered_value_is_refused_and_says_how_to_mean_it(path, there, instead):
    altered = path.read_text().replace(there, instead)
    path.write_text(altered)
    with pytest.raises(
        DeepMnistError, match=r"was altered after it was written: .* remove the line"
    ):
        checksummed_json.read(path)
    values = json.loads(altered)
    del values["sha256"]
    path.write_text(json.dumps(values))
    assert checksummed_json.read(path) == values


def test_no_single_flipped_bit_gives_other_values(path):
    content = path.read_bytes()
    for position in range(8 * len(content)):
        altered = bytearray(content)
        altered[position // 8] ^= 1 << position % 8
        path.write_bytes(altered)
        try:
            found = checksummed_json.read(path)
        except DeepMnistError as error:
            assert "\n" not in str(error)
        else:
            assert {name: found.get(name) for name in VALUES} == VALUES


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "can't be read as JSON"),
        (b"\xff", "can't be read as JSON"),
        (b"[" * 100_000, "can't be read as JSON"),
        (b"9" * 10_000, "can't be read as JSON"),
        (b"[]", "expected an object, found a list"),
        (b'{"learning_rate": NaN}', "expected finite numbers, found NaN"),
        (b'{"learning_rate": -Infinity}', "expected finite numbers, found -Infinity"),
        (b" " * 2_000_000, "expected at most 1048576 bytes"),
    ],
)
def test_what_is_no_object_is_refused(path, content, message):
    path.write_bytes(content)
    with pytest.raises(DeepMnistError, match=message):
        checksummed_json.read(path)


def test_no_nesting_is_too_deep_to_be_told(path):
    for depth in range(800, 1100):  # Python's limit, near which reading works and writing does not
        path.write_text('{"sha256": "0", "a": ' + depth * "[" + depth * "]" + "}")
        with pytest.raises(DeepMnistError):
            checksummed_json.read(path)
