"""Command-line flags: one per field of the program's Config, and those that all programs share."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import math
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from deep_mnist.errors import DeepMnistError
from deep_mnist.training import config as configs

if TYPE_CHECKING:
    from deep_mnist.distributed.task import Task


@dataclasses.dataclass(frozen=True)
class Options:
    """What a command is asked to do that is not part of the run's configuration."""

    data_dir: str | None = None  # the only place to look for the data set
    run_dir: str | None = None  # a new directory for the run
    resume: str | bool | None = None  # a run to go on with; True is the newest unfinished one
    restore: str | bool | None = None  # a checkpoint to start from; True is the shipped one
    eval_only: bool = False  # also set where --restore comes without --steps
    quiet: bool = False
    summaries: bool = False  # write event files for TensorBoard
    trace_every: int | None = None  # steps between full traces in them
    cluster: list[str] | None = None  # JOB=HOST:PORT,... of a cluster; else TF_CONFIG may name one
    task: str | None = None  # this process in it, JOB:INDEX
    local_cluster: str | None = None  # so many processes on this machine, "1ps,2w"
    strategy: str = "parameter-server"  # or "all-reduce"
    sync: bool = False
    backup_workers: int = 0
    stall_timeout: float = 300.0  # seconds
    member: Task | None = None  # the task, checked


class Parser(argparse.ArgumentParser):
    """Its errors are UserErrors."""

    def error(self, message: str) -> NoReturn:
        flag = re.match(r"unrecognized arguments: (--[\w-]+)", message)
        near = difflib.get_close_matches(flag[1], self._option_string_actions, 1) if flag else []
        hint = f"did you mean {near[0]}? " if near else ""
        raise DeepMnistError(f"{message}; {hint}--help lists the flags")


def parse(
    name: str,
    config_class: type[Any],
    doc: str,
    argv: Sequence[str] | None,
    *,
    numpy_only: bool = False,
    distributed: bool = False,
) -> tuple[Options, dict[str, Any]]:
    """Splits a command line into Options and the config fields that were given, by name.

    The flags for TensorBoard are not for programs that are `numpy_only`, those of a cluster only
    for those that are `distributed`.

    Raises:
      DeepMnistError: an unknown flag, a value of the wrong kind, or flags that exclude each other.
    """
    parser = Parser(
        prog=f"python -m deep_mnist.{name}",
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    training = parser.add_argument_group("training (recorded in the run's config.json)")
    for field in dataclasses.fields(config_class):
        default = getattr(config_class(), field.name)
        training.add_argument(
            configs.flag(field.name),
            default=argparse.SUPPRESS,
            type=_converter(field),
            metavar="|".join(field.metadata["choices"] or [field.name.split("_")[-1].upper()]),
            help=field.metadata["meaning"] + _default(default),
        )
    running = parser.add_argument_group("running")
    running.add_argument("--data-dir", metavar="DIR", help="the only place to look for the data")
    running.add_argument(
        "--run-dir",
        metavar="DIR",
        help=f"a new directory for the run (default: saved/runs/{name}/<UTC time>)",
    )
    running.add_argument(
        "--resume",
        nargs="?",
        const=True,
        type=_path,
        metavar="RUN",
        help="go on with an interrupted run, with its own settings (default: the newest)",
    )
    kinds = (
        f"a directory or a .npz file of {name}"
        if numpy_only
        else "a directory, a prefix or any file of a checkpoint, also an old one of TensorFlow 1, "
        "a frozen graph (.pb) or an .npz"
    )
    running.add_argument(
        "--restore",
        nargs="?",
        const=True,
        type=_path,
        metavar="CHECKPOINT",
        help="evaluate these weights, or train on from them with --steps "
        f"(default: the shipped ones); {kinds}",
    )
    running.add_argument("--eval-only", action="store_true", help="with --restore: only evaluate")
    running.add_argument("--quiet", action="store_true", help="print the test accuracy alone")
    if not numpy_only:
        running.add_argument(
            "--summaries",
            action="store_true",
            help="write event files for TensorBoard into the run, at every report: curves, "
            "histograms, images, the graph; at the end test digits for its projector",
        )
        running.add_argument(
            "--trace-every",
            type=_steps,
            metavar="STEPS",
            help="with --summaries: steps between traces of the time and memory of every op",
        )

    if distributed:
        _add_cluster(parser)

    given = vars(parser.parse_args(argv))
    option_names = [field.name for field in dataclasses.fields(Options) if field.name in given]
    options = Options(**{option: given.pop(option) for option in option_names})
    if options.restore is not None and "steps" not in given:
        options = dataclasses.replace(options, eval_only=True)
    _check_together(config_class, options, given)
    return options, given


def names_a_cluster(options: Options) -> bool:
    """Whether the flags or TF_CONFIG ask for more than one process."""
    named = options.cluster is not None or options.local_cluster is not None
    return named or bool(os.environ.get("TF_CONFIG", "").strip())


def _add_cluster(parser: Parser) -> None:
    cluster = parser.add_argument_group("as a task of a cluster (TF_CONFIG names one as well)")
    cluster.add_argument(
        "--cluster",
        nargs="+",
        metavar="JOB=HOST:PORT,...",
        help="the addresses of its tasks: ps=... worker=...; also chief, evaluator",
    )
    cluster.add_argument("--task", metavar="JOB:INDEX", help="this one, as worker:0")
    cluster.add_argument(
        "--local-cluster",
        metavar="1ps,2w",
        help="start so many processes on this machine, and end them together",
    )
    cluster.add_argument(
        "--strategy",
        choices=("parameter-server", "all-reduce"),
        default="parameter-server",
        help="who keeps the variables (default: parameter-server)",
    )
    cluster.add_argument(
        "--sync", action="store_true", help="an update is the mean of all workers' gradients"
    )
    cluster.add_argument(
        "--backup-workers",
        type=_backups,
        default=0,
        metavar="K",
        help="with --sync: do not wait for the last K gradients (default: 0)",
    )
    cluster.add_argument(
        "--stall-timeout",
        type=_seconds,
        default=300.0,
        metavar="SECONDS",
        help="give up where a step takes so long (default: 300)",
    )


def _default(value: Any) -> str:
    return "" if value is None else f" (default: {value})"


def _path(text: str) -> str:
    if not text:  # as of "$CHECKPOINT" where the shell has no such variable
        raise argparse.ArgumentTypeError("expected a path, found an empty word")
    return text


def _steps(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text!r}")
    return int(text)


def _backups(text: str) -> int:
    return 0 if text == "0" else _steps(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not (seconds > 0 and math.isfinite(seconds)):
        raise argparse.ArgumentTypeError(f"expected seconds, above 0, found {text!r}")
    return seconds


def _converter(field: dataclasses.Field[Any]) -> Any:
    kind = {"int": int, "float": float, "str": str}[configs.kind(field)]

    def convert(text: str) -> Any:
        try:
            return kind(text)
        except ValueError:
            expected = configs.expectation(field)
            raise argparse.ArgumentTypeError(f"expected {expected}, found {text!r}") from None

    return convert


def _check_together(config_class: type[Any], options: Options, given: dict[str, Any]) -> None:
    given_flags = ", ".join(configs.flag(name) for name in given)
    if options.resume is not None:
        if options.restore is not None or options.run_dir is not None:
            raise DeepMnistError(
                "--resume goes on in its own run: leave out --restore and --run-dir"
            )
        if given:
            raise DeepMnistError(
                f"--resume keeps the run's own settings: leave out {given_flags}; "
                "to train on under others, use --restore RUN --steps N"
            )
    if not names_a_cluster(options):
        alone = [
            flag
            for flag, given_one in (
                ("--task", options.task is not None),
                ("--sync", options.sync),
                ("--backup-workers", options.backup_workers > 0),
                ("--strategy all-reduce", options.strategy == "all-reduce"),
            )
            if given_one
        ]
        if alone:
            raise DeepMnistError(
                f"{', '.join(alone)}: expected a cluster, found none: add --cluster "
                "JOB=HOST:PORT,..., or --local-cluster 1ps,2w without --task, or set TF_CONFIG"
            )
    if options.trace_every is not None and not options.summaries:
        raise DeepMnistError("--trace-every is of the event files: add --summaries")
    if options.eval_only:
        if options.restore is None:
            raise DeepMnistError(
                "--eval-only needs to know the weights: add --restore [CHECKPOINT]"
            )
        unused = [
            configs.flag(field.name)
            for field in dataclasses.fields(config_class)
            if field.name in given and not field.metadata["evaluation"]
        ]
        if options.run_dir is not None:
            unused.append("--run-dir")
        if options.summaries:
            unused.append("--summaries")
        if unused:
            raise DeepMnistError(
                f"--restore alone, or with --eval-only, evaluates: leave out {', '.join(unused)}; "
                "--restore with --steps N trains on from there"
            )
