"""What a file is, by its first and last bytes: a sentence for each kind that is no checkpoint.

Nothing is unpacked, unpickled or executed to find out.
"""

from __future__ import annotations

import re
from pathlib import Path

from deep_mnist.data import npz
from deep_mnist.errors import DatasetError

# Both an index (of format V2) and a checkpoint in one file (V1) are such tables, by their end.
TABLE_END = bytes.fromhex("57fb808b247547db")

LFS = b"version https://git-lfs.github.com/spec/"

ARCHIVE = "unpack it, and name the checkpoint in it"
SIGNATURES = {
    LFS: "the place-holder of a file in Git LFS that was not downloaded: git lfs pull fetches it",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file, as Keras saves: no TensorFlow 1 checkpoint",
    b"\x93NUMPY": "a NumPy array (.npy): no TensorFlow checkpoint",
    b"\x1f\x8b": f"a gzip archive: {ARCHIVE}",
    b"BZh": f"a bzip2 archive: {ARCHIVE}",
    b"\xfd7zXZ": f"an xz archive: {ARCHIVE}",
    b"7z\xbc\xaf": f"a 7z archive: {ARCHIVE}",
    b"Rar!": f"a RAR archive: {ARCHIVE}",
    b"\x08\x01\x12": "a SavedModel (saved_model.pb), a program that is not run here: its weights "
    "are the checkpoint variables/variables beside it",
}
# A field 1 (a node) of some length, and in it a field 1 (its name), then a field 2 (its op).
GRAPH = re.compile(
    rb"\n[\x80-\xff]{0,4}[\x00-\x7f]\n[\x80-\xff]?[\x01-\x7f][\w.][\w./>-]*\x12", re.S
)
PYTORCH_MAGIC = bytes.fromhex("8a0a6cfc9c46f9206aa85019")  # of its format before the zip
PYTORCH = "a PyTorch checkpoint: no TensorFlow one, and never unpickled, since that runs code"
PICKLE = "a Python pickle, which is never loaded, since that runs code"


def is_table(path: Path) -> bool:
    """Whether a file ends as a V1 checkpoint or an index does."""
    with path.open("rb") as file:
        if file.seek(0, 2) < 48:
            return False
        file.seek(-len(TABLE_END), 2)
        return file.read() == TABLE_END


def is_graph(path: Path) -> bool:
    """Whether a file may be a GraphDef: it begins with a node, or is a .pb of no other kind."""
    with path.open("rb") as file:
        head = file.read(1024)
    return bool(GRAPH.match(head)) or (path.suffix == ".pb" and foreign(path) is None)


def is_npz(path: Path) -> bool:
    """Whether a file is a zip of NumPy arrays alone, as numpy.savez writes."""
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            return False
    try:
        with npz.open_zip(path) as archive:
            names = archive.namelist()
    except (DatasetError, *npz.ZIP_ERRORS):
        return False
    return bool(names) and all(name.endswith(".npy") for name in names)


def foreign(path: Path) -> str | None:
    """What a file is, with advice, where it can be no checkpoint, graph or .npz; else None.

    Raises:
      OSError: it can't be read.
    """
    with path.open("rb") as file:
        head = file.read(1024)
        size = file.seek(0, 2)
        file.seek(max(size - 2, 0))
        tail = file.read()
    if not head:
        return "empty: copy or download it anew"
    for signature, kind in SIGNATURES.items():
        if head.startswith(signature):
            return kind
    if head[257:262] == b"ustar":
        return f"a tar archive: {ARCHIVE}"
    if head.startswith(b"PK"):
        return _zip(path)
    if head[4:8] == b"TFL3":
        return "a TensorFlow Lite model: convert the checkpoint that it was made from"
    if path.suffix == ".onnx" or re.match(rb"\x08[\x02-\x1f]\x12.[\w.-]+", head):
        return "an ONNX model: convert the checkpoint that it was made from"
    if head[8:10] == b'{"' and not any(head[4:8]):
        return "a safetensors file: no TensorFlow checkpoint"
    if PYTORCH_MAGIC in head[:32]:
        return PYTORCH
    if re.match(rb"\x80[\x02-\x05]", head) or (
        re.match(rb"(\(|c[\w.]+\n\w+\n|[\]}\)])", head) and tail.endswith(b".")
    ):
        return PICKLE
    if not re.search(rb"[^\t\n\f\r\x20-\x7e\x80-\xff]", head):
        return _text(head)
    return None


def _zip(path: Path) -> str:
    try:
        with npz.open_zip(path) as archive:
            names = archive.namelist()
    except DatasetError:
        return f"a zip archive: {ARCHIVE}"
    except npz.ZIP_ERRORS:
        return "a zip archive that is cut short: copy or download it anew"
    if any(name.rpartition("/")[2] == "data.pkl" for name in names):
        return PYTORCH
    if "model.weights.h5" in names:
        return "a Keras 3 model (.keras): no TensorFlow 1 checkpoint"
    return f"a zip archive: {ARCHIVE}"


def _text(head: bytes) -> str:
    if re.match(rb"\s*<(!doctype|html|head|\?xml)", head, re.IGNORECASE):
        return "a web page, not the file that was meant: download it anew"
    if re.match(rb"\s*(?:#[^\n]*\n\s*)*(node|meta_info_def|graph_def|versions|library)\s*\{", head):
        return "a graph written as text: expected a checkpoint, or a frozen graph in binary (.pb)"
    if re.match(rb"(all_)?model_checkpoint_path\s*:", head):
        return 'the list of a folder\'s checkpoints: its name must be "checkpoint", or name one'
    return "a text: expected a checkpoint, or a frozen graph in binary (.pb)"
