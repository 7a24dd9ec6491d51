"""Which tasks accept connections, found out by plain sockets: TensorFlow would wait forever."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from deep_mnist.errors import DeepMnistError

KeyT = TypeVar("KeyT", str, int)

SECONDS = 10.0  # in which every parameter server has to be reachable
STARTUP = 60.0  # seconds from a task's open port to its answer: it imports TensorFlow
PAUSE = 0.5  # seconds between attempts
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"  # RFC 9113, 3.4: empty SETTINGS
SETTINGS = b"\x04\0\0\0\0\0"  # type, flags and stream of a server's first HTTP/2 frame


def is_reachable(address: str, seconds: float = 1.0) -> bool:
    """Return whether HOST:PORT accepts connections."""
    try:
        _connect(address, seconds).close()
    except (OSError, UnicodeError):
        return False
    return True


def reachable(addresses: Mapping[KeyT, str], seconds: float = 1.0) -> dict[KeyT, str]:
    """Return the addresses that accept connections; all are tried at the same time."""
    return _filter(addresses, is_reachable, seconds)


def unreachable(addresses: Mapping[KeyT, str], seconds: float = 1.0) -> dict[KeyT, str]:
    """Return the addresses that accept no connections; all are tried at the same time."""
    found = reachable(addresses, seconds)
    return {key: address for key, address in addresses.items() if key not in found}


def describe(tasks: Mapping[str, str]) -> str:
    """Return tasks as text: "ps:0 (10.0.0.1:2222), ps:1 (10.0.0.2:2222)"."""
    return ", ".join(f"{name} ({address})" for name, address in tasks.items())


def wait_for(tasks: Mapping[str, str], seconds: float = SECONDS) -> None:
    """Return when all tasks, addresses by name, accept connections.

    Raises:
      DeepMnistError: some do not within the time, or another program than TensorFlow does. It
        lists all of them.
    """
    deadline = time.monotonic() + seconds
    missing = unreachable(tasks)
    while missing and time.monotonic() < deadline:
        time.sleep(PAUSE)
        missing = unreachable(missing)
    if missing:
        raise DeepMnistError(
            f"{describe(missing)}: no answer for {seconds:g} s",
            hint="start it or correct its address, then start this task again",
        )
    if others := _filter(tasks, is_other_program, 2.0):
        raise DeepMnistError(
            f"{describe(others)}: another program than TensorFlow listens there",
            hint="stop it or correct the address, then start this task again",
        )


def wait_for_answer(tasks: Mapping[str, str], seconds: float = STARTUP) -> None:
    """Return when TensorFlow's servers answer for all tasks, addresses by name.

    A task that is starting accepts connections and does not answer (see server.reserve_port).

    Raises:
      DeepMnistError: some do not within the time. It lists all of them.
    """
    deadline = time.monotonic() + seconds
    while True:
        answers = _filter(tasks, lambda *arguments: bool(_answer(*arguments)), 2.0)
        silent = {name: address for name, address in tasks.items() if name not in answers}
        if not silent:
            return
        if time.monotonic() > deadline:
            raise DeepMnistError(
                f"{describe(silent)}: no answer for {seconds:g} s from what listens there",
                hint="stop it or correct the address, then start this task again",
            )
        time.sleep(PAUSE)


def is_other_program(address: str, seconds: float) -> bool:
    """Return whether what listens at an address does not speak HTTP/2, as gRPC does."""
    answer = _answer(address, seconds)
    return not SETTINGS.startswith(answer[3:]) if answer else False


def _answer(address: str, seconds: float) -> bytes:
    """Return the first nine bytes of what listens at an address, b"" if it does not answer."""
    try:
        with _connect(address, seconds / 2) as connection:
            connection.settimeout(seconds / 2)
            connection.sendall(PREFACE)
            return connection.recv(9)
    except (OSError, UnicodeError):
        return b""


def _connect(address: str, seconds: float) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), seconds)


def _filter(
    addresses: Mapping[KeyT, str], predicate: Callable[[str, float], bool], seconds: float
) -> dict[KeyT, str]:
    """Return the addresses for which a predicate holds; in threads, as DNS has no time limit."""
    found: set[KeyT] = set()

    def test(key: KeyT) -> None:
        if predicate(addresses[key], seconds):
            found.add(key)

    threads = [threading.Thread(target=test, args=(key,), daemon=True) for key in addresses]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0))
    return {key: address for key, address in addresses.items() if key in found}
