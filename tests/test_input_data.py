"""The API of the original module: the results of TensorFlow 1.15.5 on a small dataset."""

import copy
import gzip
import hashlib
import io
import pickle
import struct
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from deep_mnist import input_data
from deep_mnist.data import idx, registry
from deep_mnist.errors import DatasetError, DatasetUnreachableError

TRAIN_IMAGES = "train-images-idx3-ubyte.gz"
TRAIN_LABELS = "train-labels-idx1-ubyte.gz"
TEST_IMAGES = "t10k-images-idx3-ubyte.gz"
TEST_LABELS = "t10k-labels-idx1-ubyte.gz"


def constant_images(values):
    """Return an image for each value, all of its pixels equal."""
    return np.repeat(np.array(values, np.uint8), 784).reshape(-1, 28, 28)


def write_dataset(directory, suffix=".gz"):
    """Write 23 training images, of value i, and 7 test images, of 100 + i; label i % 10."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, array in {
        TRAIN_IMAGES: constant_images(range(23)),
        TRAIN_LABELS: np.arange(23, dtype=np.uint8) % 10,
        TEST_IMAGES: constant_images(range(100, 107)),
        TEST_LABELS: np.arange(7, dtype=np.uint8),
    }.items():
        idx.write(directory / f"{name.removesuffix('.gz')}{suffix}", array)
    return directory


@pytest.fixture
def directory(tmp_path):
    return write_dataset(tmp_path / "small")


@pytest.fixture
def train(directory):
    return read(directory).train


def read(directory, **options):
    return input_data.read_data_sets(str(directory), **{"validation_size": 5, "seed": 7, **options})


def values(images):
    """Return the pixel value of each image."""
    scale = 255 if images.dtype == np.float32 else 1
    return [round(float(image.flat[0]) * scale) for image in images]


def steps(data_set, *sizes, **options):
    """Yield the values of each batch, and the epoch and position after it."""
    for size in sizes:
        images, labels = data_set.next_batch(size, **options)
        assert [value % 10 for value in values(images)] == labels.tolist()
        yield values(images), data_set.epochs_completed, data_set._index_in_epoch


# Reading ------------------------------------------------------------------


def test_the_three_datasets_and_their_order(directory, capsys):
    mnist = read(directory)
    assert mnist._fields == ("train", "validation", "test")
    assert values(mnist.train.images) == [*range(5, 23)]
    assert mnist.train.labels.tolist() == [5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2]
    assert values(mnist.validation.images) == [0, 1, 2, 3, 4]
    assert values(mnist.test.images) == [100, 101, 102, 103, 104, 105, 106]
    assert [data_set.num_examples for data_set in mnist] == [18, 5, 7]
    names = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)
    assert capsys.readouterr().out == "".join(f"Extracting {directory}/{name}\n" for name in names)


@pytest.mark.parametrize(
    ("options", "images", "labels"),
    [
        ({}, ((7, 784), "float32", True), ((7,), "uint8", False)),
        ({"reshape": False}, ((7, 28, 28, 1), "float32", True), ((7,), "uint8", False)),
        ({"dtype": "uint8"}, ((7, 784), "uint8", False), ((7,), "uint8", False)),
        ({"one_hot": True}, ((7, 784), "float32", True), ((7, 10), "float64", True)),
    ],
)
def test_shapes_dtypes_and_which_arrays_are_writable(directory, options, images, labels):
    test = read(directory, **options).test
    for array, expected in ((test.images, images), (test.labels, labels)):
        assert (array.shape, array.dtype.name, array.flags.writeable) == expected


def test_one_hot_labels(directory):
    assert read(directory, one_hot=True).validation.labels.tolist() == np.eye(10)[:5].tolist()
    assert input_data.dense_to_one_hot(np.array([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    with pytest.raises(IndexError):
        input_data.dense_to_one_hot(np.array([11, 0]), 10)


def test_all_256_pixel_values_as_float32():
    grays = np.arange(256, dtype=np.uint8)
    images = input_data.DataSet(grays, grays, reshape=False).images
    assert hashlib.sha256(images.tobytes()).hexdigest() == (
        "d5f525a13a07c1d604032ed460ac58ad9e012b8bec74236bd5f4f46142995b87"
    )


@pytest.mark.parametrize(("size", "shapes"), [(0, (23, 0)), (23, (0, 23))])
def test_training_or_validation_may_be_empty(directory, size, shapes):
    mnist = read(directory, validation_size=size)
    assert mnist.train.images.shape == (shapes[0], 784)
    assert mnist.validation.images.shape == (shapes[1], 784)


def test_signatures_of_every_release(directory):
    r05 = input_data.read_data_sets(directory, True, True)
    assert r05.train.one_hot
    r115 = input_data.read_data_sets(
        directory, False, True, np.uint8, False, 3, 7, input_data.DEFAULT_SOURCE_URL
    )
    assert r115.validation.images.shape == (3, 28, 28, 1)
    assert input_data.SOURCE_URL == "https://storage.googleapis.com/cvdf-datasets/mnist/"
    images, labels = constant_images(range(3))[..., None], np.arange(3)
    assert input_data.DataSet(images, labels, False, True, "uint8", False, 7).num_examples == 3
    assert input_data.base.Datasets._fields == ("train", "validation", "test")
    assert input_data.base.Dataset(data=1, target=2) == (1, 2)
    assert input_data.base.maybe_download(TEST_LABELS, directory) == f"{directory}/{TEST_LABELS}"


class DType:
    """A TensorFlow dtype, as far as it is used."""

    def __init__(self, name):
        self.name = name


@pytest.mark.parametrize("dtype", ["uint8", np.uint8, np.dtype("uint8"), DType("uint8")])
def test_uint8_leaves_pixel_values(directory, dtype):
    assert read(directory, dtype=dtype).test.images.dtype == np.uint8


@pytest.mark.parametrize("dtype", ["float32", "float", float, np.float32, DType("float32")])
def test_float32_scales_pixel_values(directory, dtype):
    assert read(directory, dtype=dtype).test.images.dtype == np.float32


@pytest.mark.parametrize("dtype", ["float64", np.float64, np.dtype("float64"), DType("float64")])
def test_other_dtypes_are_an_error(directory, dtype):
    with pytest.raises(TypeError) as caught:
        read(directory, dtype=dtype)
    assert str(caught.value) == "Invalid image dtype tf.float64, expected uint8 or float32"


# Batches ------------------------------------------------------------------

FIRST = [19, 17, 21, 13, 10, 7, 6, 5, 15, 22, 16, 12, 18, 8, 11, 14, 9, 20]
SECOND = [21, 10, 17, 22, 8, 15, 14, 11, 7, 13, 6, 16, 20, 12, 19, 18, 5, 9]


def test_batches_of_tensorflow_1_15_5_for_a_seed(train):
    assert [*steps(train, 5, 5, 5, 5, 5)] == [
        (FIRST[:5], 0, 5),
        (FIRST[5:10], 0, 10),
        (FIRST[10:15], 0, 15),
        (FIRST[15:] + SECOND[:2], 1, 2),
        (SECOND[2:7], 1, 7),
    ]
    assert values(train.images) == SECOND


def test_an_epoch_ends_with_the_first_batch_after_it(train):
    assert [*steps(train, 6, 12, 18)] == [
        (FIRST[:6], 0, 6),
        (FIRST[6:], 0, 18),
        (SECOND, 1, 18),
    ]


def test_without_shuffling_the_order_of_the_file_is_kept(train):
    assert [*steps(train, 15, 5, shuffle=False)] == [
        ([*range(5, 20)], 0, 15),
        ([20, 21, 22, 5, 6], 1, 2),
    ]


def test_shuffling_takes_place_at_the_start_of_an_epoch(train):
    assert [*steps(train, 4, shuffle=False)] == [([5, 6, 7, 8], 0, 4)]
    assert [*steps(train, 12)] == [([*range(9, 21)], 0, 16)]
    assert [*steps(train, 4)] == [([21, 22, 19, 17], 1, 2)]
    assert [*steps(train, 4, 0, 1, shuffle=False)] == [
        (FIRST[2:6], 1, 6),
        ([], 1, 6),
        ([6], 1, 7),
    ]


def test_an_empty_batch_first_shuffles_twice(train):
    assert [*steps(train, 0, 18)] == [([], 0, 0), (SECOND, 0, 18)]


def test_oversized_batches(train):
    first, again, after = steps(train, 25, 40, 5)
    assert (len(first[0]), *first[1:]) == (25, 1, 7)
    assert (len(again[0]), *again[1:]) == (29, 2, 29)
    assert (len(after[0]), *after[1:]) == (16, 3, 16)


def test_a_batch_of_more_than_two_epochs_is_smaller(train):
    (batch, epochs, position), (wrong, *_) = steps(train, 40, 14)
    assert (len(batch), epochs, position) == (36, 1, 22)
    assert len(wrong) == 18


def test_a_negative_batch_size_moves_back(train):
    ((batch, *_),) = steps(train, 6)
    assert [*steps(train, -6)] == [([], 0, 0)]
    train._epochs_completed = 1  # so that it is not shuffled again
    assert [*steps(train, 6)] == [(batch, 1, 6)]


def test_batches_are_views_within_an_epoch_and_copies_across(train):
    images, labels = train.next_batch(17)
    assert images.base is train.images
    assert labels.base is train.labels
    images, _ = train.next_batch(2)
    assert not np.shares_memory(images, train.images)


def test_earlier_views_keep_their_order(train):
    before = train.images
    train.next_batch(1)
    assert values(before) == [*range(5, 23)]
    assert values(train.images) == FIRST


def test_the_three_datasets_share_one_random_generator(directory):
    mnist = read(directory)
    random = np.random.RandomState(7)
    for data_set, ids in ((mnist.test, range(100, 107)), (mnist.train, range(5, 23))):
        order = np.arange(len(ids))
        random.shuffle(order)
        assert values(data_set.next_batch(len(ids))[0]) == [ids[i] for i in order]


def test_private_attributes_can_be_assigned(train):
    train._images, train._labels = train._images[:8], train._labels[:8]
    train._num_examples = 8
    train._index_in_epoch, train._epochs_completed = 6, 3
    images, _ = train.next_batch(4, shuffle=False)
    assert values(images) == [11, 12, 5, 6]
    assert (train.num_examples, train.epochs_completed) == (8, 4)
    for name in ("images", "labels", "num_examples", "epochs_completed"):
        with pytest.raises(AttributeError):
            setattr(train, name, 0)


def test_copies_are_independent(directory):
    mnist = read(directory)
    for copied in (copy.deepcopy(mnist), pickle.loads(pickle.dumps(mnist))):
        assert values(copied.train.next_batch(18)[0]) == FIRST
    assert values(mnist.train.next_batch(18)[0]) == FIRST


# Seeds --------------------------------------------------------------------


def unchanged(state):
    return all(map(np.array_equal, state, np.random.get_state()))


def test_with_a_seed_the_global_generator_is_neither_used_nor_seeded(directory):
    state = np.random.get_state()
    [*steps(read(directory, seed=7).train, 10, 10)]
    assert unchanged(state)


def test_without_a_seed_reading_does_not_seed_the_global_generator(directory):
    state = np.random.get_state()
    read(directory, seed=None)
    assert unchanged(state)


@pytest.mark.parametrize("seed_first", [True, False])
def test_without_a_seed_batches_depend_on_the_global_seed(directory, seed_first):
    if seed_first:
        np.random.seed(7)
    train = read(directory, seed=None).train
    if not seed_first:
        np.random.seed(7)
    assert [*steps(train, 5)] == [(FIRST[:5], 0, 5)]


def test_the_graph_level_seed_is_used_without_another(directory):
    tf = pytest.importorskip("tensorflow").compat.v1
    with tf.Graph().as_default():
        tf.set_random_seed(7)
        seeded = read(directory, seed=None, dtype=tf.float32).train
    assert [*steps(seeded, 18)] == [(FIRST, 0, 18)]


def test_seeds_are_used_as_in_tensorflow(directory):
    assert [*steps(read(directory, seed=7 + 2**31 - 1).train, 18)] == [(FIRST, 0, 18)]
    read(directory, seed=-1).train.next_batch(1)


# Arrays of the user -------------------------------------------------------


def test_rows_of_pixels_need_reshape_false():
    own = np.full((18, 784), 255.0)
    data_set = input_data.DataSet(own, np.eye(18), reshape=False)
    assert data_set.images.dtype == np.float32
    assert data_set.images.max() == 1
    with pytest.raises(IndexError, match="reshape=False"):
        input_data.DataSet(own, np.eye(18))


def test_depth_and_number_are_checked():
    with pytest.raises(AssertionError, match="depth 1"):
        input_data.DataSet(np.zeros((2, 28, 28, 3)), np.zeros(2))
    with pytest.raises(AssertionError) as caught:
        input_data.DataSet(np.zeros((18, 28, 28, 1)), np.zeros(15))
    assert str(caught.value) == "images.shape: (18, 28, 28, 1) labels.shape: (15,)"


# Fake data ----------------------------------------------------------------


@pytest.mark.parametrize(("one_hot", "label"), [(False, 0), (True, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0])])
def test_fake_data(tmp_path, one_hot, label):
    mnist = input_data.read_data_sets(tmp_path / "none", fake_data=True, one_hot=one_hot)
    assert not (tmp_path / "none").exists()
    for data_set in mnist:
        assert data_set.num_examples == 10_000
        assert (data_set.images, data_set.labels) == ([], [])
        assert data_set.next_batch(2, fake_data=True) == ([[1] * 784, [1] * 784], [label, label])
    with pytest.raises(TypeError):
        mnist.train.next_batch(2)


# Existing files -----------------------------------------------------------


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_directory_with_any_dataset_is_read_raw_or_gzip(tmp_path, suffix):
    directory = write_dataset(tmp_path / "own", suffix)
    assert values(read(directory).validation.images) == [0, 1, 2, 3, 4]


def test_open_files_and_paths_are_extracted(directory, capsys):
    for given in (str(directory / TRAIN_IMAGES), directory / TRAIN_IMAGES):
        images = input_data.extract_images(given)
        assert (images.shape, images.dtype) == ((23, 28, 28, 1), np.uint8)
    with (directory / TRAIN_LABELS).open("rb") as file:
        assert input_data.extract_labels(file).tolist() == [i % 10 for i in range(23)]
        assert not file.closed
    with (directory / TEST_LABELS).open("rb") as file:
        assert input_data.extract_labels(file, True, 7).tolist() == np.eye(7).tolist()
    unnamed = io.BytesIO((directory / TEST_IMAGES).read_bytes())
    assert values(input_data.extract_images(unnamed)) == [*range(100, 107)]
    assert capsys.readouterr().out.splitlines() == [
        f"Extracting {directory / TRAIN_IMAGES}",
        f"Extracting {directory / TRAIN_IMAGES}",
        f"Extracting {directory / TRAIN_LABELS}",
        f"Extracting {directory / TEST_LABELS}",
        "Extracting the file",
    ]


def test_a_wrong_magic_number_is_an_error(directory):
    for name, kind in ((TRAIN_IMAGES, "image"), (TRAIN_LABELS, "label")):
        path = directory / name
        payload = gzip.decompress(path.read_bytes())
        path.write_bytes(gzip.compress(struct.pack(">I", 2052) + payload[4:]))
        with pytest.raises(ValueError, match="Invalid") as caught:
            read(directory)
        assert str(caught.value) == f"Invalid magic number 2052 in MNIST {kind} file: {path}"
        path.write_bytes(gzip.compress(payload))


def test_the_validation_size_is_checked(directory):
    with pytest.raises(ValueError, match="Validation") as caught:
        read(directory, validation_size=24)
    assert str(caught.value) == "Validation size should be between 0 and 23. Received: 24."
    with pytest.raises(ValueError, match="Received: -1"):
        read(directory, validation_size=-1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected an IDX file, found an empty file"),
        (b"<html></html>", "expected an IDX file, found a web page"),
        (gzip.compress(struct.pack(">2I", 2049, 7) + bytes(6)), "truncated, expected 7 bytes"),
    ],
    ids=["empty", "page", "short"],  # gzip data has a time, and test names must not
)
def test_a_damaged_file_is_an_error(directory, content, message):
    (directory / TEST_LABELS).write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        read(directory)
    assert str(caught.value).startswith(f"{directory / TEST_LABELS}: {message}")
    assert caught.value.hint == "replace the file, or remove it to use another copy"


# Missing files ------------------------------------------------------------


@pytest.fixture
def small_mnist(tmp_path, monkeypatch):
    """Register the small dataset as MNIST, in the directory that DEEP_MNIST_DATA_DIR names."""
    other = write_dataset(tmp_path / "other", suffix="")
    mnist = registry.DATASETS["mnist"]
    known = []
    for file in mnist.files:
        array = idx.read(other / file.name)
        known.append(registry.IdxFile(file.name, array.shape, idx.payload_sha256(array), ""))
    monkeypatch.setitem(registry.DATASETS, "mnist", mnist._replace(files=tuple(known)))
    monkeypatch.setenv("DEEP_MNIST_DATA_DIR", str(other))
    return other


@pytest.mark.parametrize(
    "source_url",
    ["", input_data.DEFAULT_SOURCE_URL, "http://yann.lecun.com/exdb/mnist/"],
)
def test_mnist_is_found_in_another_directory(small_mnist, tmp_path, capsys, source_url):
    named = tmp_path / "MNIST_data"
    mnist = read(named, source_url=source_url, one_hot=True)
    assert [*map(values, (mnist.validation.images, mnist.test.images))] == [
        [0, 1, 2, 3, 4],
        [100, 101, 102, 103, 104, 105, 106],
    ]
    assert mnist.test.labels.tolist() == np.eye(10)[:7].tolist()
    assert not named.exists()
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        f"{named}: train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, "
        f"t10k-labels-idx1-ubyte not found, using {small_mnist}\n"
    )


def test_arrays_from_another_directory_are_read_only_too(small_mnist, tmp_path):
    train = read(tmp_path / "none", dtype="uint8", reshape=False).train
    assert train.images.shape == (18, 28, 28, 1)
    assert not train.images.flags.writeable
    assert not train.labels.flags.writeable


def test_an_incomplete_mnist_is_replaced_by_a_complete_one(small_mnist, directory):
    (directory / TRAIN_IMAGES).unlink()
    assert values(read(directory).validation.images) == [0, 1, 2, 3, 4]


def test_an_incomplete_other_dataset_is_not_completed_with_mnist(small_mnist, directory):
    (directory / TRAIN_IMAGES).unlink()
    idx.write(directory / TEST_LABELS, np.full(7, 3, np.uint8))
    with pytest.raises(DatasetError) as caught:
        read(directory)
    assert caught.value.message.startswith(
        f"{directory / TEST_LABELS}: expected t10k-labels-idx1-ubyte of MNIST with SHA-256"
    )
    assert caught.value.hint == (
        "put train-images-idx3-ubyte of the same dataset next to it, or remove it to use another "
        "copy of MNIST"
    )


def test_mnist_that_is_not_found_is_an_error_and_not_replaced_by_synthetic_digits(tmp_path):
    with pytest.raises(DatasetUnreachableError) as caught:
        input_data.load_mnist(tmp_path / "none")
    assert caught.value.message.startswith("MNIST is not on disk, and DEEP_MNIST_OFFLINE forbids")
    assert "DEEP_MNIST_DATA_DIR" in caught.value.hint
    assert not (tmp_path / "none").exists()


@pytest.fixture
def url_of(tmp_path):
    """Return a function that gives the URL of a directory below tmp_path, served over HTTP."""

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(tmp_path))

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        base = f"http://127.0.0.1:{server.server_port}"
        yield lambda path: f"{base}/{path.relative_to(tmp_path).as_posix()}".rstrip("/.")
        server.shutdown()
        thread.join()


def test_missing_files_are_downloaded_from_an_unknown_url(
    directory, url_of, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("DEEP_MNIST_OFFLINE", "0")
    url = f"{url_of(directory)}/"
    assert values(read(tmp_path / "a" / "b", source_url=url).test.images)[:2] == [100, 101]
    copied = tmp_path / "a" / "b" / TRAIN_LABELS
    assert copied.read_bytes() == (directory / TRAIN_LABELS).read_bytes()
    assert capsys.readouterr().out.splitlines()[2:4] == [
        f"Successfully downloaded {TRAIN_LABELS} {copied.stat().st_size} bytes.",
        f"Extracting {copied}",
    ]


def test_an_unknown_url_that_fails_is_not_replaced_by_mnist(
    small_mnist, url_of, tmp_path, monkeypatch
):
    monkeypatch.setenv("DEEP_MNIST_OFFLINE", "0")
    with pytest.raises(DatasetUnreachableError, match=r"^http:.* cannot be downloaded") as caught:
        read(tmp_path / "own", source_url=f"{url_of(tmp_path)}/nowhere/")
    assert caught.value.hint.startswith("download the file by hand")
    assert list((tmp_path / "own").iterdir()) == []


def test_a_web_page_with_the_name_of_an_idx_file_is_not_kept(url_of, tmp_path, monkeypatch):
    monkeypatch.setenv("DEEP_MNIST_OFFLINE", "0")
    (tmp_path / TEST_LABELS).write_text("<html>")
    (tmp_path / "notes.html").write_text("<html>")
    url, target = f"{url_of(tmp_path)}/", tmp_path / "own"
    with pytest.raises(DatasetUnreachableError, match="found a web page"):
        input_data.maybe_download(TEST_LABELS, target, url)
    path = input_data.maybe_download("notes.html", str(target), url)
    assert path == f"{target}/notes.html"
    assert [file.name for file in target.iterdir()] == ["notes.html"]


def test_a_file_of_a_known_dataset_is_downloaded_and_verified(
    small_mnist, url_of, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("DEEP_MNIST_OFFLINE", "0")
    mirrors = write_dataset(tmp_path / "other"), write_dataset(tmp_path / "good")
    idx.write(mirrors[0] / TEST_LABELS, np.full(7, 3, np.uint8))
    urles = tuple(f"{url_of(mirror)}/" for mirror in mirrors)
    mnist = registry.DATASETS["mnist"]._replace(mirrors=urles)
    monkeypatch.setitem(registry.DATASETS, "mnist", mnist)
    path = input_data.maybe_download(TEST_LABELS, tmp_path / "new", urles[0])
    assert input_data.extract_labels(path).tolist() == [0, 1, 2, 3, 4, 5, 6]
    printed = capsys.readouterr()
    assert printed.out.startswith(f"Successfully downloaded {TEST_LABELS} ")
    assert "expected t10k-labels-idx1-ubyte of MNIST with SHA-256" in printed.err


def test_maybe_download_does_not_read_an_existing_file(tmp_path, capsys):
    (tmp_path / TEST_LABELS).write_text("anything")
    assert input_data.maybe_download(TEST_LABELS, tmp_path) == f"{tmp_path}/{TEST_LABELS}"
    assert capsys.readouterr().out == ""


@pytest.mark.mnist
def test_mnist_is_read(mnist_dir):
    mnist = input_data.read_data_sets(mnist_dir, one_hot=True)
    assert [data_set.num_examples for data_set in mnist] == [55_000, 5_000, 10_000]
    assert mnist.test.labels.argmax(1)[:4].tolist() == [7, 2, 1, 0]
    assert mnist.train.labels.sum(0).tolist() == [
        5444, 6179, 5470, 5638, 5307, 4987, 5417, 5715, 5389, 5454
    ]  # fmt: skip
