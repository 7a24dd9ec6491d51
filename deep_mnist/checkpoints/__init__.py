"""Checkpoints: find, read and save them, and match their variables with those of a model.

Modules, in reading order:

    paths.py              find the checkpoint that a path of the user names
    file_types.py         detect files of other types, for the error message
    variables.py          names, shapes and dtypes of variables
    variable_matching.py  which variable of a checkpoint is which of the model
    reader.py             read the weights of a model from any format
    bundle_index.py       check the index of a V2 checkpoint
    frozen_graph.py       read the constants of a GraphDef
    npz_reader.py         read .npz files
    saver.py              save and verify the checkpoints of a session
    npz_saver.py          the same for NumPy arrays
    pretrained.py         the weights that are installed with deep_mnist
"""

__all__ = [
    "bundle_index",
    "file_types",
    "frozen_graph",
    "npz_reader",
    "npz_saver",
    "paths",
    "pretrained",
    "reader",
    "saver",
    "variable_matching",
    "variables",
]
