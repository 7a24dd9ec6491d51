"""What an old checkpoint is: its format, its variables, the model that it fits and why.

    python -m deep_mnist.legacy checkpoint old/model.ckpt
    python -m deep_mnist.legacy checkpoint old/model.ckpt --convert new

Reads checkpoints of TensorFlow 1 (V2 and V1), frozen graphs (.pb) and .npz files, whatever their
variables are called. Programs take the same files after --restore; only where more than one choice
fits is --take needed here, with --convert, which writes the choice as a checkpoint of ours.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deep_mnist import inference, lazy_tensorflow, training
from deep_mnist.checkpoints import paths, reader, variables
from deep_mnist.cli.exit_codes import exit_code
from deep_mnist.cli.flags import Parser
from deep_mnist.errors import DeepMnistError, printable
from deep_mnist.lazy_tensorflow import tf

GRAPHS = tuple(program.name for program in inference.PROGRAMS.values() if program.has_graph)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return exit_code("legacy checkpoint", lambda: _run(argv))


def _run(argv: Sequence[str] | None) -> None:
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
        help="variables of the file to use where several fit: names or patterns as in 'scope/*', "
        "with commas between",
    )
    parser.add_argument("--convert", metavar="OUT", help="a new directory for a checkpoint of ours")
    options = parser.parse_args(argv)
    if options.convert is not None:
        _check_unused(Path(options.convert))
    place = paths.find(options.path)
    take = [name for names in options.take for name in names.split(",") if name]
    lazy_tensorflow.import_quietly()

    file = reader.open_checkpoint(place)
    print(f"{place}: {file.format}, {len(file.specs)} variables", flush=True)
    if options.model is None and inference.is_numpy_model(file):
        if options.convert is not None:
            raise DeepMnistError("--convert: fnn takes these weights as they are, in .npz")
        print("model: fnn")
        _list(file)
        print(f"restored by: python -m deep_mnist.fnn --restore {shlex.quote(str(place))}")
        return
    names = (options.model,) if options.model else GRAPHS
    loaded, undecided, others = inference.matches(file, names, take)
    for name, model in loaded.items():
        _describe(name, file, model)
        if not take:
            print(f"restored by: python -m deep_mnist.{name} --restore {shlex.quote(str(place))}")
    if not loaded:
        _list(file)
        if undecided:
            raise next(iter(undecided.values()))
        nearest = min(others, key=lambda name: others[name].distance)
        raise DeepMnistError(f"the nearest model is {nearest}: {others[nearest].message}")
    for name, choices in undecided.items():
        print(printable(f"model: perhaps {name}: {choices.message}"))
    if options.convert is not None:
        if len(loaded) > 1:
            raise DeepMnistError(f"it holds {' and '.join(loaded)}: name one by --model")
        _convert(next(iter(loaded)), place, take, Path(options.convert), _step(file))


def _describe(name: str, file: reader.CheckpointReader, loaded: reader.LoadedWeights) -> None:
    """Prints which variable is which, and why; then those that are left out."""
    sources, ignored = loaded.match
    rows = [
        (f"{s.name} {file.specs[s.name]}", f"is {own}: {s.reason}") for own, s in sources.items()
    ]
    rows += [
        (f"{other} {file.specs[other]}", f"left out: {ignored[other]}")
        for other in sorted(ignored, key=variables.natural_key)
    ]
    print(f"model: {name}")
    _print_table(rows)
    for note in loaded.notes:
        print(printable(f"note: {note}"))


def _list(file: reader.CheckpointReader) -> None:
    ignored = variables.non_weights(file.specs)
    names = sorted(file.specs, key=variables.natural_key)
    _print_table([(f"{name} {file.specs[name]}", ignored.get(name, "")) for name in names])


def _print_table(rows: Sequence[tuple[str, str]]) -> None:
    width = max((len(left) for left, _ in rows), default=0)
    for left, right in rows:
        print(printable(f"  {left:<{width}}  {right}".rstrip()))


def _check_unused(directory: Path) -> None:
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise DeepMnistError(f"--convert {directory} exists and is not empty: name a new directory")


def _step(file: reader.CheckpointReader) -> int:
    """The step of a checkpoint: of its name, or its counter's, or 0."""
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


def _convert(name: str, place: Path, take: Sequence[str], directory: Path, step: int) -> None:
    program = inference.PROGRAMS[name].module
    with tf.Graph().as_default():
        model = program.build(program.Config())
        with training.Session(model, training.RunConfig()) as sess:
            sess.initialize()
            sess.restore_weights(place, take)
            directory.mkdir(parents=True, exist_ok=True)
            sess.save_weights(directory, step)
    print(f"converted: python -m deep_mnist.{name} --restore {shlex.quote(str(directory))}")
