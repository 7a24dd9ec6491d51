"""Which tasks answer, found out by a plain socket: TensorFlow itself would wait for ever."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from deep_mnist.errors import DeepMnistError

KeyT = TypeVar("KeyT", str, int)

SECONDS = 10.0  # in which every parameter server has to answer: a sentence within 15, in all
PAUSE = 0.5  # seconds between attempts
GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"  # RFC 9113, 3.4: and no settings
SETTINGS = b"\x04\0\0\0\0\0"  # what a server's first frame has after its length: gRPC's too


def answers(address: str, seconds: float = 1.0) -> bool:
    """Whether something listens at HOST:PORT."""
    try:
        _connect(address, seconds).close()
    except (OSError, UnicodeError):
        return False
    return True


def present(addresses: Mapping[KeyT, str], seconds: float = 1.0) -> dict[KeyT, str]:
    """Those that answer; all are asked at the same time."""
    return _those(addresses, answers, seconds)


def absent(addresses: Mapping[KeyT, str], seconds: float = 1.0) -> dict[KeyT, str]:
    """Those that don't answer; all are asked at the same time."""
    there = present(addresses, seconds)
    return {key: address for key, address in addresses.items() if key not in there}


def describe(tasks: Mapping[str, str]) -> str:
    """As in "ps:0 (10.0.0.1:2222), ps:1 (10.0.0.2:2222)"."""
    return ", ".join(f"{name} ({address})" for name, address in tasks.items())


def wait_for(tasks: Mapping[str, str], seconds: float = SECONDS) -> None:
    """Returns when all of the tasks, addresses by name, answer.

    Raises:
      DeepMnistError: some don't within the time, or something else than TensorFlow does; all of them
        are named.
    """
    deadline = time.monotonic() + seconds
    missing = absent(tasks)
    while missing and time.monotonic() < deadline:
        time.sleep(PAUSE)
        missing = absent(missing)
    if missing:
        raise DeepMnistError(
            f"{describe(missing)}: no answer in {seconds:g} s: start what is missing, or mend its "
            "address, and start this one again"
        )
    if foreign := _those(tasks, speaks_otherwise, 2.0):
        raise DeepMnistError(
            f"{describe(foreign)}: something else than TensorFlow answers there: end it and start "
            "the parameter server, or mend its address, and start this one again"
        )


def speaks_otherwise(address: str, seconds: float) -> bool:
    """Whether what listens there greets as no TensorFlow does.

    One that is silent, or breaks off, may be about to start (see port.held).
    """
    try:
        with _connect(address, seconds / 2) as connection:
            connection.settimeout(seconds / 2)
            connection.sendall(GREETING)
            greeting = connection.recv(9)
    except (OSError, UnicodeError):
        return False
    return not SETTINGS.startswith(greeting[3:9]) if greeting else False


def _connect(address: str, seconds: float) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), seconds)


def _those(
    addresses: Mapping[KeyT, str], holds: Callable[[str, float], bool], seconds: float
) -> dict[KeyT, str]:
    """Those of which something holds, asked in threads: looking up a name has no time limit."""
    found: set[KeyT] = set()

    def ask(key: KeyT) -> None:
        if holds(addresses[key], seconds):
            found.add(key)

    threads = [threading.Thread(target=ask, args=(key,), daemon=True) for key in addresses]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0))
    return {key: address for key, address in addresses.items() if key in found}
