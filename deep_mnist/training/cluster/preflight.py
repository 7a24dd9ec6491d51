"""Which tasks answer, found out by a plain socket: TensorFlow itself would wait for ever."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping

from deep_mnist.training.errors import UserError

SECONDS = 12.0  # in which every parameter server has to answer: a sentence within 15, in all
PAUSE = 0.5  # seconds between attempts


def answers(address: str, seconds: float = 1.0) -> bool:
    """Whether something listens at HOST:PORT."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), seconds).close()
    except (OSError, UnicodeError):
        return False
    return True


def absent(tasks: Mapping[str, str]) -> dict[str, str]:
    """Those of the tasks, addresses by name, that don't answer."""
    return {name: address for name, address in tasks.items() if not answers(address)}


def describe(tasks: Mapping[str, str]) -> str:
    """As in "ps:0 (10.0.0.1:2222), ps:1 (10.0.0.2:2222)"."""
    return ", ".join(f"{name} ({address})" for name, address in tasks.items())


def wait_for(tasks: Mapping[str, str], seconds: float = SECONDS) -> None:
    """Returns when all of the tasks answer.

    Raises:
      UserError: some don't within the time; they are named.
    """
    deadline = time.monotonic() + seconds
    missing = absent(tasks)
    while missing and time.monotonic() < deadline:
        time.sleep(PAUSE)
        missing = absent(missing)
    if missing:
        raise UserError(
            f"{describe(missing)}: no answer in {seconds:g} s: start it, or mend its address, "
            "and start this one again"
        )
