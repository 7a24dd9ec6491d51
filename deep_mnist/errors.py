"""The exceptions of deep_mnist, and how they are printed.

Every error that a user can correct is a DeepMnistError. Commands print it as compilers do and exit
with code 2:

    error: softmax: unrecognized arguments: --stepz 3
    hint: did you mean --steps?
"""

from __future__ import annotations

__all__ = [
    "AmbiguousCheckpointError",
    "CheckpointError",
    "ClusterTimeoutError",
    "DamagedCheckpointError",
    "DatasetError",
    "DatasetUnreachableError",
    "DeepMnistError",
    "ExportError",
    "GradientCheckError",
    "IdxTypeError",
    "ImageError",
    "Interrupted",
    "ModelMismatchError",
    "printable",
    "shorten",
]


class DeepMnistError(Exception):
    """A wrong flag, path, file or value.

    Args:
      message: one sentence: what was expected, and what was found.
      hint: what the user can do about it, or None.

    Example:
      >>> from deep_mnist import DeepMnistError, load_data
      >>> try:
      ...     load_data("mnits")
      ... except DeepMnistError as error:
      ...     print(error.message)
      dataset: expected one of mnist, fashion-mnist, kmnist, generated, found 'mnits'
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\nhint: {self.hint}"


class DatasetError(DeepMnistError):
    """A dataset that is missing, damaged or not the one that was requested."""


class IdxTypeError(DatasetError):
    """An IDX file with an unexpected magic number: labels instead of images, or no IDX file."""

    def __init__(self, message: str, magic: int, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.magic = magic


class DatasetUnreachableError(DatasetError):
    """A dataset that is not on disk and cannot be downloaded."""


class ImageError(DeepMnistError):
    """An image file that cannot be decoded, or in which no digit is found."""


class CheckpointError(DeepMnistError):
    """A checkpoint that cannot be found, read or written."""


class DamagedCheckpointError(CheckpointError):
    """A checkpoint that is truncated, altered or lacks one of its files."""


class ModelMismatchError(CheckpointError):
    """A checkpoint of another model. `distance` is 0 for a similar model and grows."""

    def __init__(self, message: str, distance: float, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.distance = distance


class AmbiguousCheckpointError(CheckpointError):
    """A checkpoint in which several sets of variables fit the model.

    Each entry of `choices` lists the names of one set.
    """

    def __init__(self, message: str, choices: list[list[str]], *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.choices = choices


class ExportError(DeepMnistError):
    """A model that cannot be exported, or an export that disagrees with its model."""


class ClusterTimeoutError(DeepMnistError):
    """Another task of the cluster did not answer in time."""


class GradientCheckError(DeepMnistError, AssertionError):
    """A gradient that differs from central differences."""


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM. The message says what was saved.

    Like KeyboardInterrupt it is not an Exception, so that `except Exception` in other libraries
    does not swallow it.
    """

    def __init__(self, signal_number: int, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.signal_number = signal_number
        self.message = message
        self.hint = hint


def printable(text: str) -> str:
    """Return `text` as one line without control characters.

    File names and variable names come from untrusted files; printed as they are, they could move
    the cursor or add lines to the output.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shorten(value: object) -> str:
    """Return `value` as text, a long one, such as a number of hundreds of digits, in part."""
    text = str(value)
    return text if len(text) <= 100 else f"{text[:60]}...{text[-20:]}"
