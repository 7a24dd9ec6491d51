import dataclasses
import json
from dataclasses import dataclass

import pytest

from deep_mnist.errors import DeepMnistError
from deep_mnist.training import config, option


@dataclass(frozen=True)
class Config:
    steps: int = option(10, "updates", at_least=1)
    rate: float = option(0.5, "share", above=0, at_most=1)
    rule: str = option("adam", "rule", choices=("adam", "sgd"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"steps": 0}, "--steps: expected a whole number from 1, found 0"),
        ({"steps": 1.5}, "--steps: expected a whole number from 1, found 1.5"),
        ({"steps": True}, "--steps: expected a whole number from 1, found True"),
        ({"rate": 0}, "--rate: expected a number above 0 up to 1, found 0"),
        ({"rate": 1.5}, "--rate: expected a number above 0 up to 1, found 1.5"),
        ({"rate": float("nan")}, "--rate: expected a number above 0 up to 1, found nan"),
        ({"rule": "momentum"}, "--rule: expected one of adam, sgd, found 'momentum'"),
    ],
)
def test_values_out_of_range_are_told_with_the_range(values, message):
    with pytest.raises(DeepMnistError) as raised:
        config.check(Config(**values))
    assert str(raised.value) == message


def test_a_config_comes_back_from_json_as_it_was(tmp_path):
    path = tmp_path / "config.json"
    written = Config(steps=3, rate=0.25, rule="sgd")
    path.write_text(json.dumps(dataclasses.asdict(written)))
    assert config.read_json(path, Config) == written


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "can't be read as JSON"),
        ("[]", "expected an object, found a list"),
        (
            '{"steps": 1, "rate": 0.5}',
            "is not of a run of this program: rule missing, nothing unexpected",
        ),
        (
            '{"steps": 1, "rate": 0.5, "rule": "adam", "extra": 1}',
            "nothing missing, extra unexpected",
        ),
        ('{"steps": 1, "rate": 0.5, "rule": 7}', "--rule: expected one of adam, sgd, found 7"),
    ],
)
def test_a_damaged_config_json_is_refused(tmp_path, text, message):
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(DeepMnistError, match=message):
        config.read_json(path, Config)


def test_a_folder_without_config_json_is_no_run(tmp_path):
    with pytest.raises(DeepMnistError, match="is not a run directory"):
        config.read_json(tmp_path / "config.json", Config)
