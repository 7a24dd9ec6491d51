"""Which checkpoint a path names, and the error for each type of file that is not one."""

import gzip
import io
import os
import pickle
import tarfile
import zipfile

import numpy as np
import pytest

from deep_mnist.checkpoints import paths
from deep_mnist.checkpoints.file_types import TABLE_MAGIC
from deep_mnist.errors import CheckpointError
from deep_mnist.lazy_tensorflow import tf

TABLE = bytes(100) + TABLE_MAGIC  # the end of a V1 checkpoint or an index


@pytest.fixture
def old(tmp_path):
    """A directory with two V2 checkpoints, and a state file with an absolute path."""
    for step in (9, 10):
        for part in ("index", "meta", "data-00000-of-00001"):
            (tmp_path / f"model.ckpt-{step}.{part}").write_bytes(TABLE)
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "/home/ada/run/model.ckpt-9"\n')
    return tmp_path


@pytest.mark.parametrize(
    "spelling",
    [
        "",
        "model.ckpt-10",
        "model.ckpt-10.index",
        "model.ckpt-10.data-00000-of-00001",
        "model.ckpt-10.meta",
    ],
)
def test_a_checkpoint_is_found_by_its_directory_prefix_or_files(old, spelling):
    assert paths.find(str(old / spelling)) == old / "model.ckpt-10"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('model_checkpoint_path: "model.ckpt-9"', "model.ckpt-9"),
        ('model_checkpoint_path: "/home/ada/run/model.ckpt-9"', "model.ckpt-9"),
        ('model_checkpoint_path: "C:\\\\Users\\\\ada\\\\model.ckpt-9"', "model.ckpt-9"),
        ('model_checkpoint_path: "/gone/model.ckpt-7"', "model.ckpt-10"),
        ("garbage", "model.ckpt-10"),
        ("", "model.ckpt-10"),
    ],
)
def test_a_state_file_stands_for_its_checkpoint_in_the_same_directory(old, text, found):
    (old / "checkpoint").write_text(text)
    assert paths.find(str(old / "checkpoint")) == old / found


def test_an_empty_state_file_stands_for_its_directory(old, monkeypatch):
    monkeypatch.chdir(old)
    (old / "checkpoint").write_text("")
    assert paths.find("checkpoint").name == "model.ckpt-10"


def test_the_state_file_decides_between_two_prefixes(old):
    (old / "best.index").write_bytes(TABLE)
    (old / "checkpoint").write_text('model_checkpoint_path: "C:\\\\runs\\\\best"')
    assert paths.find(str(old)) == old / "best"


def test_two_prefixes_without_a_state_file_are_an_error(old):
    (old / "best.index").write_bytes(TABLE)
    (old / "checkpoint").unlink()
    with pytest.raises(
        CheckpointError, match=r"has several checkpoints: .*/best, .*/model.ckpt-10"
    ):
        paths.find(str(old))
    assert paths.find(str(old / "best")) == old / "best"


@pytest.mark.parametrize("spelling", ["", "model.ckpt-10", "model.ckpt-10.meta"])
def test_a_v1_checkpoint_is_found(tmp_path, spelling):
    for step in (9, 10):
        (tmp_path / f"model.ckpt-{step}").write_bytes(TABLE)
        (tmp_path / f"model.ckpt-{step}.meta").touch()
    assert paths.find(str(tmp_path / spelling)) == tmp_path / "model.ckpt-10"


def test_a_path_without_a_checkpoint_is_an_error_with_similar_names(old):
    with pytest.raises(CheckpointError, match=r"model\.ckpt is not a checkpoint: ") as raised:
        paths.find(str(old / "model.ckpt"))
    assert raised.value.hint == "the directory has model.ckpt-10, model.ckpt-9"


def test_a_directory_of_directories_is_an_error_with_their_names(tmp_path):
    (tmp_path / "run1").mkdir()
    os.mkfifo(tmp_path / "run2")  # to open it would wait
    with pytest.raises(CheckpointError, match=r"has no checkpoint: expected .*, found run1, run2$"):
        paths.find(str(tmp_path))


@pytest.mark.parametrize("spelling", ["", ".index", ".data-00000-of-00001"])
def test_files_without_a_prefix_are_an_error(tmp_path, spelling):
    for name in (".index", ".data-00000-of-00001"):
        (tmp_path / name).write_bytes(TABLE)
    with pytest.raises(CheckpointError, match=r"have no prefix\nhint: rename them to model\.index"):
        paths.find(str(tmp_path / spelling))


@pytest.mark.parametrize(
    ("left", "message"),
    [
        ((), "has no checkpoint: .*, found an empty directory$"),
        (
            ("m.data-00000-of-00001", "m.meta"),
            r"m is incomplete: expected m\.index and .*, found m\.data-00000-of-00001, m\.meta\n",
        ),
        (
            ("m.meta",),
            r"m is incomplete: .*, found m\.meta\nhint: copy all files of the checkpoint$",
        ),
        (("saved_model.pb",), "is a SavedModel, not a checkpoint$"),
        (
            ("saved_model.pb", "variables/variables.index"),
            "is a SavedModel, not a checkpoint\nhint: restore its variables: .*/variables$",
        ),
        (("notes.txt", "notes.html"), r"found notes\.html, notes\.txt$"),
        (
            ("notes.txt",),
            r"notes\.txt is not a checkpoint: it is empty\nhint: copy or download it ",
        ),
    ],
)
def test_a_directory_without_a_complete_checkpoint_is_an_error(tmp_path, left, message):
    for name in left:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(CheckpointError, match=message):
        paths.find(str(tmp_path))


def archive(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        for name, content in members.items():
            zipped.writestr(name.replace("__", "/").replace("_pkl", ".pkl"), content)
    return file.getvalue()


def tar():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as packed:
        packed.addfile(tarfile.TarInfo("model.ckpt"))
    return file.getvalue()


def test_an_npz_file_is_found_by_its_path_or_as_the_only_one_in_a_directory(tmp_path):
    np.savez(tmp_path / "cnn.npz", W=np.zeros(3))
    (tmp_path / "cnn.npz.json").write_text("{}")
    assert paths.find(str(tmp_path)) == tmp_path / "cnn.npz"
    assert paths.find(str(tmp_path / "cnn.npz")) == tmp_path / "cnn.npz"
    np.savez(tmp_path / "mlp.npz", W=np.zeros(3))
    with pytest.raises(CheckpointError, match=r"has several checkpoints: .*cnn.npz, .*mlp.npz"):
        paths.find(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "file_type"),
    [
        (b"", "empty"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
            "a pointer of Git LFS",
        ),
        (b"\n<!DOCTYPE html><html>", "a web page"),
        (archive(archive__data_pkl=b"x"), "a PyTorch checkpoint"),
        (archive(archive__data_pkl=b"x" * 99)[:60], "a truncated zip archive"),
        (archive(model=b"x"), "a zip archive\nhint: extract it"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file"),
        *[(pickle.dumps({"W": [1.0]}, protocol), "a Python pickle") for protocol in range(5)],
        (gzip.compress(b"x"), "a gzip archive"),
        (tar(), "a tar archive"),
        (b"\x1c\0\0\0TFL3" + bytes(99), "a TensorFlow Lite model"),
        (b"\x08\x07\x12\x07pytorch\x1a\x031.9:" + bytes(9), "an ONNX model"),
        (b"\x08\x01\x12\xff\x01\n", "a SavedModel"),
        (b'node {\n  name: "x"\n}', "a graph in text format"),
        (b'{"W": 1}', "a text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "a file of unknown type"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # gzip writes the time
)
def test_a_file_of_another_type_is_an_error_that_names_the_type(tmp_path, content, file_type):
    (tmp_path / "model.ckpt").write_bytes(content)
    with pytest.raises(CheckpointError) as raised:
        paths.find(str(tmp_path / "model.ckpt"))
    assert str(raised.value).startswith(
        f"{tmp_path}/model.ckpt is not a checkpoint: it is {file_type}"
    )


@pytest.mark.parametrize(("version", "expected"), [(1, "expected m, found only"), (2, r"m\.index")])
def test_a_graph_file_alone_says_which_files_are_missing(tmp_path, version, expected):
    with tf.Graph().as_default():
        tf.Variable([1.0])
        saver = tf.train.Saver(write_version=version)
        saver.export_meta_graph(str(tmp_path / "m.meta"))
    with pytest.raises(CheckpointError, match=rf"m is incomplete: .*{expected}"):
        paths.find(str(tmp_path))
