"""What goes wrong when a data set is asked for."""


class DataError(Exception):
    """A data set that can't be had as asked.

    The message is one line: what was expected, what was found, what to do. Commands print it and
    exit with 2.
    """


class MagicError(DataError):
    """An IDX file of the other kind, or of no known one. `magic` is the number it opens with."""

    def __init__(self, message: str, magic: int) -> None:
        super().__init__(message)
        self.magic = magic


class UnreachableError(DataError):
    """The set, or a file, is neither on disk nor can it be downloaded; no place on disk was asked.

    A caller that was asked for no particular set either may go on with the generated digits.
    """
