"""The datasets that can be downloaded: their files, checksums, mirrors and search paths.

MNIST and Fashion-MNIST are verified by the SHA-256 of their uncompressed files, so that raw files,
recompressed files and `mnist.npz` are verified alike. Of KMNIST only the SHA-256 of the published
.gz files is known: other copies of it are verified by header, length and class counts.

Sources: MNIST, the checksums that its mirrors publish; Fashion-MNIST, zalandoresearch/fashion-mnist
on GitHub (checksums of the uncompressed files as published by its users); KMNIST,
rois-codh/kmnist on GitHub.
"""

from typing import NamedTuple

__all__ = ["DATASETS", "DatasetFiles", "IdxFile", "name_by_url", "title_by_sha256"]

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"


class IdxFile(NamedTuple):
    """One file of a dataset."""

    name: str  # as published, without .gz
    shape: tuple[int, ...]  # [N, rows, columns] of images, [N] of labels
    payload_sha256: str | None  # of the uncompressed file, if known
    gz_sha256: str  # of the published .gz


class DatasetFiles(NamedTuple):
    """The files of a dataset, and where they are found."""

    title: str
    files: tuple[IdxFile, IdxFile, IdxFile, IdxFile]  # training images, labels; test images, labels
    balanced: bool  # whether every class is equally frequent, in training and in test labels
    mirrors: tuple[str, ...]  # base URLs of the .gz files, in order of preference
    search_paths: tuple[str, ...]  # where other programs store the dataset, in order of preference
    former_urls: tuple[str, ...] = ()  # base URLs in old programs; not requested any more


DATASETS = {
    "mnist": DatasetFiles(
        title="MNIST",
        files=(
            IdxFile(
                TRAIN_IMAGES,
                (60_000, 28, 28),
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            IdxFile(
                TRAIN_LABELS,
                (60_000,),
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
            IdxFile(
                TEST_IMAGES,
                (10_000, 28, 28),
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            IdxFile(
                TEST_LABELS,
                (10_000,),
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ),
        balanced=False,
        mirrors=(
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://raw.githubusercontent.com/fgnt/mnist/master/",
        ),
        search_paths=("MNIST_data", "~/.keras/datasets/mnist.npz"),
        former_urls=("http://yann.lecun.com/exdb/mnist/",),
    ),
    "fashion-mnist": DatasetFiles(
        title="Fashion-MNIST",
        files=(
            IdxFile(
                TRAIN_IMAGES,
                (60_000, 28, 28),
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            IdxFile(
                TRAIN_LABELS,
                (60_000,),
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
            IdxFile(
                TEST_IMAGES,
                (10_000, 28, 28),
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
            IdxFile(
                TEST_LABELS,
                (10_000,),
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        ),
        balanced=True,
        mirrors=(
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            "https://fashion-mnist.s3.eu-central-1.amazonaws.com/",
        ),
        search_paths=("~/.keras/datasets/fashion-mnist",),
        former_urls=("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
    ),
    "kmnist": DatasetFiles(
        title="KMNIST",
        files=(
            IdxFile(
                TRAIN_IMAGES,
                (60_000, 28, 28),
                None,
                "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
            ),
            IdxFile(
                TRAIN_LABELS,
                (60_000,),
                None,
                "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
            ),
            IdxFile(
                TEST_IMAGES,
                (10_000, 28, 28),
                None,
                "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
            ),
            IdxFile(
                TEST_LABELS,
                (10_000,),
                None,
                "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
            ),
        ),
        balanced=True,
        mirrors=("https://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
        search_paths=(),
    ),
}


def title_by_sha256(sha256: str) -> str | None:
    """Return the title of the dataset with this file, if there is one.

    Args:
      sha256: of the uncompressed file or of the published .gz, in hex.
    """
    for dataset in DATASETS.values():
        for file in dataset.files:
            if sha256 in (file.payload_sha256, file.gz_sha256):
                return dataset.title
    return None


def name_by_url(url: str) -> str | None:
    """Return the name of the dataset that a base URL serves or once served, if any.

    http and https are the same, and so is a slash at the end.
    """
    for name, dataset in DATASETS.items():
        for known in (*dataset.mirrors, *dataset.former_urls):
            if _host_and_path(known) == _host_and_path(url):
                return name
    return None


def _host_and_path(url: str) -> str:
    return url.rpartition("://")[2].rstrip("/")
