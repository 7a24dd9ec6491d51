"""Where a set is found, which place wins, and how files that are not the set are told."""

import gzip
import hashlib
import struct

import numpy as np
import pytest

from deep_mnist.data import download, idx, registry, search
from deep_mnist.data.registry import DataSet, IdxFile
from deep_mnist.errors import DatasetError, DatasetUnreachableError

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
BALANCED = [*range(10), *range(10), *range(10)]
UNBALANCED = [1, *range(9), *range(10), *range(10)]


def payloads(seed, labels):
    """A set of 30 and 10 examples: file name -> uncompressed IDX file."""
    pixels = np.random.default_rng(seed).bytes(40 * 784)
    contents = (pixels[: 30 * 784], bytes(labels), pixels[30 * 784 :], bytes(labels[:10]))
    starts = (
        struct.pack(">4I", 2051, 30, 28, 28),
        struct.pack(">2I", 2049, 30),
        struct.pack(">4I", 2051, 10, 28, 28),
        struct.pack(">2I", 2049, 10),
    )
    return {
        name: start + content for name, start, content in zip(NAMES, starts, contents, strict=True)
    }


def published(payload):
    """The bytes of a published .gz, which write_set's own compression does not give."""
    return gzip.compress(payload, compresslevel=1, mtime=1)


def data_set(title, files, balanced, known=True, usual_places=()):
    shapes = ((30, 28, 28), (30,), (10, 28, 28), (10,))
    return DataSet(
        title,
        tuple(
            IdxFile(
                name,
                shape,
                hashlib.sha256(payload).hexdigest() if known else None,
                hashlib.sha256(published(payload)).hexdigest(),
            )
            for (name, payload), shape in zip(files.items(), shapes, strict=True)
        ),
        balanced,
        (),
        usual_places,
    )


REAL_SETS = registry.SETS
MNIST = payloads(0, UNBALANCED)
FASHION = payloads(1, BALANCED)
KMNIST = payloads(2, BALANCED[::-1])


@pytest.fixture(autouse=True)
def empty_machine(tmp_path, monkeypatch):
    """Tiny sets under the real names; home, cache and working directory are empty."""
    for name in ("home", "cache", "work"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DEEP_MNIST_OFFLINE", "1")
    monkeypatch.delenv("DEEP_MNIST_DATA_DIR", raising=False)
    monkeypatch.chdir(tmp_path / "work")
    places = {name: real.usual_places for name, real in REAL_SETS.items()}
    monkeypatch.setattr(
        registry,
        "SETS",
        {
            "mnist": data_set("MNIST", MNIST, False, True, places["mnist"]),
            "fashion-mnist": data_set(
                "Fashion-MNIST", FASHION, True, True, places["fashion-mnist"]
            ),
            "kmnist": data_set("KMNIST", KMNIST, True, False, places["kmnist"]),
        },
    )


def write_set(folder, files, suffix=".gz", dotted=False):
    folder.mkdir(parents=True, exist_ok=True)
    for name, payload in files.items():
        spelled = name.replace("-idx", ".idx") if dotted else name
        content = gzip.compress(payload) if suffix == ".gz" else payload
        (folder / f"{spelled}{suffix}").write_bytes(content)
    return folder


def write_npz(path, files):
    path.parent.mkdir(parents=True, exist_ok=True)
    train_images, train_labels, test_images, test_labels = files.values()
    np.savez_compressed(
        path,
        x_train=np.frombuffer(train_images, np.uint8, offset=16).reshape(-1, 28, 28),
        y_train=np.frombuffer(train_labels, np.uint8, offset=8),
        x_test=np.frombuffer(test_images, np.uint8, offset=16).reshape(-1, 28, 28),
        y_test=np.frombuffer(test_labels, np.uint8, offset=8),
    )
    return path


def refused(name, place):
    with pytest.raises(DatasetError) as caught:
        search.load_arrays(name, str(place))
    assert not isinstance(caught.value, DatasetUnreachableError)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def snapshot(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


# What is read -------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("dotted", [False, True])
def test_idx_files_raw_and_gzip_in_both_spellings(tmp_path, suffix, dotted):
    folder = write_set(tmp_path / "data", MNIST, suffix, dotted)
    arrays = search.load_arrays("mnist", str(folder))
    assert [array.shape for array in arrays[:4]] == [(30, 784), (30,), (10, 784), (10,)]
    assert {array.dtype for array in arrays[:4]} == {np.dtype(np.uint8)}
    assert arrays.train_images.tobytes() == MNIST["train-images-idx3-ubyte"][16:]
    assert arrays.train_labels.tolist() == UNBALANCED
    assert arrays.test_images.tobytes() == MNIST["t10k-images-idx3-ubyte"][16:]
    assert arrays.test_labels.tolist() == UNBALANCED[:10]
    assert arrays.source == str(folder)


def test_npz_in_a_folder_and_named_itself(tmp_path):
    path = write_npz(tmp_path / "data" / "mnist.npz", MNIST)
    for place in (path, path.parent):
        arrays = search.load_arrays("mnist", str(place))
        assert arrays.train_images.tobytes() == MNIST["train-images-idx3-ubyte"][16:]
        assert arrays.test_labels.tolist() == UNBALANCED[:10]
        assert arrays.source == str(path)


def test_a_folder_under_a_files_name_is_passed_over(tmp_path):
    folder = write_set(tmp_path / "data", MNIST, "", dotted=True)
    (folder / "train-images-idx3-ubyte").mkdir()
    assert search.load_arrays("mnist", str(folder)).source == str(folder)


# Which place wins ---------------------------------------------------------


def test_each_place_wins_over_the_next(tmp_path, monkeypatch):
    home, cache = tmp_path / "home", tmp_path / "cache"
    with pytest.raises(DatasetUnreachableError):
        search.load_arrays("mnist")

    cached = write_set(cache / "deep_mnist" / "mnist", MNIST)
    assert search.load_arrays("mnist").source == str(cached)

    keras = write_npz(home / ".keras" / "datasets" / "mnist.npz", MNIST)
    assert search.load_arrays("mnist").source == str(keras)

    write_set(tmp_path / "work" / "MNIST_data", MNIST)
    assert search.load_arrays("mnist").source == "MNIST_data"

    named = write_set(tmp_path / "named", MNIST)
    monkeypatch.setenv("DEEP_MNIST_DATA_DIR", str(named))
    assert search.load_arrays("mnist").source == str(named)

    argument = write_set(tmp_path / "argument", MNIST)
    assert search.load_arrays("mnist", str(argument)).source == str(argument)


def test_fashion_mnist_is_found_where_keras_keeps_it_and_in_a_cache_of_its_own(tmp_path):
    cached = write_set(tmp_path / "cache" / "deep_mnist" / "fashion-mnist", FASHION)
    assert search.load_arrays("fashion-mnist").source == str(cached)
    keras = write_set(tmp_path / "home" / ".keras" / "datasets" / "fashion-mnist", FASHION)
    assert search.load_arrays("fashion-mnist").source == str(keras)


def test_the_places_of_mnist_do_not_count_for_kmnist(tmp_path, capsys):
    write_set(tmp_path / "work" / "MNIST_data", KMNIST)
    with pytest.raises(DatasetUnreachableError):
        search.load_arrays("kmnist")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("platform", "variable", "expected"),
    [
        ("linux", None, "home/.cache/deep_mnist"),
        ("linux", "XDG_CACHE_HOME", "elsewhere/deep_mnist"),
        ("darwin", None, "home/Library/Caches/deep_mnist"),
        ("win32", None, "home/AppData/Local/deep_mnist"),
        ("win32", "LOCALAPPDATA", "elsewhere/deep_mnist"),
    ],
)
def test_cache_dir(tmp_path, monkeypatch, platform, variable, expected):
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.delenv("XDG_CACHE_HOME")
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
    assert search.cache_dir() == tmp_path / expected


def test_a_broken_file_nobody_asked_for_is_told_and_passed_over(tmp_path, capsys):
    broken = write_set(tmp_path / "work" / "MNIST_data", MNIST) / "t10k-labels-idx1-ubyte.gz"
    broken.write_bytes(b"<html>")
    before = snapshot(tmp_path / "work")
    cached = write_set(tmp_path / "cache" / "deep_mnist" / "mnist", MNIST)
    assert search.load_arrays("mnist").source == str(cached)
    assert capsys.readouterr().err == (
        "MNIST_data/t10k-labels-idx1-ubyte.gz: expected an IDX file, found a web page; "
        "looking elsewhere\n"
    )
    assert snapshot(tmp_path / "work") == before


def test_half_a_set_nobody_asked_for_is_told_and_passed_over(tmp_path, capsys):
    folder = write_set(tmp_path / "work" / "MNIST_data", MNIST)
    (folder / "train-images-idx3-ubyte.gz").unlink()
    cached = write_set(tmp_path / "cache" / "deep_mnist" / "mnist", MNIST)
    assert search.load_arrays("mnist").source == str(cached)
    assert capsys.readouterr().err == (
        "MNIST_data: lacks train-images-idx3-ubyte (raw or .gz) of MNIST; looking elsewhere\n"
    )


def test_a_broken_file_in_the_cache_gives_way_to_a_good_spelling(tmp_path, capsys):
    cached = write_set(tmp_path / "cache" / "deep_mnist" / "mnist", MNIST)
    (cached / "train-labels-idx1-ubyte").write_bytes(b"")
    assert search.load_arrays("mnist").train_labels.tolist() == UNBALANCED
    assert (cached / "train-labels-idx1-ubyte.corrupt").exists()
    assert not (cached / "train-labels-idx1-ubyte").exists()
    assert capsys.readouterr().err.count("\n") == 1


# A place that was asked for -----------------------------------------------


@pytest.fixture
def set_in_every_other_place(tmp_path, monkeypatch):
    write_set(tmp_path / "work" / "MNIST_data", MNIST)
    write_set(tmp_path / "cache" / "deep_mnist" / "mnist", MNIST)
    monkeypatch.setattr(download, "download", None)


@pytest.mark.usefixtures("set_in_every_other_place")
def test_a_missing_folder_that_was_asked_for(tmp_path, monkeypatch):
    place = tmp_path / "nowhere"
    assert refused("mnist", place) == (
        f"{place}: expected train-images-idx3-ubyte, train-labels-idx1-ubyte, "
        "t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (raw or .gz) or mnist.npz, found no such "
        "folder; correct --data-dir, or leave it out to use another copy"
    )
    monkeypatch.setenv("DEEP_MNIST_DATA_DIR", str(place))
    with pytest.raises(DatasetError, match="correct DEEP_MNIST_DATA_DIR, or leave it out"):
        search.load_arrays("mnist")
    assert not place.exists()


@pytest.mark.usefixtures("set_in_every_other_place")
def test_missing_files_in_a_folder_that_was_asked_for(tmp_path):
    place = tmp_path / "asked"
    place.mkdir()
    assert "found none of them" in refused("mnist", place)
    write_set(place, MNIST)
    (place / "t10k-images-idx3-ubyte.gz").unlink()
    (place / "t10k-labels-idx1-ubyte.gz").unlink()
    assert refused("mnist", place) == (
        f"{place}: lacks t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (raw or .gz) of MNIST; "
        "put the right file there, or leave out --data-dir to use another copy"
    )


@pytest.mark.usefixtures("set_in_every_other_place")
@pytest.mark.parametrize("name", NAMES)
def test_a_broken_file_in_a_folder_that_was_asked_for(tmp_path, name):
    place = write_set(tmp_path / "asked", MNIST)
    path = place / f"{name}.gz"
    path.write_bytes(path.read_bytes()[:-9])
    before = snapshot(tmp_path)
    assert refused("mnist", place).startswith(f"{path}: truncated")
    assert snapshot(tmp_path) == before


def test_a_file_that_is_no_npz(tmp_path):
    folder = write_set(tmp_path / "data", MNIST)
    path = folder / "train-images-idx3-ubyte.gz"
    assert refused("mnist", path).startswith(
        f"{path}: expected a folder or an .npz file, found a file"
    )


def test_an_unknown_set():
    with pytest.raises(DatasetError, match="expected a data set of mnist, fashion-mnist, kmnist"):
        search.load_arrays("emnist")


# Files of another set, or changed -----------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("position", [16, -1])
def test_one_changed_byte_is_refused(tmp_path, name, position):
    payload = bytearray(MNIST[name])
    payload[position] ^= 1
    place = write_set(tmp_path / "data", MNIST | {name: bytes(payload)})
    assert f"is not {name} of MNIST, expected SHA-256" in refused("mnist", place)


def test_one_changed_byte_in_an_npz_is_refused(tmp_path):
    payload = bytearray(MNIST["t10k-images-idx3-ubyte"])
    payload[100] ^= 1
    place = write_npz(tmp_path / "mnist.npz", MNIST | {"t10k-images-idx3-ubyte": bytes(payload)})
    assert "is not t10k-images-idx3-ubyte of MNIST" in refused("mnist", place)


def test_another_number_of_examples_is_refused(tmp_path):
    place = write_set(tmp_path / "data", MNIST)
    idx.write(place / "train-images-idx3-ubyte.gz", np.zeros((29, 28, 28), np.uint8))
    assert "expected train-images-idx3-ubyte of MNIST, [30, 28, 28], found [29, 28, 28]" in (
        refused("mnist", place)
    )


def test_labels_under_the_name_of_images(tmp_path):
    place = write_set(tmp_path / "data", MNIST)
    idx.write(place / "train-images-idx3-ubyte.gz", np.zeros(30, np.uint8))
    assert "expected images (magic number 2051), found labels (magic number 2049)" in refused(
        "mnist", place
    )


@pytest.mark.parametrize(
    ("asked", "title", "found", "found_title"),
    [
        ("mnist", "MNIST", FASHION, "Fashion-MNIST"),
        ("fashion-mnist", "Fashion-MNIST", MNIST, "MNIST"),
        ("kmnist", "KMNIST", MNIST, "MNIST"),
        ("kmnist", "KMNIST", FASHION, "Fashion-MNIST"),
    ],
)
@pytest.mark.parametrize("form", ["raw", "gz", "npz"])
def test_files_of_another_set_are_told_by_their_digests(
    tmp_path, asked, title, found, found_title, form
):
    if form == "npz":
        place = write_npz(tmp_path / "data" / "mnist.npz", found)
    else:
        place = write_set(tmp_path / "data", found, ".gz" if form == "gz" else "")
    assert f"expected {title}, but these are {found_title} files" in refused(asked, place)


@pytest.mark.parametrize("asked", ["mnist", "fashion-mnist"])
def test_published_kmnist_is_told_by_the_digest_of_its_gz(tmp_path, asked):
    for name, payload in KMNIST.items():
        (tmp_path / f"{name}.gz").write_bytes(published(payload))
    assert "but these are KMNIST files" in refused(asked, tmp_path)


def test_other_kmnist_is_told_by_its_class_counts(tmp_path):
    place = write_set(tmp_path / "data", KMNIST, "")
    assert (
        "expected MNIST, but these look like Fashion-MNIST or KMNIST files, every class is "
        "equally frequent"
    ) in refused("mnist", place)


def test_kmnist_is_verified_by_its_gz_or_by_its_class_counts(tmp_path):
    for name, payload in KMNIST.items():
        (tmp_path / f"{name}.gz").write_bytes(published(payload))
    assert search.load_arrays("kmnist", str(tmp_path)).train_labels.tolist() == BALANCED[::-1]
    raw = write_set(tmp_path / "raw", KMNIST, "")
    assert search.load_arrays("kmnist", str(raw)).train_labels.tolist() == BALANCED[::-1]
    write_set(raw, payloads(3, UNBALANCED[::-1]), "")
    assert "expected every class equally often" in refused("kmnist", raw)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://storage.googleapis.com/cvdf-datasets/mnist/", "mnist"),
        ("http://yann.lecun.com/exdb/mnist", "mnist"),
        ("https://yann.lecun.com/exdb/mnist/", "mnist"),
        ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/", "fashion-mnist"),
        ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/", "kmnist"),
        ("http://127.0.0.1/mnist/", None),
        ("", None),
    ],
)
@pytest.mark.usefixtures("real_catalogue")
def test_addresses_that_serve_or_served_a_set(address, name):
    assert registry.served_at(address) == name


# The real files -----------------------------------------------------------


@pytest.fixture
def real_catalogue(monkeypatch):
    """The tiny sets are away again."""
    monkeypatch.setattr(registry, "SETS", REAL_SETS)


@pytest.mark.mnist
@pytest.mark.usefixtures("real_catalogue")
def test_the_real_files(mnist_dir):
    arrays = search.load_arrays("mnist", str(mnist_dir))
    assert arrays.train_images.shape == (60000, 784)
    assert arrays.test_images.shape == (10000, 784)
    assert np.bincount(arrays.train_labels).tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949
    ]  # fmt: skip
    assert np.bincount(arrays.test_labels).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009
    ]  # fmt: skip


@pytest.mark.mnist
@pytest.mark.usefixtures("real_catalogue")
def test_one_changed_pixel_of_the_real_files_is_refused(mnist_dir, tmp_path):
    arrays = search.load_arrays("mnist", str(mnist_dir))
    arrays.train_images[30000, 400] ^= 1
    for name, array in zip(NAMES, arrays[:4], strict=True):
        idx.write(tmp_path / name, array.reshape(-1, 28, 28) if array.ndim == 2 else array)
    assert "is not train-images-idx3-ubyte of MNIST" in refused("mnist", tmp_path)
