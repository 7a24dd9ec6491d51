"""Which Host headers are ours: a page elsewhere must not reach this server by renaming it.

A site may let its own name point to 127.0.0.1 once its page is loaded (DNS rebinding); the
browser then takes our answers for that site's. The Host header still says the site's name.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens on `host`."""
    address = _address(host)
    return host in LOOPBACK or (address is not None and address.is_loopback)


def is_ours(header: str, listening_on: str) -> bool:
    """Whether a request with this Host header was meant for a server that listens there.

    One that other machines reach is known under any address, and under this machine's name.
    """
    try:
        name = (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return False
    if name in LOOPBACK or name == listening_on.lower():
        return True
    if is_loopback(listening_on):
        return False
    machine = socket.gethostname().lower()
    return name in {machine, f"{machine}.local"} or _address(name) is not None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
