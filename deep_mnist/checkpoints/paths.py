"""From the path that a user names to a checkpoint, a frozen graph, or an .npz file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from deep_mnist.checkpoints import file_types
from deep_mnist.errors import DeepMnistError

STATE = "checkpoint"
PARTS = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})$")
MAX_STATE_BYTES = 1 << 20  # of a list of a few names
NO_KIND = "of no kind that holds such weights, or is damaged"
SHARD = re.compile(r"-\d{5}-of-\d{5}$")  # of a V1 checkpoint


def step_of(prefix: Path) -> int:
    """The step in model.ckpt-STEP; -1 where the name has none."""
    match = re.search(r"-(\d+)$", prefix.name)
    return int(match.group(1)) if match else -1


def find(path: str) -> Path:
    """The prefix of a V2 or V1 checkpoint, the frozen graph (.pb) or the .npz that a path means.

    A directory means the checkpoint in it; of several that differ by their step, the newest; of
    several names, the one that its state file names. A state file means the one it names,
    wherever that was, if it is beside it (else the directory's).

    Raises:
      DeepMnistError: there is none, or it can't be told which.
    """
    place = Path(path)
    try:
        if place.name == STATE and place.is_file() and not is_checkpoint(place):
            name = _named_by(place)
            named = place.parent / name
            found = name not in ("", ".", "..") and is_checkpoint(named)
            return named if found else _in_directory(place.parent)
        if place.is_dir():
            return _in_directory(place)
        if PARTS.fullmatch(place.name) and place.is_file():
            raise DeepMnistError(_nameless(place.parent))
        prefix = place.with_name(PARTS.sub("", place.name)) if place.name else place
        for candidate in (prefix, prefix.with_name(SHARD.sub("", prefix.name))):
            if is_checkpoint(candidate):
                return candidate
        if place.is_file() and _is_one_file(place):
            return place
        raise DeepMnistError(_nothing_at(place, prefix))
    except OSError as error:
        raise DeepMnistError(f"{path} can't be read: {error.strerror}") from None


def is_checkpoint(prefix: Path) -> bool:
    """Whether there is an index, or a checkpoint in one file, under a prefix."""
    return (
        part(prefix, "index").exists()
        or (prefix.is_file() and not PARTS.search(prefix.name) and file_types.is_table(prefix))
        or bool(shards(prefix))
    )


def _is_one_file(path: Path) -> bool:
    return file_types.is_graph(path) or file_types.is_npz(path)


def shards(prefix: Path) -> list[Path]:
    """The files of a V1 checkpoint that was saved in several."""
    names = _names(prefix.parent) if prefix.parent.is_dir() else []
    return [
        prefix.with_name(name)
        for name in names
        if SHARD.sub("", name) == prefix.name and SHARD.search(name)
    ]


def part(prefix: Path, name: str) -> Path:
    """A file of a checkpoint: PREFIX.index."""
    return prefix.with_name(f"{prefix.name}.{name}")


def _in_directory(directory: Path) -> Path:
    names = _names(directory)
    prefixes = {
        directory / name.removesuffix(".index")
        for name in names
        if name.endswith(".index") and name != ".index"
    }
    for name in names:
        path = directory / name
        if not PARTS.search(name) and path.is_file() and file_types.is_table(path):
            prefixes.add(directory / SHARD.sub("", name))
    if not prefixes:
        if ".index" in names:
            raise DeepMnistError(_nameless(directory))
        return _one_file_in_directory(directory, names)
    newest = max(prefixes, key=step_of)
    of_one_run = {re.sub(r"-\d+$", "", prefix.name) for prefix in prefixes}
    if len(prefixes) > 1 and (len(of_one_run) > 1 or any(step_of(p) < 0 for p in prefixes)):
        named = directory / _named_by(directory / STATE) if STATE in names else None
        if named in prefixes:
            return named
        raise DeepMnistError(
            f"{directory} holds several checkpoints, and their names don't tell which is meant: "
            f"name one of {_listing(directory / prefix.name for prefix in prefixes)}"
        )
    return newest


def _one_file_in_directory(directory: Path, names: list[str]) -> Path:
    if "saved_model.pb" in names or "saved_model.pbtxt" in names:
        inside = directory / "variables" / "variables"
        advice = (
            f"its weights are a checkpoint of their own: {inside}"
            if part(inside, "index").exists()
            else "and it has no weights beside it"
        )
        raise DeepMnistError(
            f"{directory} is a SavedModel, a program that is not run here; {advice}"
        )
    files = [path for path in (directory / name for name in names) if path.is_file()]
    candidates = [path for path in files if _is_one_file(path)]
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise DeepMnistError(
            f"{directory} holds the weights of several: name one of {_listing(candidates)}"
        )
    lacking = sorted({PARTS.sub("", name) for name in names if PARTS.search(name)})
    if lacking:
        raise DeepMnistError(_nothing_at(directory / lacking[0], directory / lacking[0]))
    found = _listing(names) or "nothing"
    if len(names) == len(files) == 1:
        found += f", which is {file_types.foreign(files[0]) or NO_KIND}"
    raise DeepMnistError(
        f"{directory} holds no checkpoint: expected PREFIX.index and PREFIX.data-00000-of-00001, "
        f"found {found}"
    )


def _nameless(directory: Path) -> str:
    """What to do with the files of `saver.save(session, "directory/")`, which have no prefix."""
    return (
        f"{directory} holds a checkpoint without a name: put the same name before .index and "
        ".data-00000-of-00001, as in model.index"
    )


def _nothing_at(place: Path, prefix: Path) -> str:
    """Why a path means no checkpoint."""
    names = _names(place.parent) if place.parent.is_dir() else []
    parts = [name for name in names if PARTS.sub("", name) == prefix.name and PARTS.search(name)]
    index = part(prefix, "index").name
    if prefix.is_file():
        kind = file_types.foreign(prefix) or NO_KIND
        return f"{prefix} is no checkpoint: it is {kind}"
    if any(".data-" in name for name in parts):
        return f"{place} is no whole checkpoint: {index} is missing beside its data, copy both"
    if parts:
        return (
            f"{place} has only the graph of a checkpoint ({parts[0]}), without its weights: "
            f"copy {index} and {prefix.name}.data-00000-of-00001 as well"
        )
    alike = [name.removesuffix(".index") for name in names if name.endswith(".index")]
    hint = f" (beside it: {_listing(alike)})" if alike else ""
    return (
        f"{place} is no checkpoint: expected the directory, the prefix or a file of one, "
        f"but there is neither such a directory nor {index}{hint}"
    )


def _named_by(state: Path) -> str:
    """The last part of the path that a state file names first, which may be of Windows."""
    with state.open("rb") as file:
        text = file.read(MAX_STATE_BYTES).decode("utf-8", errors="replace")
    match = re.search(r'^[ \t]*model_checkpoint_path[ \t]*:[ \t]*"(.+)"\s*$', text, re.MULTILINE)
    return re.split(r"[/\\]", match.group(1))[-1] if match else ""


def _names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def _listing(names: Iterable[object]) -> str:
    words = sorted(map(str, names))
    return ", ".join(words[:5]) + (", ..." if len(words) > 5 else "")
