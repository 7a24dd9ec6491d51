"""Which requests are meant for us: a page elsewhere must neither read from this server nor use it.

A site may let its own name point to 127.0.0.1 once its page is loaded (DNS rebinding); the
browser then takes our answers for that site's. The Host header still says the site's name.
And any page may send a form to 127.0.0.1: it can't read the answer, but it makes us work.
"""

from __future__ import annotations

import ipaddress
import re
import socket

from werkzeug.datastructures import Headers

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
HOST = re.compile(r"(?:\[(?P<ipv6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+?)\.?)(?::[0-9]{1,5})?")
ORIGIN = re.compile(r"https?://(?P<host>[^/]+)")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens on `host`."""
    address = _address(host)
    return host in LOOPBACK or (address is not None and address.is_loopback)


def is_ours(header: str, listening_on: str) -> bool:
    """Whether a request with this Host header was meant for a server that listens there.

    One that other machines reach is known under any address, and under this machine's name.
    """
    match = HOST.fullmatch(header.lower())
    if match is None:
        return False
    name = match["ipv6"] or match["name"]
    if name in LOOPBACK or name == listening_on.lower():
        return True
    if is_loopback(listening_on):
        return False
    machine = socket.gethostname().lower()
    return name in {machine, f"{machine}.local"} or _address(name) is not None


def comes_from_elsewhere(method: str, headers: Headers) -> bool:
    """Whether a page of another site had its browser send this request.

    Following a link to our page is no such thing. Programs as curl send none of these headers.
    """
    if method in ("GET", "HEAD") and headers.get("Sec-Fetch-Mode") == "navigate":
        return False
    if headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return True
    origin = headers.get("Origin")
    if origin is None:
        return False
    match = ORIGIN.fullmatch(origin.lower())
    return match is None or match["host"] != headers.get("Host", "").lower()


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
