"""Describe a checkpoint: its format, the model that it fits and why, its variables.

    python -m deep_mnist.legacy checkpoint old/model.ckpt
    python -m deep_mnist.legacy checkpoint old/model.ckpt --convert new

Reads checkpoints of TensorFlow 1 (V2 and V1), frozen graphs (.pb) and .npz files, whatever their
variables are called. Programs restore the same files with --restore. Where more than one set of
variables fits, choose one with --take and save it with --convert as a checkpoint of deep_mnist.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deep_mnist import inference, lazy_tensorflow, training
from deep_mnist.checkpoints import paths, reader, variables
from deep_mnist.cli.exit_codes import exit_code, print_error
from deep_mnist.cli.flags import Parser
from deep_mnist.data.io import check_new_path
from deep_mnist.errors import (
    AmbiguousCheckpointError,
    DeepMnistError,
    ModelMismatchError,
    printable,
)
from deep_mnist.lazy_tensorflow import tf

GRAPHS = tuple(program.name for program in inference.PROGRAMS.values() if program.has_graph)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return exit_code("legacy checkpoint", lambda: _run(argv))


def _run(argv: Sequence[str] | None) -> int:
    options = _parse(argv)
    if options.convert is not None:
        check_new_path(Path(options.convert), "--convert", directory=True)
    path = paths.find(options.path)
    take = [name for names in options.take for name in names.split(",") if name]
    lazy_tensorflow.import_quietly()

    file = reader.open_checkpoint(path)
    print(f"{path}: {file.format}, {len(file.specs)} variables", flush=True)
    if options.model is None and inference.is_numpy_model(file):
        if options.convert is not None:
            raise DeepMnistError("--convert: expected a checkpoint, found weights of fnn in .npz")
        print("model: fnn")
        _print_command("restore", "fnn", path)
        _list(file)
        return 0
    names = (options.model,) if options.model else GRAPHS
    loaded, ambiguous, mismatched = inference.matches(file, names, take)
    if not loaded:
        print_error("legacy checkpoint", _no_model(ambiguous, mismatched))
        _list(file)
        return 2
    if options.convert is not None and len(loaded) > 1:
        raise DeepMnistError(
            f"{path} holds the weights of {' and '.join(loaded)}", hint="choose one with --model"
        )
    for name in loaded:
        print(f"model: {name}")
        if not take:
            _print_command("restore", name, path)
    for name, error in ambiguous.items():
        print(printable(f"model: perhaps {name}: {error.message}"))
    if options.convert is not None:
        name = next(iter(loaded))
        _convert(name, path, take, Path(options.convert), _step(file))
        _print_command("converted; restore", name, Path(options.convert))
    for name, model in loaded.items():
        if len(loaded) > 1:
            print(f"variables of {name}:")
        _describe(file, model)
    return 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="python -m deep_mnist.legacy checkpoint",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("path", metavar="PATH", help="a directory, a prefix or any file of it")
    parser.add_argument("--model", choices=GRAPHS, help="the only model to try")
    parser.add_argument(
        "--take",
        metavar="NAMES",
        action="append",
        default=[],
        help="variables to use where several sets fit: names or patterns such as 'scope/*', "
        "separated by commas",
    )
    parser.add_argument(
        "--convert", metavar="OUT", help="new directory for the converted checkpoint"
    )
    return parser.parse_args(argv)


def _no_model(
    ambiguous: dict[str, AmbiguousCheckpointError], mismatched: dict[str, ModelMismatchError]
) -> DeepMnistError:
    """Return the error for a checkpoint that is of no model, or of one in several ways."""
    if ambiguous:
        return next(iter(ambiguous.values()))
    nearest = min(mismatched, key=lambda name: mismatched[name].distance)
    error = mismatched[nearest]
    return DeepMnistError(f"the most similar model is {nearest}: {error.message}", hint=error.hint)


def _print_command(verb: str, name: str, path: Path) -> None:
    command = f"python -m deep_mnist.{name} --restore {shlex.quote(str(path))}"
    print(printable(f"{verb} with: {command}"))


def _describe(file: reader.CheckpointReader, loaded: reader.LoadedWeights) -> None:
    """Print which variable is which and why, then the unused ones."""
    sources, unused = loaded.match
    for note in loaded.notes:
        print(printable(f"note: {note}"))
    rows = [
        (f"{s.name} {file.specs[s.name]}", f"is {own}: {s.reason}") for own, s in sources.items()
    ]
    rows += [
        (f"{other} {file.specs[other]}", f"unused: {unused[other]}")
        for other in sorted(unused, key=variables.natural_key)
    ]
    _print_table(rows)


def _list(file: reader.CheckpointReader) -> None:
    unused = variables.non_weights(file.specs)
    names = sorted(file.specs, key=variables.natural_key)
    _print_table([(f"{name} {file.specs[name]}", unused.get(name, "")) for name in names])


def _print_table(rows: Sequence[tuple[str, str]]) -> None:
    width = max((len(left) for left, _ in rows), default=0)
    for left, right in rows:
        print(printable(f"  {left:<{width}}  {right}".rstrip()))


def _step(file: reader.CheckpointReader) -> int:
    """Return the step of a checkpoint by its name, else by its step counter, else 0."""
    step = paths.step_of(file.path)
    counters = [
        name
        for name, spec in file.specs.items()
        if name.rpartition("/")[2] == "global_step" and spec.shape == ()
    ]
    if step < 0 and len(counters) == 1:
        value = np.asarray(file.read(counters[0]), np.float64)
        step = int(value) if 0 <= value < 2**53 else 0
    return max(step, 0)


def _convert(name: str, path: Path, take: Sequence[str], directory: Path, step: int) -> None:
    program = inference.PROGRAMS[name].module
    with tf.Graph().as_default():
        model = program.build(program.Config())
        with training.Session(model, training.RunConfig()) as sess:
            sess.initialize()
            sess.restore_weights(path, take)
            directory.mkdir(parents=True, exist_ok=True)
            sess.save_weights(directory, step)
