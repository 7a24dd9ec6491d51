"""Bytes -> arrays -> batches. NumPy alone; TensorFlow is not needed here.

Read in this order:

    dataset.py     a data set by name, split as the tutorial splits it
    batches.py     mini-batches: scaling, one-hot, the order of an epoch
    files.py       where the files are looked for, and in what order
    verify.py      what one place holds, held against the catalogue
    catalogue.py   the known sets: file names, digests, mirrors
    idx.py npz.py  the two file formats, read through bounded.py
    download.py    mirrors in turn, never a half file
    generated.py   handwriting-like digits, from strokes.py bent by distort.py
"""

from deep_mnist.data.batches import Batch, Split, batches, one_hot, scale
from deep_mnist.data.dataset import NAMES, Dataset, load
from deep_mnist.data.errors import DataError

__all__ = [
    "NAMES",
    "Batch",
    "DataError",
    "Dataset",
    "Split",
    "batches",
    "load",
    "one_hot",
    "scale",
]
