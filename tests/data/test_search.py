"""Where a dataset is found, in which order, and how files of another dataset are detected."""

import gzip
import hashlib
import struct
import sys

import numpy as np
import pytest

from deep_mnist.data import download, idx, registry, search
from deep_mnist.data.registry import DatasetFiles, IdxFile
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
    """Return a dataset of 30 and 10 examples: file name -> uncompressed IDX file."""
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
    """Return the bytes of a published .gz, other than those of write_dataset."""
    return gzip.compress(payload, compresslevel=1, mtime=1)


def dataset_files(title, files, balanced, known=True, search_paths=()):
    shapes = ((30, 28, 28), (30,), (10, 28, 28), (10,))
    return DatasetFiles(
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
        search_paths,
    )


REAL_DATASETS = registry.DATASETS
MNIST = payloads(0, UNBALANCED)
FASHION = payloads(1, BALANCED)
KMNIST = payloads(2, BALANCED[::-1])


@pytest.fixture(autouse=True)
def empty_machine(tmp_path, monkeypatch):
    """Small datasets under the real names; home, cache and working directory are empty."""
    for name in ("home", "cache", "work"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DEEP_MNIST_OFFLINE", "1")
    monkeypatch.delenv("DEEP_MNIST_DATA_DIR", raising=False)
    monkeypatch.chdir(tmp_path / "work")
    search_paths = {name: real.search_paths for name, real in REAL_DATASETS.items()}
    monkeypatch.setattr(
        registry,
        "DATASETS",
        {
            "mnist": dataset_files("MNIST", MNIST, False, True, search_paths["mnist"]),
            "fashion-mnist": dataset_files(
                "Fashion-MNIST", FASHION, True, True, search_paths["fashion-mnist"]
            ),
            "kmnist": dataset_files("KMNIST", KMNIST, True, False, search_paths["kmnist"]),
        },
    )


def write_dataset(directory, files, suffix=".gz", dotted=False):
    directory.mkdir(parents=True, exist_ok=True)
    for name, payload in files.items():
        file_name = name.replace("-idx", ".idx") if dotted else name
        content = gzip.compress(payload) if suffix == ".gz" else payload
        (directory / f"{file_name}{suffix}").write_bytes(content)
    return directory


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


def refused(name, path):
    with pytest.raises(DatasetError) as caught:
        search.load_arrays(name, str(path))
    assert not isinstance(caught.value, DatasetUnreachableError)
    return str(caught.value)


def snapshot(directory):
    return {path: path.stat().st_mtime_ns for path in directory.rglob("*")}


# Formats ------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("dotted", [False, True])
def test_idx_files_are_read_raw_and_gzip_under_both_names(tmp_path, suffix, dotted):
    directory = write_dataset(tmp_path / "data", MNIST, suffix, dotted)
    arrays = search.load_arrays("mnist", str(directory))
    assert [array.shape for array in arrays[:4]] == [(30, 784), (30,), (10, 784), (10,)]
    assert {array.dtype for array in arrays[:4]} == {np.dtype(np.uint8)}
    assert arrays.train_images.tobytes() == MNIST["train-images-idx3-ubyte"][16:]
    assert arrays.train_labels.tolist() == UNBALANCED
    assert arrays.test_images.tobytes() == MNIST["t10k-images-idx3-ubyte"][16:]
    assert arrays.test_labels.tolist() == UNBALANCED[:10]
    assert arrays.source == str(directory)


def test_an_npz_file_is_read_from_its_directory_or_by_its_own_path(tmp_path):
    path = write_npz(tmp_path / "data" / "mnist.npz", MNIST)
    for named in (path, path.parent):
        arrays = search.load_arrays("mnist", str(named))
        assert arrays.train_images.tobytes() == MNIST["train-images-idx3-ubyte"][16:]
        assert arrays.test_labels.tolist() == UNBALANCED[:10]
        assert arrays.source == str(path)


def test_a_directory_with_the_name_of_a_file_is_ignored(tmp_path):
    directory = write_dataset(tmp_path / "data", MNIST, "", dotted=True)
    (directory / "train-images-idx3-ubyte").mkdir()
    assert search.load_arrays("mnist", str(directory)).source == str(directory)


# Search order -------------------------------------------------------------


def test_the_search_order(tmp_path, monkeypatch):
    home, cache = tmp_path / "home", tmp_path / "cache"
    with pytest.raises(DatasetUnreachableError):
        search.load_arrays("mnist")

    cached = write_dataset(cache / "deep_mnist" / "mnist", MNIST)
    assert search.load_arrays("mnist").source == str(cached)

    keras = write_npz(home / ".keras" / "datasets" / "mnist.npz", MNIST)
    assert search.load_arrays("mnist").source == str(keras)

    write_dataset(tmp_path / "work" / "MNIST_data", MNIST)
    assert search.load_arrays("mnist").source == "MNIST_data"

    named = write_dataset(tmp_path / "named", MNIST)
    monkeypatch.setenv("DEEP_MNIST_DATA_DIR", str(named))
    assert search.load_arrays("mnist").source == str(named)

    argument = write_dataset(tmp_path / "argument", MNIST)
    assert search.load_arrays("mnist", str(argument)).source == str(argument)


def test_fashion_mnist_is_found_in_keras_cache_and_in_the_user_cache(tmp_path):
    cached = write_dataset(tmp_path / "cache" / "deep_mnist" / "fashion-mnist", FASHION)
    assert search.load_arrays("fashion-mnist").source == str(cached)
    keras = write_dataset(tmp_path / "home" / ".keras" / "datasets" / "fashion-mnist", FASHION)
    assert search.load_arrays("fashion-mnist").source == str(keras)


def test_kmnist_is_not_searched_for_where_mnist_is(tmp_path, capsys):
    write_dataset(tmp_path / "work" / "MNIST_data", KMNIST)
    with pytest.raises(DatasetUnreachableError):
        search.load_arrays("kmnist")
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other cache directories")
def test_cache_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    assert search.cache_dir() == tmp_path / "other" / "deep_mnist"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert search.cache_dir() == tmp_path / "home" / ".cache" / "deep_mnist"


def test_a_damaged_file_in_the_search_path_is_ignored_with_a_warning(tmp_path, capsys):
    damaged = write_dataset(tmp_path / "work" / "MNIST_data", MNIST) / "t10k-labels-idx1-ubyte.gz"
    damaged.write_bytes(b"<html>")
    before = snapshot(tmp_path / "work")
    cached = write_dataset(tmp_path / "cache" / "deep_mnist" / "mnist", MNIST)
    assert search.load_arrays("mnist").source == str(cached)
    assert capsys.readouterr().err == (
        "warning: ignored MNIST_data/t10k-labels-idx1-ubyte.gz: expected an IDX file, "
        "found a web page\n"
    )
    assert snapshot(tmp_path / "work") == before


def test_an_incomplete_dataset_in_the_search_path_is_ignored_with_a_warning(tmp_path, capsys):
    directory = write_dataset(tmp_path / "work" / "MNIST_data", MNIST)
    (directory / "train-images-idx3-ubyte.gz").unlink()
    cached = write_dataset(tmp_path / "cache" / "deep_mnist" / "mnist", MNIST)
    assert search.load_arrays("mnist").source == str(cached)
    assert capsys.readouterr().err == (
        "warning: ignored MNIST_data: missing train-images-idx3-ubyte (raw or .gz) of MNIST\n"
    )


def test_a_damaged_file_in_the_cache_is_replaced_by_an_intact_one_of_another_name(tmp_path, capsys):
    cached = write_dataset(tmp_path / "cache" / "deep_mnist" / "mnist", MNIST)
    (cached / "train-labels-idx1-ubyte").write_bytes(b"")
    assert search.load_arrays("mnist").train_labels.tolist() == UNBALANCED
    assert (cached / "train-labels-idx1-ubyte.damaged").exists()
    assert not (cached / "train-labels-idx1-ubyte").exists()
    assert capsys.readouterr().err.count("\n") == 1


# A directory that was named -----------------------------------------------


@pytest.fixture
def dataset_in_every_other_directory(tmp_path, monkeypatch):
    write_dataset(tmp_path / "work" / "MNIST_data", MNIST)
    write_dataset(tmp_path / "cache" / "deep_mnist" / "mnist", MNIST)
    monkeypatch.setattr(download, "download", None)


@pytest.mark.usefixtures("dataset_in_every_other_directory")
def test_a_named_directory_that_is_missing_is_an_error(tmp_path, monkeypatch):
    path = tmp_path / "nowhere"
    assert refused("mnist", path) == (
        f"{path}: expected train-images-idx3-ubyte, train-labels-idx1-ubyte, "
        "t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (raw or .gz) or mnist.npz, found no such "
        "directory\nhint: name the directory of the files, or omit --data-dir to use "
        "another copy"
    )
    monkeypatch.setenv("DEEP_MNIST_DATA_DIR", str(path))
    with pytest.raises(DatasetError, match="or unset DEEP_MNIST_DATA_DIR to use another copy"):
        search.load_arrays("mnist")
    assert not path.exists()


@pytest.mark.usefixtures("dataset_in_every_other_directory")
def test_missing_files_in_a_named_directory_are_an_error(tmp_path):
    path = tmp_path / "named"
    path.mkdir()
    assert "found none of them" in refused("mnist", path)
    write_dataset(path, MNIST)
    (path / "t10k-images-idx3-ubyte.gz").unlink()
    (path / "t10k-labels-idx1-ubyte.gz").unlink()
    assert refused("mnist", path) == (
        f"{path}: missing t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (raw or .gz) of MNIST\n"
        "hint: replace the file, or omit --data-dir to use another copy"
    )


@pytest.mark.usefixtures("dataset_in_every_other_directory")
@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_file_in_a_named_directory_is_an_error(tmp_path, name):
    directory = write_dataset(tmp_path / "named", MNIST)
    path = directory / f"{name}.gz"
    path.write_bytes(path.read_bytes()[:-9])
    before = snapshot(tmp_path)
    assert refused("mnist", directory).startswith(f"{path}: truncated")
    assert snapshot(tmp_path) == before


def test_another_file_than_an_npz_is_an_error(tmp_path):
    directory = write_dataset(tmp_path / "data", MNIST)
    path = directory / "train-images-idx3-ubyte.gz"
    assert refused("mnist", path).startswith(f"{path}: expected a directory or an .npz file")


def test_an_unknown_dataset_is_an_error():
    with pytest.raises(
        DatasetError, match="expected one of mnist, fashion-mnist, kmnist, found 'emnist'"
    ):
        search.load_arrays("emnist")


# Altered files, and files of another dataset ------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("position", [16, -1])
def test_one_changed_byte_is_an_error(tmp_path, name, position):
    payload = bytearray(MNIST[name])
    payload[position] ^= 1
    path = write_dataset(tmp_path / "data", MNIST | {name: bytes(payload)})
    assert f"expected {name} of MNIST with SHA-256" in refused("mnist", path)


def test_one_changed_byte_in_an_npz_file_is_an_error(tmp_path):
    payload = bytearray(MNIST["t10k-images-idx3-ubyte"])
    payload[100] ^= 1
    path = write_npz(tmp_path / "mnist.npz", MNIST | {"t10k-images-idx3-ubyte": bytes(payload)})
    assert "expected t10k-images-idx3-ubyte of MNIST with SHA-256" in refused("mnist", path)


def test_another_number_of_examples_is_an_error(tmp_path):
    path = write_dataset(tmp_path / "data", MNIST)
    idx.write(path / "train-images-idx3-ubyte.gz", np.zeros((29, 28, 28), np.uint8))
    assert "expected train-images-idx3-ubyte of MNIST, [30, 28, 28], found [29, 28, 28]" in (
        refused("mnist", path)
    )


def test_labels_in_place_of_images_are_an_error(tmp_path):
    path = write_dataset(tmp_path / "data", MNIST)
    idx.write(path / "train-images-idx3-ubyte.gz", np.zeros(30, np.uint8))
    assert "expected images (magic number 2051), found labels (magic number 2049)" in refused(
        "mnist", path
    )


@pytest.mark.parametrize(
    ("requested", "title", "found", "found_title"),
    [
        ("mnist", "MNIST", FASHION, "Fashion-MNIST"),
        ("fashion-mnist", "Fashion-MNIST", MNIST, "MNIST"),
        ("kmnist", "KMNIST", MNIST, "MNIST"),
        ("kmnist", "KMNIST", FASHION, "Fashion-MNIST"),
    ],
)
@pytest.mark.parametrize("form", ["raw", "gz", "npz"])
def test_another_dataset_is_named_by_its_checksums(
    tmp_path, requested, title, found, found_title, form
):
    if form == "npz":
        path = write_npz(tmp_path / "data" / "mnist.npz", found)
    else:
        path = write_dataset(tmp_path / "data", found, ".gz" if form == "gz" else "")
    assert f"expected {title}, found {found_title}\n" in refused(requested, path)


@pytest.mark.parametrize("requested", ["mnist", "fashion-mnist"])
def test_published_kmnist_is_named_by_the_checksum_of_its_gz(tmp_path, requested):
    for name, payload in KMNIST.items():
        (tmp_path / f"{name}.gz").write_bytes(published(payload))
    assert ", found KMNIST\n" in refused(requested, tmp_path)


def test_other_kmnist_is_detected_by_its_class_counts(tmp_path):
    path = write_dataset(tmp_path / "data", KMNIST, "")
    assert (
        "expected MNIST, found equally frequent classes, as in Fashion-MNIST and KMNIST"
    ) in refused("mnist", path)


def test_kmnist_is_verified_by_its_gz_or_by_its_class_counts(tmp_path):
    for name, payload in KMNIST.items():
        (tmp_path / f"{name}.gz").write_bytes(published(payload))
    assert search.load_arrays("kmnist", str(tmp_path)).train_labels.tolist() == BALANCED[::-1]
    raw = write_dataset(tmp_path / "raw", KMNIST, "")
    assert search.load_arrays("kmnist", str(raw)).train_labels.tolist() == BALANCED[::-1]
    write_dataset(raw, payloads(3, UNBALANCED[::-1]), "")
    assert "with equally frequent classes" in refused("kmnist", raw)


@pytest.mark.parametrize(
    ("url", "name"),
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
@pytest.mark.usefixtures("real_registry")
def test_a_dataset_is_found_by_current_and_former_urls(url, name):
    assert registry.name_by_url(url) == name


# MNIST itself -------------------------------------------------------------


@pytest.fixture
def real_registry(monkeypatch):
    """Restore the real datasets."""
    monkeypatch.setattr(registry, "DATASETS", REAL_DATASETS)


@pytest.mark.mnist
@pytest.mark.usefixtures("real_registry")
def test_mnist_is_read_and_verified(mnist_dir):
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
@pytest.mark.usefixtures("real_registry")
def test_one_changed_pixel_of_mnist_is_an_error(mnist_dir, tmp_path):
    arrays = search.load_arrays("mnist", str(mnist_dir))
    arrays.train_images[30000, 400] ^= 1
    for name, array in zip(NAMES, arrays[:4], strict=True):
        idx.write(tmp_path / name, array.reshape(-1, 28, 28) if array.ndim == 2 else array)
    assert "expected train-images-idx3-ubyte of MNIST with SHA-256" in refused("mnist", tmp_path)
