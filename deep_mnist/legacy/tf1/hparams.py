"""tf.contrib.training.HParams: hyper-parameters by name."""

from __future__ import annotations

from typing import Any

__all__ = ["HParams"]


class HParams:
    """Hyper-parameters, which are attributes."""

    def __init__(self, **hparams: Any) -> None:
        self.__dict__.update(hparams)

    def add_hparam(self, name: str, value: Any) -> None:
        """Add a hyper-parameter."""
        setattr(self, name, value)

    set_hparam = add_hparam

    def get(self, key: str, default: Any = None) -> Any:
        """Return a hyper-parameter, or a default."""
        return self.__dict__.get(key, default)

    def values(self) -> dict[str, Any]:
        """Return all hyper-parameters by name."""
        return dict(self.__dict__)

    def override_from_dict(self, values: dict[str, Any]) -> HParams:
        """Set several hyper-parameters; return self."""
        self.__dict__.update(values)
        return self

    def parse(self, text: str) -> HParams:
        """Set those of `name=value,name=value`, keeping their types; return self."""
        for part in filter(None, text.split(",")):
            name, _, value = part.partition("=")
            setattr(self, name, type(getattr(self, name))(value))
        return self

    def __contains__(self, name: str) -> bool:
        return name in self.__dict__
