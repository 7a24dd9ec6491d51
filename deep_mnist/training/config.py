"""The configuration of a run: a tutorial's hyper-parameters, and what every run has.

A configuration is a frozen dataclass whose fields are declared with `option`. Each field becomes
a command-line flag (cli/flags.py) and a key of the run's config.json.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import sys
from collections.abc import Collection, Iterator
from typing import Any, Protocol

from deep_mnist import data
from deep_mnist.errors import DeepMnistError, shorten
from deep_mnist.training.initialization import INITIALIZATIONS
from deep_mnist.training.mixed_precision import PRECISIONS
from deep_mnist.training.optimizers import OPTIMIZERS, SCHEDULES
from deep_mnist.training.recipes import RECIPES


class Config(Protocol):
    """What every tutorial's Config has; the rest is known to the tutorial alone."""

    @property
    def steps(self) -> int:
        """Number of training steps."""
        ...

    @property
    def batch_size(self) -> int:
        """Images per training step."""
        ...

    @property
    def learning_rate(self) -> float:
        """Step size of the optimizer."""
        ...


def option(
    default: Any,
    text: str,
    *,
    above: float | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: Collection[str] | None = None,
    advanced: bool = False,
    evaluation: bool = False,
    architecture: bool = False,
) -> Any:
    """Declare a field of a configuration, with its flag's help and its limits.

    Args:
      default: the value, or a function that returns it.
      text: what the value is, with its unit, for --help.
      above: exclusive lower limit.
      minimum: inclusive lower limit.
      maximum: inclusive upper limit.
      choices: the only values.
      advanced: whether the flag is listed by --help-all only.
      evaluation: whether the flag also matters when weights are only evaluated.
      architecture: whether weights can be used only with the value they were trained with.
    """
    metadata = {
        "text": text,
        "above": above,
        "minimum": minimum,
        "maximum": maximum,
        "choices": choices,
        "advanced": advanced,
        "evaluation": evaluation or architecture,
        "architecture": architecture,
    }
    if callable(default):
        return dataclasses.field(default_factory=default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def available_cpus() -> int:
    """Return the number of CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """What a run has besides its tutorial's hyper-parameters.

    mlp and fnn have the first group alone, fnn without the threads (see `run_fields`).
    """

    dataset: str = option("auto", "dataset", choices=("auto", *data.DATASETS), evaluation=True)
    seed: int = option(
        0, "random seed for initialization, shuffling and dropout", minimum=0, maximum=2**31 - 1
    )
    log_every: int = option(100, "steps between reports", minimum=1, advanced=True)
    save_every: int = option(500, "steps between checkpoints", minimum=1, advanced=True)
    keep: int = option(5, "number of checkpoints to keep", minimum=1, advanced=True)
    intra_op_threads: int = option(
        available_cpus,
        "number of threads within an op",
        minimum=1,
        maximum=1024,
        advanced=True,
        evaluation=True,
    )
    inter_op_threads: int = option(
        available_cpus,
        "number of ops that run in parallel",
        minimum=1,
        maximum=1024,
        advanced=True,
        evaluation=True,
    )

    # Training techniques, combined by recipes.
    recipe: str = option("tutorial", "named set of settings", choices=("tutorial", "fast", "best"))
    initialization: str = option(
        "tutorial", "scale of the initial weights", choices=INITIALIZATIONS, advanced=True
    )
    optimizer: str = option("gradient-descent", "optimizer", choices=OPTIMIZERS, advanced=True)
    schedule: str = option("constant", "learning-rate schedule", choices=SCHEDULES, advanced=True)
    beta2: float = option(
        0.999, "Adam's decay of squared gradients", above=0, maximum=0.9999, advanced=True
    )
    weight_decay: float = option(
        0.0,
        "decoupled weight decay, as in AdamW; 0: none",
        minimum=0,
        maximum=1,
        advanced=True,
    )
    label_smoothing: float = option(
        0.0,
        "probability that is spread over all classes",
        minimum=0,
        maximum=0.9,
        advanced=True,
    )
    augmentation: str = option(
        "none",
        "augmentation of the training images",
        choices=("none", *data.AUGMENTATIONS),
        advanced=True,
    )
    plain_steps: int = option(
        0, "number of last steps without augmentation", minimum=0, advanced=True
    )
    precision: str = option(
        "float32",
        "number format of matrix products",
        choices=PRECISIONS,
        advanced=True,
        evaluation=True,
    )


@dataclasses.dataclass(frozen=True)
class Options:
    """What a command is asked to do; not part of the run's configuration."""

    data_dir: str | None = None  # the only directory in which the dataset is searched for
    run_dir: str | None = None  # a new directory for the run
    resume: str | bool | None = None  # a run to continue; True is the newest unfinished one
    restore: str | bool | None = None  # a checkpoint to start from; True is the pretrained one
    eval_only: bool = False  # --restore without --steps
    quiet: bool = False
    summaries: bool = False  # write event files for TensorBoard
    trace_every: int | None = None  # steps between full traces in them


THREADS = ("intra_op_threads", "inter_op_threads")
TECHNIQUES = (
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
)


def run_fields(program: str, *, numpy_only: bool = False) -> list[dataclasses.Field[Any]]:
    """Return the fields of RunConfig that apply to a program.

    Training techniques need an optimizer; mlp and fnn apply their gradients by hand.
    """
    left_out: set[str] = set(THREADS) if numpy_only else set()
    if not uses_optimizer(program):
        left_out.update(TECHNIQUES)
    return [field for field in dataclasses.fields(RunConfig) if field.name not in left_out]


def uses_optimizer(program: str) -> bool:
    """Return whether a program trains with a tf.train.Optimizer."""
    return "optimizer" in RECIPES[program]["tutorial"]


def with_recipe(program: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of the recipe in `given`, by field name, overridden by `given`.

    Raises:
      DeepMnistError: the program has no such recipe.
    """
    name = given.get("recipe", "tutorial")
    recipes = RECIPES[program]
    if name not in recipes:
        raise DeepMnistError(f"--recipe: expected one of {', '.join(recipes)}, found {name!r}")
    return {**recipes["tutorial"], **recipes[name], **given}


def create_configs(config_class: type[Any], settings: dict[str, Any]) -> tuple[Any, RunConfig]:
    """Return the tutorial's Config and the RunConfig with the given settings, checked.

    Raises:
      DeepMnistError: a value has the wrong type or is out of range.
    """
    own = {field.name for field in dataclasses.fields(config_class)}
    config = config_class(**{name: value for name, value in settings.items() if name in own})
    run_config = RunConfig(**{name: value for name, value in settings.items() if name not in own})
    check(config)
    check(run_config)
    if run_config.plain_steps >= config.steps:
        raise DeepMnistError(
            f"--plain-steps: expected less than --steps {shorten(config.steps)}, "
            f"found {shorten(run_config.plain_steps)}",
            hint="add --plain-steps 0, or more --steps",
        )
    return config, run_config


def settings_of(
    program: str, config: Any, run_config: RunConfig, *, numpy_only: bool = False
) -> dict[str, Any]:
    """Return the configuration of a run by field name, as config.json has it."""
    fields = run_fields(program, numpy_only=numpy_only)
    return {
        **dataclasses.asdict(config),
        **{field.name: getattr(run_config, field.name) for field in fields},
    }


def flag(name: str) -> str:
    """Return the flag of a field: learning_rate -> --learning-rate."""
    return "--" + name.replace("_", "-")


def check(config: Any) -> None:
    """Raise DeepMnistError where a value has the wrong type or is out of range."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if value is None and field.default is None:
            continue
        if not _has_type(value, type_name(field)) or not _is_within(value, field.metadata):
            near = difflib.get_close_matches(str(value), field.metadata["choices"] or [], 1)
            raise DeepMnistError(
                f"{flag(field.name)}: expected {expectation(field)}, found {shorten(repr(value))}",
                hint=f"did you mean {near[0]}?" if near else None,
            )


def type_name(field: dataclasses.Field[Any]) -> str:
    """Return the name of a field's type, which may be optional: int, float or str."""
    name = field.type.__name__ if isinstance(field.type, type) else str(field.type)
    return name.removesuffix(" | None")


def expectation(field: dataclasses.Field[Any]) -> str:
    """Return what a field accepts: "a number above 0 and at most 1"."""
    limits = field.metadata
    if limits["choices"]:
        return "one of " + ", ".join(limits["choices"])
    kinds = {"int": "an integer", "float": "a number", "str": "a string"}
    return " ".join([kinds[type_name(field)], " and ".join(_limits(limits))]).strip()


def _limits(limits: Any) -> Iterator[str]:
    labels = (("above", "above"), ("minimum", "of at least"), ("maximum", "at most"))
    for key, label in labels:
        if limits[key] is not None:
            yield f"{label} {limits[key]}"


def _has_type(value: Any, expected: str) -> bool:
    if isinstance(value, bool):
        return False
    if expected == "float":
        return isinstance(value, int | float) and abs(value) <= sys.float_info.max
    return type(value).__name__ == expected


def _is_within(value: Any, limits: Any) -> bool:
    if limits["choices"] and value not in limits["choices"]:
        return False
    return (
        (limits["above"] is None or value > limits["above"])
        and (limits["minimum"] is None or value >= limits["minimum"])
        and (limits["maximum"] is None or value <= limits["maximum"])
    )
