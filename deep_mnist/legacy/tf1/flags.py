"""tf.app.flags: a script may define a flag that TensorFlow's own libraries define too."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = [
    "FLAGS",
    "DEFINE_bool",
    "DEFINE_boolean",
    "DEFINE_enum",
    "DEFINE_float",
    "DEFINE_integer",
    "DEFINE_list",
    "DEFINE_string",
    "_FlagValues",
]


class _Values(Mapping[str, Any]):
    """FLAGS.__dict__["__flags"] of before 1.5: the value of each flag of the script."""

    def __init__(self, flags: _Flags) -> None:
        self._flags = flags

    def __getitem__(self, name: str) -> Any:
        if name not in self._flags:
            raise KeyError(name)
        return getattr(self._flags, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._flags)

    def __len__(self) -> int:
        return len(self._flags)


class _Flags:
    """FLAGS, with the private attributes of before 1.5."""

    def __init__(self) -> None:
        object.__setattr__(self, "_defined", [])
        self.__dict__["__flags"] = _Values(self)

    def __getattr__(self, name: str) -> Any:
        if not tf.flags.FLAGS.is_parsed():
            # Unknown flags are ignored, as until 1.4: Jupyter starts kernels with -f.
            tf.flags.FLAGS(sys.argv, known_only=True)
        return getattr(tf.flags.FLAGS, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(tf.flags.FLAGS, name, value)

    def __getitem__(self, name: str) -> Any:
        return tf.flags.FLAGS[name]

    def __contains__(self, name: str) -> bool:
        return name in self._defined

    def __iter__(self) -> Any:
        return iter(self._defined)

    def __len__(self) -> int:
        return len(self._defined)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return tf.flags.FLAGS(*args, **kwargs)

    def __dir__(self) -> list[str]:
        return list(self._defined)

    def _parse_flags(self, args: Any = None) -> None:
        """Parse the command line, as reading a flag does."""
        for name in self._defined[:1]:
            getattr(self, name)


FLAGS = _Flags()


def _FlagValues() -> _Flags:  # noqa: N802, its name until 1.4
    """Return FLAGS without flags: notebooks reset it so that cells can run again."""
    FLAGS._defined.clear()
    return FLAGS


def _defining(define: Callable[..., Any]) -> Callable[..., None]:
    def defined(*args: Any, **kwargs: Any) -> None:
        name = args[0] if args else kwargs.get("flag_name", kwargs.get("name"))
        if len(args) == 2 and not kwargs.keys() & {"docstring", "help"}:
            kwargs["help"] = ""
        define(*args, allow_override=True, **kwargs)
        FLAGS._defined.append(name)

    return defined


DEFINE_bool = _defining(tf.flags.DEFINE_bool)
DEFINE_boolean = _defining(tf.flags.DEFINE_boolean)
DEFINE_enum = _defining(tf.flags.DEFINE_enum)
DEFINE_float = _defining(tf.flags.DEFINE_float)
DEFINE_integer = _defining(tf.flags.DEFINE_integer)
DEFINE_list = _defining(tf.flags.DEFINE_list)
DEFINE_string = _defining(tf.flags.DEFINE_string)
