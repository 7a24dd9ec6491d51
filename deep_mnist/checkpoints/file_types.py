"""Detect the type of a file by its first and last bytes. Nothing is unpacked or unpickled."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from deep_mnist.data import npz
from deep_mnist.errors import DatasetError

# The end of a LevelDB table: the index of a V2 checkpoint, or a V1 checkpoint.
TABLE_MAGIC = bytes.fromhex("57fb808b247547db")

GIT_LFS = b"version https://git-lfs.github.com/spec/"

# A field 1 (a node) of some length, in it a field 1 (its name), then a field 2 (its op).
GRAPH_DEF = re.compile(
    rb"\n[\x80-\xff]{0,4}[\x00-\x7f]\n[\x80-\xff]?[\x01-\x7f][\w.][\w./>-]*\x12", re.S
)
PYTORCH_MAGIC = bytes.fromhex("8a0a6cfc9c46f9206aa85019")  # before PyTorch 1.6, which writes zips


class FileType(NamedTuple):
    """A type of file that is not a checkpoint, and what the user can do."""

    name: str
    hint: str | None = None


EXTRACT = "extract it and restore the checkpoint in it"
CONVERT = "restore the checkpoint that it was converted from"
DOWNLOAD = "copy or download it again"
PICKLE_HINT = "pickles are not loaded, because they can run code"

EMPTY = FileType("empty", DOWNLOAD)
PYTORCH = FileType("a PyTorch checkpoint", PICKLE_HINT)
ZIP = FileType("a zip archive", EXTRACT)
SIGNATURES = {
    GIT_LFS: FileType("a pointer of Git LFS to a file", "download the file with: git lfs pull"),
    b"\x89HDF\r\n\x1a\n": FileType("an HDF5 file, as Keras saves"),
    b"\x93NUMPY": FileType("a single NumPy array (.npy)", "save the variables with numpy.savez"),
    b"\x1f\x8b": FileType("a gzip archive", EXTRACT),
    b"BZh": FileType("a bzip2 archive", EXTRACT),
    b"\xfd7zXZ": FileType("an xz archive", EXTRACT),
    b"7z\xbc\xaf": FileType("a 7z archive", EXTRACT),
    b"Rar!": FileType("a RAR archive", EXTRACT),
    b"\x08\x01\x12": FileType(
        "a SavedModel (saved_model.pb)", "restore its checkpoint, variables/variables"
    ),
}


def is_table(path: Path) -> bool:
    """Whether a file ends as a V1 checkpoint or the index of a V2 checkpoint does."""
    with path.open("rb") as file:
        if file.seek(0, 2) < 48:
            return False
        file.seek(-len(TABLE_MAGIC), 2)
        return file.read() == TABLE_MAGIC


def is_graph(path: Path) -> bool:
    """Whether a file may be a GraphDef: it starts with a node, or is a .pb of unknown type."""
    with path.open("rb") as file:
        head = file.read(1024)
    return bool(GRAPH_DEF.match(head)) or (path.suffix == ".pb" and other_type(path) is None)


def is_npz(path: Path) -> bool:
    """Whether a file is a zip of NumPy arrays only, as numpy.savez writes."""
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            return False
    try:
        with npz.open_zip(path) as archive:
            names = archive.namelist()
    except (DatasetError, *npz.ZIP_ERRORS):
        return False
    return bool(names) and all(name.endswith(".npy") for name in names)


def other_type(path: Path) -> FileType | None:
    """Return the type of a file that is not a checkpoint, a graph or an .npz file.

    Returns:
      The type, None if it is unknown.

    Raises:
      OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(1024)
        file.seek(max(file.seek(0, 2) - 2, 0))
        tail = file.read()
    if not head:
        return EMPTY
    for signature, kind in SIGNATURES.items():
        if head.startswith(signature):
            return kind
    if head[257:262] == b"ustar":
        return FileType("a tar archive", EXTRACT)
    if head.startswith(b"PK"):
        return _zip_type(path)
    if head[4:8] == b"TFL3":
        return FileType("a TensorFlow Lite model", CONVERT)
    if path.suffix == ".onnx" or re.match(rb"\x08[\x02-\x1f]\x12.[\w.-]+", head):
        return FileType("an ONNX model", CONVERT)
    if head[8:10] == b'{"' and not any(head[4:8]):
        return FileType("a safetensors file", "save the variables with numpy.savez")
    if PYTORCH_MAGIC in head[:32]:
        return PYTORCH
    if re.match(rb"\x80[\x02-\x05]", head) or (
        re.match(rb"(\(|c[\w.]+\n\w+\n|[\]}\)])", head) and tail.endswith(b".")
    ):
        return FileType("a Python pickle", PICKLE_HINT)
    if not re.search(rb"[^\t\n\f\r\x20-\x7e\x80-\xff]", head):
        return _text_type(head)
    return None


def _zip_type(path: Path) -> FileType:
    try:
        with npz.open_zip(path) as archive:
            names = archive.namelist()
    except DatasetError:
        return ZIP
    except npz.ZIP_ERRORS:
        return FileType("a truncated zip archive", DOWNLOAD)
    if any(name.rpartition("/")[2] == "data.pkl" for name in names):
        return PYTORCH
    if "model.weights.h5" in names:
        return FileType("a Keras 3 model (.keras)")
    return ZIP


def _text_type(head: bytes) -> FileType:
    if re.match(rb"\s*<(!doctype|html|head|\?xml)", head, re.IGNORECASE):
        return FileType("a web page", "download the file itself")
    if re.match(rb"\s*(?:#[^\n]*\n\s*)*(node|meta_info_def|graph_def|versions|library)\s*\{", head):
        return FileType("a graph in text format", "restore its checkpoint")
    if re.match(rb"(all_)?model_checkpoint_path\s*:", head):
        return FileType(
            "a state file with another name", "rename it to checkpoint, or restore a checkpoint"
        )
    return FileType("a text file")
