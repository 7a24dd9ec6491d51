"""Command-line flags: one for each field of the configuration, and those of every program.

On argparse alone: tyro, simple-parsing and jsonargparse also make flags from dataclasses, but do
not report which were given (a recipe changes the defaults of the others), nor errors as exceptions.
"""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from deep_mnist.errors import DeepMnistError
from deep_mnist.training import config as configs
from deep_mnist.training.config import Options
from deep_mnist.training.recipes import RECIPES


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are DeepMnistErrors."""

    def error(self, message: str) -> NoReturn:
        """Raise DeepMnistError, for an unknown flag with the flag that may be meant."""
        hint = f"list the flags with: {self.prog} --help"
        unknown = re.match(r"unrecognized arguments: (\S+)", message)
        if unknown:
            flag = unknown[1].partition("=")[0]
            similar = difflib.get_close_matches(flag, self._option_string_actions, 1, cutoff=0.75)
            hint = f"did you mean {similar[0]}?" if similar else hint
        if message.startswith("argument "):  # a known flag with a wrong value
            raise DeepMnistError(message.removeprefix("argument "))
        raise DeepMnistError(message, hint=hint)


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of the description, and fits flags on one line each."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=100)


def program_parser(program: str, doc: str, *, show_all: bool) -> Parser:
    """Return an empty parser for a program, with --help and --help-all."""
    parser = Parser(
        prog=f"python -m deep_mnist.{program}",
        usage=f"python -m deep_mnist.{program} [flags]",
        description=doc,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument("-h", "--help", action="help", help="print the main flags")
    parser.add_argument("--help-all", action="help", help="print all flags")
    return parser


def parse(
    program: str,
    config_class: type[Any],
    doc: str,
    argv: Sequence[str] | None,
    *,
    numpy_only: bool = False,
) -> tuple[Options, dict[str, Any]]:
    """Parse a command line.

    Args:
      program: "softmax", "cnn", "mlp" or "fnn".
      config_class: the tutorial's Config.
      doc: the description that --help prints.
      argv: the arguments; None means those of the process.
      numpy_only: the program does not use TensorFlow.

    Returns:
      The options, and the settings that were given, by field name.

    Raises:
      DeepMnistError: a flag is unknown, or flags exclude each other.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    show_all = "--help-all" in arguments
    parser = program_parser(program, doc, show_all=show_all)
    add_settings(parser, program, config_class, numpy_only=numpy_only, show_all=show_all)
    add_options(parser, program, numpy_only=numpy_only, show_all=show_all)
    return split(parser.parse_args(arguments), config_class)


def add_settings(
    parser: argparse.ArgumentParser,
    program: str,
    config_class: type[Any],
    *,
    numpy_only: bool,
    show_all: bool,
) -> None:
    """Add a flag for each field of the tutorial's Config and of RunConfig."""
    defaults = configs.with_recipe(program, {})
    group = parser.add_argument_group("settings (saved in the run's config.json)")
    fields = [
        *dataclasses.fields(config_class),
        *configs.run_fields(program, numpy_only=numpy_only),
    ]
    shown = [field for field in fields if show_all or not field.metadata["advanced"]]
    for field in shown + [field for field in fields if field not in shown]:
        choices = RECIPES[program] if field.name == "recipe" else field.metadata["choices"]
        default = defaults.get(field.name, _default(field))
        text = field.metadata["text"]
        if choices:
            text += f": {', '.join(choices)}"
        if default is not None:
            text += f" (default: {default})"
        group.add_argument(
            configs.flag(field.name),
            default=argparse.SUPPRESS,
            type=_converter(field),
            metavar=_metavar(field),
            help=text if field in shown else argparse.SUPPRESS,
        )


def add_options(
    parser: argparse.ArgumentParser, program: str, *, numpy_only: bool, show_all: bool
) -> None:
    """Add the flags of Options."""
    group = parser.add_argument_group("running")

    def advanced(text: str) -> str:
        return text if show_all else argparse.SUPPRESS

    group.add_argument(
        "--data-dir", type=_path, metavar="DIR", help="directory with the dataset's files"
    )
    group.add_argument(
        "--run-dir",
        type=_path,
        metavar="DIR",
        help=f"new directory for the run (default: saved/runs/{program}/<UTC time>)",
    )
    group.add_argument(
        "--restore",
        nargs="?",
        const=True,
        type=_path,
        metavar="CHECKPOINT",
        help="evaluate a checkpoint (default: the pretrained weights); with --steps, train from it",
    )
    group.add_argument(
        "--resume",
        nargs="?",
        const=True,
        type=_path,
        metavar="RUN",
        help="continue an interrupted run (default: the newest)",
    )
    group.add_argument(
        "--quiet", action="store_true", help=advanced("print only the test accuracy")
    )
    if numpy_only:
        return
    group.add_argument(
        "--summaries",
        action="store_true",
        help=advanced("write event files for TensorBoard into the run"),
    )
    group.add_argument(
        "--trace-every",
        type=positive_integer,
        metavar="STEPS",
        help=advanced("with --summaries: steps between traces of each op's time and memory"),
    )


def split(namespace: argparse.Namespace, config_class: type[Any]) -> tuple[Options, dict[str, Any]]:
    """Split parsed flags into options and settings, and check that they fit together.

    Raises:
      DeepMnistError: flags exclude each other.
    """
    given = vars(namespace)
    names = [field.name for field in dataclasses.fields(Options) if field.name in given]
    options = Options(**{name: given.pop(name) for name in names})
    if options.restore is not None and "steps" not in given:
        options = dataclasses.replace(options, eval_only=True)
    _check_together(config_class, options, given)
    return options, given


def positive_integer(text: str) -> int:
    """Convert a flag's value to an integer of at least 1."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected an integer of at least 1, found {text!r}")
    return int(text)


def _path(text: str) -> str:
    if not text:  # as in --restore "$CHECKPOINT" where the variable is not set
        raise argparse.ArgumentTypeError("the path is empty")
    return text


def _metavar(field: dataclasses.Field[Any]) -> str:
    if field.metadata["choices"]:
        return "NAME"
    return {"int": "N", "float": "X", "str": "FILE"}[configs.type_name(field)]


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _converter(field: dataclasses.Field[Any]) -> Any:
    kind = {"int": int, "float": float, "str": str}[configs.type_name(field)]

    def convert(text: str) -> Any:
        try:
            return kind(text)
        except ValueError:
            expected = configs.expectation(field)
            raise argparse.ArgumentTypeError(f"expected {expected}, found {text!r}") from None

    return convert


def _check_together(config_class: type[Any], options: Options, given: dict[str, Any]) -> None:
    if options.resume is not None:
        if options.restore is not None or options.run_dir is not None:
            raise DeepMnistError(
                "--resume excludes --restore and --run-dir: a run continues in its own directory"
            )
        if given:
            flags = ", ".join(configs.flag(name) for name in given)
            raise DeepMnistError(
                f"--resume uses the run's own settings, found {flags}",
                hint="to train on with other settings, use --restore RUN --steps N",
            )
    if options.trace_every is not None and not options.summaries:
        raise DeepMnistError("--trace-every needs --summaries")
    if options.eval_only:
        fields = {
            field.name: field
            for cls in (config_class, configs.RunConfig)
            for field in dataclasses.fields(cls)
        }
        unused = [configs.flag(name) for name in given if not fields[name].metadata["evaluation"]]
        if options.run_dir is not None:
            unused.append("--run-dir")
        if options.summaries:
            unused.append("--summaries")
        if unused:
            raise DeepMnistError(
                f"--restore without --steps only evaluates, found {', '.join(unused)}",
                hint="add --steps N to train from the checkpoint",
            )
