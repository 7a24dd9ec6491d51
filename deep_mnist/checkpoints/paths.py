"""Find the checkpoint that a path of the user names, and the files of a checkpoint."""

from __future__ import annotations

import re
from pathlib import Path

from deep_mnist.checkpoints import file_types
from deep_mnist.checkpoints.variables import summarize
from deep_mnist.errors import CheckpointError, DamagedCheckpointError
from deep_mnist.lazy_tensorflow import tf

STATE_FILE = "checkpoint"
MAX_STATE_BYTES = 1 << 20
PART = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})$")
V1_SHARD = re.compile(r"-\d{5}-of-\d{5}$")


def step_of(prefix: Path) -> int:
    """Return the step in the name model.ckpt-STEP, -1 if it has none."""
    match = re.search(r"-(\d+)$", prefix.name)
    return int(match.group(1)) if match else -1


def index_file(prefix: Path) -> Path:
    """Return PREFIX.index."""
    return prefix.with_name(f"{prefix.name}.index")


def data_file(prefix: Path, shard: int = 0, shards: int = 1) -> Path:
    """Return PREFIX.data-00000-of-00001."""
    return prefix.with_name(f"{prefix.name}.data-{shard:05}-of-{shards:05}")


def is_checkpoint(prefix: Path) -> bool:
    """Whether a prefix is that of a V2 checkpoint (an index), or of a V1 one (tables)."""
    return (
        index_file(prefix).exists()
        or (prefix.is_file() and not PART.search(prefix.name) and file_types.is_table(prefix))
        or any(
            V1_SHARD.search(name) and V1_SHARD.sub("", name) == prefix.name
            for name in _names(prefix.parent)
        )
    )


def find(path: str) -> Path:
    """Return the prefix of the checkpoint, the frozen graph or the .npz file that a path names.

    Args:
      path: a directory, a prefix, or any file of a checkpoint. A directory stands for the newest
        of its checkpoints if only their steps differ, else for the one in its state file. A state
        file stands for the checkpoint that it names, which must be in the same directory.

    Raises:
      DamagedCheckpointError: files of the checkpoint are missing.
      CheckpointError: none is found, or several between which only the user can choose.
    """
    location = Path(path)
    try:
        if location.name == STATE_FILE and location.is_file() and not is_checkpoint(location):
            return _named_by(location) or _find_in(location.parent)
        if location.is_dir():
            return _find_in(location)
        name = PART.sub("", location.name)
        if not name and location.is_file():
            raise _no_prefix(location.parent)
        prefix = location.with_name(name or location.name)
        for candidate in (prefix, prefix.with_name(V1_SHARD.sub("", prefix.name) or prefix.name)):
            if is_checkpoint(candidate):
                return candidate
        if location.is_file() and _is_graph_or_npz(location):
            return location
        raise _not_a_checkpoint(location, prefix)
    except OSError as error:
        raise unreadable(location, error) from None


def unreadable(path: Path, error: OSError) -> CheckpointError:
    """Return the error for a checkpoint that cannot be read."""
    return CheckpointError(f"checkpoint {error.filename or path} cannot be read: {error.strerror}")


def damaged(path: Path, reason: str) -> DamagedCheckpointError:
    """Return the error for a damaged checkpoint."""
    return DamagedCheckpointError(
        f"checkpoint {path} is damaged ({reason[:200]})", hint="restore another checkpoint"
    )


def _is_graph_or_npz(path: Path) -> bool:
    return file_types.is_graph(path) or file_types.is_npz(path)


def _find_in(directory: Path) -> Path:
    names = _names(directory)
    prefixes = {
        directory / name.removesuffix(".index")
        for name in names
        if name.endswith(".index") and name != ".index"
    }
    for name in names:
        path = directory / name
        if not PART.search(name) and path.is_file() and file_types.is_table(path):
            prefixes.add(directory / V1_SHARD.sub("", name))
    if not prefixes:
        return _find_graph_or_npz(directory, names)
    runs = {re.sub(r"-\d+$", "", prefix.name) for prefix in prefixes}
    if len(prefixes) > 1 and (len(runs) > 1 or any(step_of(prefix) < 0 for prefix in prefixes)):
        named = _named_by(directory / STATE_FILE)
        if named in prefixes:
            return named
        raise _several(directory, [prefix.name for prefix in prefixes])
    return max(prefixes, key=step_of)


def _find_graph_or_npz(directory: Path, names: list[str]) -> Path:
    if ".index" in names:
        raise _no_prefix(directory)
    if "saved_model.pb" in names or "saved_model.pbtxt" in names:
        inside = directory / "variables" / "variables"
        raise CheckpointError(
            f"{directory} is a SavedModel, not a checkpoint",
            hint=f"restore its variables: {inside}" if index_file(inside).exists() else None,
        )
    files = [name for name in names if (directory / name).is_file()]
    candidates = [name for name in files if _is_graph_or_npz(directory / name)]
    if len(candidates) == 1:
        return directory / candidates[0]
    if candidates:
        raise _several(directory, candidates)
    incomplete = [PART.sub("", name) for name in names if PART.search(name)]
    if incomplete:
        raise _not_a_checkpoint(directory, directory / incomplete[0])
    if names == files and len(files) == 1:
        raise _not_a_checkpoint(directory, directory / files[0])
    raise CheckpointError(
        f"{directory} has no checkpoint: expected PREFIX.index and PREFIX.data-00000-of-00001, "
        f"found {summarize(names) or 'an empty directory'}"
    )


def _several(directory: Path, names: list[str]) -> CheckpointError:
    paths = sorted(str(directory / name) for name in names)
    return CheckpointError(
        f"{directory} has several checkpoints: {summarize(paths)}", hint=f"name one: {paths[0]}"
    )


def _no_prefix(directory: Path) -> CheckpointError:
    """Return the error for files of `saver.save(session, "directory/")`, named .index and so on."""
    return CheckpointError(
        f"the files of the checkpoint in {directory} have no prefix",
        hint="rename them to model.index and model.data-00000-of-00001",
    )


def _not_a_checkpoint(location: Path, prefix: Path) -> CheckpointError:
    names = _names(prefix.parent)
    parts = [name for name in names if PART.search(name) and PART.sub("", name) == prefix.name]
    if prefix.is_file():
        found = file_types.other_type(prefix) or file_types.FileType("a file of unknown type")
        return CheckpointError(f"{prefix} is not a checkpoint: it is {found.name}", hint=found.hint)
    meta = f"{prefix.name}.meta"
    if parts == [meta] and _is_graph_of_v1(prefix.with_name(meta)):
        return DamagedCheckpointError(
            f"checkpoint {prefix} is incomplete: expected {prefix.name}, found only its graph, "
            f"{meta}",
            hint=f"copy {prefix.name} too, which holds the variables in format V1",
        )
    if parts:
        index, data = index_file(prefix).name, data_file(prefix).name
        return DamagedCheckpointError(
            f"checkpoint {prefix} is incomplete: expected {index} and {data}, "
            f"found {summarize(parts)}",
            hint="copy all files of the checkpoint",
        )
    similar = [name.removesuffix(".index") for name in names if name.endswith(".index")]
    return CheckpointError(
        f"{location} is not a checkpoint: expected a directory, a prefix or a file of a checkpoint",
        hint=f"the directory has {summarize(similar)}" if similar else None,
    )


def _is_graph_of_v1(meta_file: Path) -> bool:
    """Whether a .meta file was saved with a V1 checkpoint."""
    from google.protobuf.message import DecodeError

    try:
        graph = tf.MetaGraphDef.FromString(meta_file.read_bytes())
    except DecodeError:
        return False
    return bool(graph.HasField("saver_def")) and graph.saver_def.version != tf.train.SaverDef.V2


def _named_by(state_file: Path) -> Path | None:
    """Return the checkpoint that a state file names, if it is in the same directory."""
    if not state_file.is_file():
        return None
    with state_file.open("rb") as file:
        text = file.read(MAX_STATE_BYTES).decode("utf-8", errors="replace")
    match = re.search(r'^[ \t]*model_checkpoint_path[ \t]*:[ \t]*"(.+)"\s*$', text, re.MULTILINE)
    name = re.split(r"[/\\]", match.group(1))[-1] if match else ""  # of Linux or Windows
    prefix = state_file.with_name(name) if name not in ("", ".", "..") else None
    return prefix if prefix is not None and is_checkpoint(prefix) else None


def _names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir()) if directory.is_dir() else []
