"""The weights in a file: TensorFlow's V2 and V1 checkpoints, our own or old ones, frozen graphs,
and NumPy's .npz.

Shapes are compared before anything is restored, because TensorFlow's Saver would accept a variable
of another shape without an error (tensorflow/tensorflow#52220).
"""

from __future__ import annotations

import functools
import math
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from deep_mnist.checkpoints import (
    bundle_index,
    file_types,
    frozen_graph,
    npz_reader,
    paths,
    variable_matching,
    variables,
)
from deep_mnist.checkpoints.variables import Spec
from deep_mnist.data.io import open_regular_file
from deep_mnist.errors import (
    AmbiguousCheckpointError,
    DamagedCheckpointError,
    DeepMnistError,
)
from deep_mnist.lazy_tensorflow import tf

MAX_VALUES = 1 << 26  # in a variable: twenty times the largest here
MAX_INDEX_BYTES = 1 << 24  # names, shapes and places of variables alone
NUMBERS = re.compile(r"(bfloat|float|u?int)\d+|bool")
MODERN = re.compile(r"/\.ATTRIBUTES/|^_(CHECKPOINTABLE|TRACKABLE)_OBJECT_GRAPH$")


class WeightFile(NamedTuple):
    """An open file of variables."""

    path: Path
    format: str
    specs: dict[str, Spec]
    read: Callable[
        [str], Any
    ]  # the array of a name; DamagedCheckpointError where its bytes don't agree


class Loaded(NamedTuple):
    """A model's variables as they are in a file."""

    values: dict[str, npt.NDArray[np.float32]]  # by the model's names, in the model's shapes
    match: variable_matching.Match
    notes: list[str]  # what was done to the values, or is wrong with them

    def summary(self) -> list[str]:
        """What the user should know: which variables were taken, and the notes."""
        sources, ignored = self.match
        renamed = [f"{name} = {s.name}" for name, s in sources.items() if name != s.name]
        untrained = [name for name, why in ignored.items() if why.startswith("untrained")]
        lines = [f"its names here: {', '.join(renamed)}"] if renamed else []
        if untrained:
            lines.append(f"left out, because never trained: {', '.join(sorted(untrained))}")
        return lines + self.notes


def open_file(path: Path) -> WeightFile:
    """Opens what `locate.find` found: names, shapes and dtypes are read, values when asked.

    Raises:
      DamagedCheckpointError: a file is missing, or is not what it should be.
      DeepMnistError: a file can't be opened, or holds no variables of a TF1 graph.
    """
    try:
        if not paths.is_checkpoint(path) and file_types.is_graph(path):
            return _open_graph(path)
        if not paths.is_checkpoint(path) and file_types.is_npz(path):
            return _open_npz(path)
        check_path(str(path))
        if paths.part(path, "index").exists() or not paths.is_checkpoint(path):
            _check_pair(path)
            return _open_checkpoint(path, "TensorFlow checkpoint (V2: .index and .data)", str(path))
        if path.is_file():
            return _open_checkpoint(path, "TensorFlow checkpoint (V1: one file)", str(path))
        pattern = f"{path}-?????-of-?????"
        return _open_checkpoint(path, "TensorFlow checkpoint (V1: several files)", pattern)
    except OSError as error:
        raise DeepMnistError(f"{error.filename or path} can't be read: {error.strerror}") from None


def load(path: Path, expected: Mapping[str, variables.Shape], take: Sequence[str] = ()) -> Loaded:
    """Reads a model's variables, whatever they are called in the file.

    Args:
      path: as `locate.find` found it.
      expected: names and shapes in the order of the model's layers.
      take: names of the file's variables, or patterns, that are preferred (see `layouts.assign`).

    Raises:
      DamagedCheckpointError: the file is damaged.
      DeepMnistError: it is of another model, or more than one choice fits.
    """
    return load_from(open_file(path), expected, take)


def load_from(
    file: WeightFile, expected: Mapping[str, variables.Shape], take: Sequence[str] = ()
) -> Loaded:
    """`load` from an open file."""

    @functools.cache
    def is_constant(name: str) -> bool:
        values = file.read(name)
        return bool((values == values.flat[0]).all())

    try:
        match = variable_matching.match_variables(
            expected, file.specs, is_constant, take, f"checkpoint {file.path}"
        )
    except AmbiguousCheckpointError as error:
        error.hint = (
            "choose with: python -m deep_mnist.legacy checkpoint "
            f"{shlex.quote(str(file.path))} --take {shlex.quote(','.join(error.choices[-1]))} "
            "--convert OUT"
        )
        raise
    values, notes = {}, []
    for name, source in match.sources.items():
        stored = file.read(source.name)
        with np.errstate(over="ignore"):  # is infinite then, which is noted
            values[name] = np.asarray(stored, np.float32).reshape(expected[name])
        dtype = file.specs[source.name].dtype
        if dtype == "float64":
            notes.append(f"{source.name} is rounded from float64 to float32")
        elif dtype != "float32":
            notes.append(f"{source.name} is {dtype}, of which float32 holds every value")
        if not np.isfinite(values[name]).all():
            notes.append(f"{source.name} has values that are no finite numbers: training failed")
    return Loaded(values, match, notes)


def check_path(path: str) -> None:
    """Raises DeepMnistError for a path that TensorFlow can't have: with bytes that are no UTF-8, or one
    that it would take for a pattern and never find.
    """
    if any("\ud800" <= character <= "\udfff" for character in path):
        raise DeepMnistError(
            f"{path}: TensorFlow takes paths in UTF-8 alone; take a path without others"
        )
    found = sorted(set("*?[]").intersection(path))
    if found:
        raise DeepMnistError(
            f"{path}: TensorFlow reads {' '.join(found)} in the path of a checkpoint as a "
            "wildcard; take a path without"
        )


def reason(error: BaseException) -> str:
    """What went wrong, in a line: an op's error says first at length which op and file it was."""
    text = str(error)
    of_an_op = re.search(r"^Node: .*\n(?:.*; )?(.+)", text, re.MULTILINE)
    if of_an_op:
        return of_an_op.group(1)
    lines = [line for line in text.splitlines() if line]
    telling = [line for line in lines if not line.endswith(":")]  # as "Graph execution error:" is
    return (telling or lines or [type(error).__name__])[0]


def _check_type(path: Path, name: str, spec: Spec) -> None:
    """Raises DamagedCheckpointError for what is no number: TensorFlow's code ends in no way that is known."""
    if not NUMBERS.fullmatch(spec.dtype):
        raise _damaged(path, ValueError(f"{name} is said to be of type {spec.dtype}"))


def _open_graph(path: Path) -> WeightFile:
    constants = frozen_graph.read_constants(path)
    specs = {name: spec for name, (spec, _) in constants.items()}
    _check_size(path, specs)

    def read(name: str) -> Any:
        _check_type(path, name, specs[name])
        try:
            return frozen_graph.value(constants[name][1])
        except (ValueError, TypeError, OverflowError) as error:
            raise _damaged(path, error) from None

    return WeightFile(path, "frozen graph (GraphDef with constants)", specs, read)


def _open_npz(path: Path) -> WeightFile:
    specs = npz_reader.read_specs(path)
    _check_size(path, specs)
    return WeightFile(path, "NumPy arrays (.npz)", specs, lambda name: npz_reader.read(path, name))


def _open_checkpoint(path: Path, kind: str, pattern: str) -> WeightFile:
    try:
        if paths.part(path, "index").exists():
            bundle_index.check_index(paths.part(path, "index"))
        reader = tf.train.NewCheckpointReader(pattern)
        shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    except Exception as error:  # its native code raises anything: IndexError for a cut file
        raise _damaged(path, error) from None
    if any(MODERN.search(name) for name in shapes):
        raise DeepMnistError(
            f"checkpoint {path} is an object-based one of TensorFlow 2, as Keras saves: its "
            "variables belong to Python objects, not to a TF1 graph; expected one of tf.train.Saver"
        )
    specs = {name: Spec(tuple(shapes[name]), dtypes[name].name) for name in shapes}
    _check_size(path, specs)

    def read(name: str) -> Any:
        _check_type(path, name, specs[name])
        try:
            return reader.get_tensor(name)
        except Exception as error:
            raise _damaged(path, error) from None

    return WeightFile(path, kind, specs, read)


def _damaged(path: Path, error: BaseException) -> DamagedCheckpointError:
    return DamagedCheckpointError(
        f"checkpoint {path} is damaged ({reason(error)}): take another one, or copy it anew"
    )


def _check_size(path: Path, specs: Mapping[str, Spec]) -> None:
    for name, spec in specs.items():
        if min(spec.shape, default=1) < 0 or math.prod(spec.shape) > MAX_VALUES:
            raise DeepMnistError(
                f"{path}: {name} is said to be {spec}, expected at most {MAX_VALUES} values"
            )


def _check_pair(prefix: Path) -> None:
    """Raises DamagedCheckpointError unless the index and every part of the data are there."""
    index = paths.part(prefix, "index")
    data = _data_files(prefix)
    for path in (index, *data):
        try:
            with open_regular_file(path) as file:
                head = file.read(len(file_types.LFS))
        except FileNotFoundError:
            raise DamagedCheckpointError(
                f"{path} is missing: a checkpoint is a pair of files, copy both"
            ) from None
        except OSError as error:
            raise DeepMnistError(f"{path} can't be read: {error.strerror}") from None
        # The data has no signature of its own: its first bytes may be any.
        kind = file_types.foreign(path) if not head or head == file_types.LFS else None
        if path == index and not file_types.is_table(path):
            kind = file_types.foreign(path)
        if kind is not None:
            raise DamagedCheckpointError(f"checkpoint {prefix} is damaged ({path.name} is {kind})")
    if index.stat().st_size > MAX_INDEX_BYTES:
        raise DeepMnistError(
            f"{index} is larger than {MAX_INDEX_BYTES} bytes: no model here has such"
        )


def _data_files(prefix: Path) -> list[Path]:
    """The parts of the data that have to be there: a full set, if there is one."""
    found = {path.name for path in prefix.parent.glob("*.data-*-of-*")}
    totals = {name[-5:] for name in found if re.fullmatch(r".data-\d{5}-of-\d{5}", name[-20:])}
    sets = [
        [paths.part(prefix, f"data-{i:05}-of-{total}") for i in range(min(int(total), 1000))]
        for total in sorted({"00001"} | totals)
        if f"{prefix.name}.data-00000-of-{total}" in found
    ]
    whole = [files for files in sets if {path.name for path in files} <= found]
    return next(iter(whole or sets), [paths.part(prefix, "data-00000-of-00001")])
