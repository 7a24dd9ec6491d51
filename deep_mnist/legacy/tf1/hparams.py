"""tf.contrib.training.HParams: hyper-parameters by name."""

from __future__ import annotations

from typing import Any

__all__ = ["HParams"]


class HParams:
    """Settings by name."""

    def __init__(self, **settings: Any) -> None:
        self.__dict__.update(settings)

    def add_hparam(self, name: str, value: Any) -> None:
        """Adds one."""
        setattr(self, name, value)

    set_hparam = add_hparam

    def get(self, key: str, default: Any = None) -> Any:
        """One, or a default."""
        return self.__dict__.get(key, default)

    def values(self) -> dict[str, Any]:
        """All of them."""
        return dict(self.__dict__)

    def override_from_dict(self, values: dict[str, Any]) -> HParams:
        """Sets several."""
        self.__dict__.update(values)
        return self

    def parse(self, text: str) -> HParams:
        """Sets those of `name=value,name=value`, each in the type it has."""
        for part in filter(None, text.split(",")):
            name, _, value = part.partition("=")
            setattr(self, name, type(getattr(self, name))(value))
        return self

    def __contains__(self, name: str) -> bool:
        return name in self.__dict__
