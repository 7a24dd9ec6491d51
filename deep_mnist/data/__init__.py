"""Datasets as arrays and batches, without TensorFlow.

    from deep_mnist import data

    digits = data.load_data("mnist")
    for batch in data.batches(digits.train, batch_size=50, seed=0):
        ...  # batch.images [50, 784] float32, batch.labels [50, 10] float32

Read in this order:

    dataset.py          load a dataset, split into training, validation and test
    batches.py          scaling, one-hot labels, mini-batches in shuffled or file order
    augment.py          random distortion of training images; distort.py: the random maps
    prefetch.py         batches made ahead by a thread
    search.py           where the files of a dataset are searched for
    verify.py           the files of a directory, verified
    registry.py         the known datasets: files, SHA-256, mirrors
    download.py         download from mirrors
    idx.py, npz.py      readers of the two file formats
    io.py               safe reading and atomic writing of files
    synthetic.py        synthetic digits, drawn from strokes
    input_checks.py     images that are inverted or scaled twice
    ascii_art.py        an image as text
    micro_batches.py    batches in parts that multiply faster
"""

from deep_mnist.data.ascii_art import ascii_art
from deep_mnist.data.augment import AUGMENTATIONS, augmented
from deep_mnist.data.batches import (
    Batch,
    Split,
    batches,
    batches_in_file_order,
    one_hot,
    scale,
    smooth_labels,
)
from deep_mnist.data.dataset import DATASETS, Dataset, load_data, load_data_or_synthetic
from deep_mnist.data.prefetch import prefetch

__all__ = [
    "AUGMENTATIONS",
    "DATASETS",
    "Batch",
    "Dataset",
    "Split",
    "ascii_art",
    "augmented",
    "batches",
    "batches_in_file_order",
    "load_data",
    "load_data_or_synthetic",
    "one_hot",
    "prefetch",
    "scale",
    "smooth_labels",
]
