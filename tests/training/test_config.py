"""Settings: their limits, and which of them a program has."""

import dataclasses
from dataclasses import dataclass

import pytest

from deep_mnist import cnn, fnn, mlp, softmax
from deep_mnist.errors import DeepMnistError
from deep_mnist.training import RunConfig, config, option

PROGRAMS = {"softmax": softmax, "cnn": cnn, "mlp": mlp, "fnn": fnn}


@dataclass(frozen=True)
class Config:
    steps: int = option(10, "number of training steps", minimum=1)
    size: int = option(5, "size", minimum=2, maximum=9)
    rate: float = option(0.5, "fraction", above=0, maximum=1)
    rule: str = option("adam", "rule", choices=("adam", "sgd"))
    file: str | None = option(None, "file")


def test_values_within_the_limits_are_accepted():
    config.check(Config())
    config.check(Config(steps=1, size=9, rate=1, rule="sgd", file="name"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"steps": 0}, "--steps: expected an integer of at least 1, found 0"),
        ({"steps": 1.5}, "--steps: expected an integer of at least 1, found 1.5"),
        ({"steps": True}, "--steps: expected an integer of at least 1, found True"),
        ({"size": 10}, "--size: expected an integer of at least 2 and at most 9, found 10"),
        ({"rate": 0}, "--rate: expected a number above 0 and at most 1, found 0"),
        ({"rate": 1.5}, "--rate: expected a number above 0 and at most 1, found 1.5"),
        (
            {"rate": float("nan")},
            "--rate: expected a number above 0 and at most 1, found nan",
        ),
        ({"rule": "momentum"}, "--rule: expected one of adam, sgd, found 'momentum'"),
        ({"rule": 7}, "--rule: expected one of adam, sgd, found 7"),
        ({"rule": None}, "--rule: expected one of adam, sgd, found None"),
        ({"file": 7}, "--file: expected a string, found 7"),
        (
            {"size": 10**400},
            "--size: expected an integer of at least 2 and at most 9, "
            f"found 1{'0' * 59}...{'0' * 20}",
        ),
    ],
)
def test_a_value_out_of_range_is_an_error_with_the_range(values, message):
    with pytest.raises(DeepMnistError) as raised:
        config.check(Config(**values))
    assert raised.value.message == message


def test_a_flag_is_the_name_of_its_field_with_hyphens():
    assert config.flag("learning_rate") == "--learning-rate"


def test_settings_are_divided_between_the_two_configurations():
    created = config.create_configs(
        cnn.Config, {"steps": 7, "keep_prob": 0.7, "seed": 3, "optimizer": "adam"}
    )
    assert created == (cnn.Config(steps=7, keep_prob=0.7), RunConfig(seed=3, optimizer="adam"))


def test_all_steps_without_augmentation_are_an_error():
    with pytest.raises(DeepMnistError) as raised:
        config.create_configs(cnn.Config, {"steps": 40, "plain_steps": 4000})
    assert raised.value.message == "--plain-steps: expected less than --steps 40, found 4000"
    assert raised.value.hint == "add --plain-steps 0, or more --steps"


SHARED = ["dataset", "seed", "log_every", "save_every", "keep"]
THREADS = ["intra_op_threads", "inter_op_threads"]
TECHNIQUES = [
    "recipe",
    "initialization",
    "optimizer",
    "schedule",
    "beta2",
    "weight_decay",
    "label_smoothing",
    "augmentation",
    "plain_steps",
    "precision",
]


@pytest.mark.parametrize(
    ("program", "names"),
    [
        ("softmax", [*SHARED, *THREADS, *TECHNIQUES]),
        ("cnn", [*SHARED, *THREADS, *TECHNIQUES]),
        ("mlp", [*SHARED, *THREADS]),
        ("fnn", SHARED),
    ],
)
def test_a_program_has_the_settings_that_it_uses(program, names):
    fields = config.run_fields(program, numpy_only=program == "fnn")
    assert [field.name for field in fields] == names


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_setting_is_in_both_configurations(program):
    own = {field.name for field in dataclasses.fields(PROGRAMS[program].Config)}
    assert own.isdisjoint(field.name for field in dataclasses.fields(RunConfig))


def test_the_settings_of_a_run_are_those_of_both_configurations():
    settings = config.settings_of("mlp", mlp.Config(steps=3), RunConfig(seed=1))
    assert settings == {
        "picture": None,
        "save_picture": None,
        "steps": 3,
        "batch_size": 128,
        "learning_rate": 1e-3,
        "variant": "scaled",
        "dataset": "auto",
        "seed": 1,
        "log_every": 100,
        "save_every": 500,
        "keep": 5,
        "intra_op_threads": config.available_cpus(),
        "inter_op_threads": config.available_cpus(),
    }


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("softmax", {"steps": 1_000, "batch_size": 50, "learning_rate": 0.01, "loss": "stable"}),
        (
            "cnn",
            {
                "steps": 20_000,
                "batch_size": 50,
                "learning_rate": 1e-4,
                "keep_prob": 0.5,
                "loss": "stable",
            },
        ),
        (
            "mlp",
            {
                "steps": 4_690,
                "batch_size": 128,
                "learning_rate": 1e-3,
                "variant": "scaled",
                "picture": None,
                "save_picture": None,
            },
        ),
        (
            "fnn",
            {"steps": 50, "batch_size": 60_000, "learning_rate": 1e-5, "dtype": "float64"},
        ),
    ],
)
def test_the_defaults_are_the_hyper_parameters_of_the_source_documents(program, expected):
    assert dataclasses.asdict(PROGRAMS[program].Config()) == expected
