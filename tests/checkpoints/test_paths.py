"""Which checkpoint a path means, and the sentence for each kind of file that is none."""

import gzip
import io
import os
import pickle
import tarfile
import zipfile

import numpy as np
import pytest

from deep_mnist.checkpoints import paths
from deep_mnist.checkpoints.file_types import TABLE_END
from deep_mnist.errors import DeepMnistError

TABLE = bytes(100) + TABLE_END  # as a V1 checkpoint and an index end


@pytest.fixture
def old(tmp_path):
    """A folder as others left it: two V2 checkpoints, and a state file with their path."""
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
def test_a_checkpoint_is_found_by_any_of_its_names(old, spelling):
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
def test_a_state_file_counts_where_what_it_names_is_beside_it(old, text, found):
    (old / "checkpoint").write_text(text)
    assert paths.find(str(old / "checkpoint")) == old / found


def test_an_empty_state_file_in_the_working_folder(old, monkeypatch):
    monkeypatch.chdir(old)
    (old / "checkpoint").write_text("")
    assert paths.find("checkpoint").name == "model.ckpt-10"


def test_of_two_names_in_a_folder_the_state_file_knows_which_is_meant(old):
    (old / "best.index").write_bytes(TABLE)
    (old / "checkpoint").write_text('model_checkpoint_path: "C:\\\\runs\\\\best"')
    assert paths.find(str(old)) == old / "best"


def test_of_two_names_in_a_folder_without_one_none_is_preferred(old):
    (old / "best.index").write_bytes(TABLE)
    (old / "checkpoint").unlink()
    with pytest.raises(DeepMnistError, match=r"holds several checkpoints.*: name one of .*/best, "):
        paths.find(str(old))
    assert paths.find(str(old / "best")) == old / "best"


@pytest.mark.parametrize("spelling", ["", "model.ckpt-10", "model.ckpt-10.meta"])
def test_a_checkpoint_in_one_file_is_found(tmp_path, spelling):
    for step in (9, 10):
        (tmp_path / f"model.ckpt-{step}").write_bytes(TABLE)
        (tmp_path / f"model.ckpt-{step}.meta").touch()
    assert paths.find(str(tmp_path / spelling)) == tmp_path / "model.ckpt-10"


def test_a_path_that_is_not_there_is_refused(old):
    with pytest.raises(
        DeepMnistError, match=r"nor model\.ckpt\.index \(beside it: model\.ckpt-10, "
    ):
        paths.find(str(old / "model.ckpt"))


def test_a_folder_of_folders_is_refused_by_what_it_holds(tmp_path):
    (tmp_path / "run1").mkdir()
    os.mkfifo(tmp_path / "run2")  # opened, it would be waited for
    with pytest.raises(
        DeepMnistError, match=r"holds no checkpoint: expected .*, found run1, run2$"
    ):
        paths.find(str(tmp_path))


@pytest.mark.parametrize("spelling", ["", ".index", ".data-00000-of-00001"])
def test_a_checkpoint_without_a_name_is_to_be_named(tmp_path, spelling):
    for name in (".index", ".data-00000-of-00001"):
        (tmp_path / name).write_bytes(TABLE)
    with pytest.raises(
        DeepMnistError, match=r"without a name: put the same name before \.index and"
    ):
        paths.find(str(tmp_path / spelling))


@pytest.mark.parametrize(
    ("left", "message"),
    [
        ((), "holds no checkpoint: .*, found nothing$"),
        (("m.data-00000-of-00001", "m.meta"), r"m\.index is missing beside its data, copy both$"),
        (("m.meta",), r"has only the graph of a checkpoint \(m\.meta\), without its weights"),
        (("saved_model.pb",), "is a SavedModel, a program that is not run here; and it has no"),
        (
            ("saved_model.pb", "variables/variables.index"),
            "its weights are a checkpoint of their own: .*variables/variables$",
        ),
        (("notes.txt", "notes.html"), r"found notes\.html, notes\.txt$"),
        (("notes.txt",), r"found notes\.txt, which is empty"),
    ],
)
def test_a_folder_without_a_whole_checkpoint_is_refused(tmp_path, left, message):
    for name in left:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(DeepMnistError, match=message):
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


def test_arrays_are_found_by_their_file_or_alone_in_a_folder(tmp_path):
    np.savez(tmp_path / "cnn.npz", W=np.zeros(3))
    (tmp_path / "cnn.npz.json").write_text("{}")
    assert paths.find(str(tmp_path)) == tmp_path / "cnn.npz"
    assert paths.find(str(tmp_path / "cnn.npz")) == tmp_path / "cnn.npz"
    np.savez(tmp_path / "mlp.npz", W=np.zeros(3))
    with pytest.raises(
        DeepMnistError, match=r"holds the weights of several: name one of .*cnn.npz"
    ):
        paths.find(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "empty"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
            "the place-holder",
        ),
        (b"\n<!DOCTYPE html><html>", "a web page"),
        (archive(archive__data_pkl=b"x"), "a PyTorch checkpoint"),
        (archive(archive__data_pkl=b"x" * 99)[:60], "a zip archive that is cut short"),
        (archive(model=b"x"), "a zip archive: unpack it"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file"),
        *[(pickle.dumps({"W": [1.0]}, protocol), "a Python pickle") for protocol in range(5)],
        (gzip.compress(b"x"), "a gzip archive"),
        (tar(), "a tar archive"),
        (b"\x1c\0\0\0TFL3" + bytes(99), "a TensorFlow Lite model"),
        (b"\x08\x07\x12\x07pytorch\x1a\x031.9:" + bytes(9), "an ONNX model"),
        (b"\x08\x01\x12\xff\x01\n", "a SavedModel"),
        (b'node {\n  name: "x"\n}', "a graph written as text"),
        (b'{"W": 1}', "a text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "of no kind that holds such weights"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # gzip writes the time
)
def test_each_foreign_kind_has_its_sentence(tmp_path, content, kind):
    (tmp_path / "model.ckpt").write_bytes(content)
    with pytest.raises(DeepMnistError) as raised:
        paths.find(str(tmp_path / "model.ckpt"))
    assert str(raised.value).startswith(f"{tmp_path}/model.ckpt is no checkpoint: it is {kind}")
    assert "\n" not in str(raised.value)
