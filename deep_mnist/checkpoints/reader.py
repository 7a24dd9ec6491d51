"""Read the weights of a model from a checkpoint, a frozen graph or an .npz file.

Shapes are compared before anything is restored, because TensorFlow's Saver accepts a variable of
another shape without an error (tensorflow/tensorflow#52220).
"""

from __future__ import annotations

import functools
import math
import os
import re
import shlex
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from deep_mnist.checkpoints import bundle_index, file_types, frozen_graph, npz_reader, paths
from deep_mnist.checkpoints.paths import damaged, data_file, index_file, unreadable
from deep_mnist.checkpoints.variable_matching import Match, match_variables
from deep_mnist.checkpoints.variables import Shape, Spec
from deep_mnist.data.io import open_regular_file
from deep_mnist.errors import AmbiguousCheckpointError, CheckpointError, DeepMnistError
from deep_mnist.lazy_tensorflow import tf

MAX_VALUES = 1 << 26  # of a variable, twenty times the CNN's largest
MAX_INDEX_BYTES = 1 << 24
NUMERIC_DTYPE = re.compile(r"(bfloat|float|u?int)\d+|bool")
WILDCARDS = frozenset("*?[")
LINK = "checkpoint"  # prefix of links to the files of a checkpoint
OBJECT_BASED = re.compile(r"/\.ATTRIBUTES/|^_(CHECKPOINTABLE|TRACKABLE)_OBJECT_GRAPH$")


class CheckpointReader(NamedTuple):
    """An open checkpoint.

    Attributes:
      path: its prefix or file.
      format: the name of its format.
      specs: shapes and dtypes of its variables by name.
      read: returns the value of a variable by name. It raises DamagedCheckpointError if the
        checksum differs.
    """

    path: Path
    format: str
    specs: dict[str, Spec]
    read: Callable[[str], Any]


class LoadedWeights(NamedTuple):
    """The weights of a model, as a checkpoint has them.

    Attributes:
      values: float32 arrays by the model's names, in the model's shapes.
      match: which variables of the checkpoint they are.
      notes: conversions of the values, and warnings about them.
    """

    values: dict[str, npt.NDArray[np.float32]]
    match: Match
    notes: list[str]

    def summary(self) -> list[str]:
        """Return what the user should know: renamed and untrained variables, and the notes."""
        sources, unused = self.match
        renamed = [f"{name} = {s.name}" for name, s in sources.items() if name != s.name]
        untrained = sorted(name for name, why in unused.items() if why.startswith("untrained"))
        lines = [f"renamed variables: {', '.join(renamed)}"] if renamed else []
        lines += [f"unused, because untrained: {', '.join(untrained)}"] if untrained else []
        return lines + self.notes


def open_checkpoint(path: Path) -> CheckpointReader:
    """Open a checkpoint and read the names, shapes and dtypes of its variables.

    Args:
      path: a prefix or a file, as `paths.find` returns it.

    Raises:
      DamagedCheckpointError: a file is missing, truncated or of another type.
      CheckpointError: a file cannot be read, or has no variables of a TF1 graph.
    """
    try:
        if not paths.is_checkpoint(path) and file_types.is_graph(path):
            return _open_graph(path)
        if not paths.is_checkpoint(path) and file_types.is_npz(path):
            return _open_npz(path)
        check_path(str(path))
        if index_file(path).exists() or not paths.is_checkpoint(path):
            _check_files(path)
            return _open_tensorflow(path, "TensorFlow checkpoint (V2: .index and .data)")
        if path.is_file():
            return _open_tensorflow(path, "TensorFlow checkpoint (V1: one file)")
        shards = "-?????-of-?????"
        return _open_tensorflow(path, "TensorFlow checkpoint (V1: several files)", shards)
    except OSError as error:
        raise unreadable(path, error) from None


def load_weights(
    checkpoint: CheckpointReader, expected: Mapping[str, Shape], prefer: Sequence[str] = ()
) -> LoadedWeights:
    """Read the weights of a model, whatever their names in the checkpoint.

    Args:
      checkpoint: the open checkpoint.
      expected: shapes by name in the order of the model's layers.
      prefer: variables of the checkpoint, see `match_variables`.

    Raises:
      DamagedCheckpointError: a checksum differs.
      ModelMismatchError: the checkpoint is of another model.
      AmbiguousCheckpointError: several variables fit the model.
    """
    path = checkpoint.path

    @functools.cache
    def is_constant(name: str) -> bool:
        values = checkpoint.read(name)
        return bool((values == values.flat[0]).all())

    def are_equal(first: str, second: str) -> bool:
        a, b = checkpoint.read(first), checkpoint.read(second)
        return bool(a.dtype == b.dtype and a.tobytes() == b.tobytes())

    try:
        match = match_variables(
            expected, checkpoint.specs, is_constant, prefer, f"checkpoint {path}", are_equal
        )
    except AmbiguousCheckpointError as error:
        arguments = f"{shlex.quote(str(path))} --take {shlex.quote(','.join(error.choices[-1]))}"
        error.hint = (
            f"choose with: python -m deep_mnist.legacy checkpoint {arguments} --convert OUT"
        )
        raise
    values, notes = {}, []
    for name, source in match.sources.items():
        stored = checkpoint.read(source.name)
        with np.errstate(over="ignore"):  # noted below as not finite
            values[name] = np.asarray(stored, np.float32).reshape(expected[name])
        dtype = checkpoint.specs[source.name].dtype
        if dtype != "float32":
            notes.append(f"{source.name} is converted from {dtype} to float32")
        if not np.isfinite(values[name]).all():
            notes.append(f"{source.name} has NaN or infinite values")
    return LoadedWeights(values, match, notes)


def check_path(path: str) -> None:
    """Raise CheckpointError for a path that is not UTF-8: TensorFlow cannot open it."""
    if any("\ud800" <= character <= "\udfff" for character in path):
        raise CheckpointError(
            f"{path}: TensorFlow supports only paths in UTF-8", hint="use a path in UTF-8"
        )


def short_message(error: BaseException) -> str:
    """Return the informative line of an exception; TensorFlow's messages have many lines."""
    text = str(error)
    node = re.search(r"^Node: .*\n(?:.*; )?(.+)", text, re.MULTILINE)
    if node:
        return node.group(1)
    lines = [line for line in text.splitlines() if line]
    informative = [line for line in lines if not line.endswith(":")]  # "Graph execution error:"
    return (informative or lines or [type(error).__name__])[0]


def _open_graph(path: Path) -> CheckpointReader:
    constants = frozen_graph.read_constants(path)
    specs = {name: spec for name, (spec, _) in constants.items()}

    def read(name: str) -> Any:
        _check_dtype(path, name, specs[name])
        try:
            return frozen_graph.to_array(constants[name][1])
        except (ValueError, TypeError, OverflowError) as error:
            raise damaged(path, short_message(error)) from None

    _check_size(path, specs)
    return CheckpointReader(path, "frozen graph (GraphDef with constants)", specs, read)


def _open_npz(path: Path) -> CheckpointReader:
    specs = npz_reader.read_specs(path)
    _check_size(path, specs)
    read = functools.partial(npz_reader.read, path)
    return CheckpointReader(path, "NumPy arrays (.npz)", specs, read)


def _open_tensorflow(path: Path, file_format: str, shards: str = "") -> CheckpointReader:
    def read(name: str) -> Any:
        _check_dtype(path, name, specs[name])
        try:
            return reader.get_tensor(name)
        except Exception as error:
            raise damaged(path, short_message(error)) from None

    pattern = f"{path}{shards}"
    if WILDCARDS.intersection(str(path)):
        links = _link_files(path)
        weakref.finalize(read, shutil.rmtree, links)
        pattern = f"{links / LINK}{shards}"
    try:
        if index_file(path).exists():
            bundle_index.check_index(index_file(path))
        reader = tf.train.NewCheckpointReader(pattern)
        shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    except (DeepMnistError, MemoryError):
        raise
    except Exception as error:  # any: an IndexError for a truncated file
        raise damaged(path, short_message(error)) from None
    if any(OBJECT_BASED.search(name) for name in shapes):
        raise CheckpointError(
            f"checkpoint {path} is an object-based checkpoint of TensorFlow 2 (Keras): its "
            "variables do not belong to a TF1 graph",
            hint="save the variables with tf.compat.v1.train.Saver or numpy.savez",
        )
    specs = {name: Spec(tuple(shapes[name]), dtypes[name].name) for name in shapes}
    _check_size(path, specs)

    return CheckpointReader(path, file_format, specs, read)


def _link_files(prefix: Path) -> Path:
    """Return a new temporary directory with links to the files of a checkpoint.

    TensorFlow would expand the wildcards in the prefix.
    """
    directory = Path(tempfile.mkdtemp())
    for file in prefix.parent.absolute().iterdir():
        if file.name.startswith(prefix.name):
            (directory / f"{LINK}{file.name.removeprefix(prefix.name)}").symlink_to(file)
    return directory


def _check_dtype(path: Path, name: str, spec: Spec) -> None:
    """Raise DamagedCheckpointError unless it is numeric: others may abort the process."""
    if not NUMERIC_DTYPE.fullmatch(spec.dtype):
        raise damaged(path, f"expected numbers, found {name} {spec}")


def _check_size(path: Path, specs: Mapping[str, Spec]) -> None:
    for name, spec in specs.items():
        if min(spec.shape, default=1) < 0 or math.prod(spec.shape) > MAX_VALUES:
            raise CheckpointError(
                f"checkpoint {path}: expected at most {MAX_VALUES} values, found {name} {spec}"
            )


def _check_files(prefix: Path) -> None:
    """Raise DamagedCheckpointError unless the index and every data file look like such."""
    index = index_file(prefix)
    for path in (index, *_data_files(prefix)):
        try:
            with open_regular_file(path) as file:
                head = file.read(len(file_types.GIT_LFS))
                size = os.fstat(file.fileno()).st_size
        except FileNotFoundError:
            raise damaged(prefix, f"{path.name} is missing") from None
        # A data file has no signature: its first bytes are values.
        if (
            not head
            or head == file_types.GIT_LFS
            or (path == index and not file_types.is_table(path))
        ):
            found = file_types.other_type(path)
            if found is not None:
                error = damaged(prefix, f"{path.name} is {found.name}")
                error.hint = found.hint
                raise error
        if path == index and size > MAX_INDEX_BYTES:
            raise CheckpointError(f"{path}: expected at most {MAX_INDEX_BYTES} bytes, found {size}")


def _data_files(prefix: Path) -> list[Path]:
    """Return the data files that must exist: a complete set of shards, if there is one."""
    shards = {
        path
        for path in prefix.parent.glob("*.data-*")
        if paths.PART.search(path.name) and paths.PART.sub("", path.name) == prefix.name
    }
    totals = sorted({int(path.name[-5:]) for path in shards})
    sets = [[data_file(prefix, i, total) for i in range(min(total, 1000))] for total in totals]
    complete = [files for files in sets if shards.issuperset(files)]
    return (complete or sets or [[data_file(prefix)]])[0]
