"""Bytes -> arrays -> batches. NumPy alone; TensorFlow is not needed here.

Read in this order:

    dataset.py     a data set by name, split as the tutorial splits it
    batches.py     mini-batches: scaling, one-hot, the order of an epoch
    augment.py     training images, a little different every time
    prefetch.py    batches made ahead, by a thread
    files.py       where the files are looked for, and in what order
    verify.py      what one place holds, held against the catalogue
    catalogue.py   the known sets: file names, digests, mirrors
    idx.py npz.py  the two file formats, read through bounded.py
    download.py    mirrors in turn, never a half file
    blocks.py      images with ink in the same few pixels, put together
    picture.py     a picture in characters
    image.py       people's own pictures: decoded, and their digits framed as MNIST's
    ink.py         what on a picture is ink, and what paper, shadow or noise; ruling.py: its lines
    segment.py     which parts of the ink are digits, and which dirt.py
    frame.py       a digit's ink on 28x28
    components.py windows.py resample.py    what those are made with
    generated.py   handwriting-like digits, from strokes.py bent by distort.py
"""

from deep_mnist.data.ascii_art import characters
from deep_mnist.data.augment import AUGMENTATIONS, augmented
from deep_mnist.data.batches import (
    Batch,
    Split,
    batches,
    batches_in_file_order,
    one_hot,
    scale,
)
from deep_mnist.data.micro_batches import Block, blocks
from deep_mnist.data.dataset import NAMES, Dataset, load
from deep_mnist.data.prefetch import prefetch

__all__ = [
    "AUGMENTATIONS",
    "NAMES",
    "Batch",
    "Block",
    "Dataset",
    "Split",
    "augmented",
    "batches",
    "batches_in_file_order",
    "blocks",
    "characters",
    "load",
    "one_hot",
    "prefetch",
    "scale",
]
