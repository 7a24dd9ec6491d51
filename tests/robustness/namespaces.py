"""Hosts on one machine: network namespaces that a bridge connects, as root and with iproute2.

    with namespaces.Network(["ps-0", "worker-0"], namespaces.Link(delay=0.05)) as network:
        process = network.start("worker-0", ["ping", network.addresses["ps-0"]])

A host's link is a veth pair, and its faults are netem's. Where the kernel has no netem, the link
consists of two TAP devices, between which this program delays, drops and limits the packets.
"""

from __future__ import annotations

import dataclasses
import fcntl
import heapq
import os
import random
import select
import signal
import struct
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

PREFIX = "deep-mnist-"  # then the id of this process and the host
HOSTS = Path("/etc/netns")  # `ip netns exec` shows NAME/hosts here as /etc/hosts
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000  # linux/if_tun.h
QUEUE = 1000  # packets that wait for a link; netem's default


@dataclasses.dataclass(frozen=True)
class Link:
    """What happens to the packets that a host sends."""

    delay: float = 0.0  # seconds
    loss: float = 0.0  # fraction
    rate: float | None = None  # bits per second

    @property
    def is_perfect(self) -> bool:
        """Whether nothing happens to them."""
        return self == Link()

    @property
    def netem(self) -> list[str]:
        """Arguments of tc-netem."""
        rate = [] if self.rate is None else ["rate", f"{self.rate:.0f}bit"]
        return ["delay", f"{self.delay * 1e3:g}ms", "loss", f"{self.loss * 100:g}%", *rate]


class Network:
    """Hosts with one interface each, connected by a bridge in a namespace of its own.

    Args:
      hosts: their names, which all of them can resolve.
      link: of every host.

    Attributes:
      addresses: IP address of each host.
    """

    def __init__(self, hosts: Sequence[str], link: Link | None = None) -> None:
        self.addresses = {host: f"10.0.0.{number}" for number, host in enumerate(hosts, 1)}
        self._link = link or Link()
        self._prefix = f"{PREFIX}{os.getpid()}-"
        self._ports = {host: f"port{number}" for number, host in enumerate(hosts, 1)}
        self._shaper: Shaper | None = None
        self._processes: list[subprocess.Popen[Any]] = []

    def __enter__(self) -> Network:
        try:
            self._create()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if self._shaper is not None:
            self._shaper.stop()
        for host in (*self.addresses, "bridge"):
            subprocess.run(["ip", "netns", "del", self._name(host)], capture_output=True)
            (HOSTS / self._name(host) / "hosts").unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                (HOSTS / self._name(host)).rmdir()

    def start(self, host: str, command: Sequence[str], **arguments: Any) -> subprocess.Popen[Any]:
        """Start a process on a host, which is killed at the latest at the end."""
        process = subprocess.Popen(
            ["ip", "netns", "exec", self._name(host), *command],
            start_new_session=True,
            **arguments,
        )
        self._processes.append(process)
        return process

    def disconnect(self, host: str) -> None:
        """Take the host's port of the bridge down, as if its cable was pulled out."""
        _ip("-n", self._name("bridge"), "link", "set", self._ports[host], "down")

    def connect(self, host: str) -> None:
        """Take the host's port of the bridge up again."""
        _ip("-n", self._name("bridge"), "link", "set", self._ports[host], "up")

    def set_names(self) -> None:
        """Let all hosts resolve each other's names."""
        known = [f"{address} {name}" for name, address in self.addresses.items()]
        self._write_hosts("\n".join(["127.0.0.1 localhost", *known, ""]))

    def forget_names(self) -> None:
        """Let no host resolve the name of another."""
        self._write_hosts("127.0.0.1 localhost\n")

    def _write_hosts(self, text: str) -> None:
        for host in self.addresses:  # into the same file, which running processes see
            path = HOSTS / self._name(host) / "hosts"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def _name(self, host: str) -> str:
        return self._prefix + host

    def _create(self) -> None:
        bridge = self._name("bridge")
        for host in (*self.addresses, "bridge"):
            _ip("netns", "add", self._name(host))
        _ip("-n", bridge, "link", "add", "bridge", "type", "bridge")
        _ip("-n", bridge, "link", "set", "bridge", "up")
        has_netem = not self._link.is_perfect and self._has_netem()
        if not (self._link.is_perfect or has_netem):
            self._shaper = Shaper(self._link)
        for host, port in self._ports.items():
            name = self._name(host)
            if self._shaper is None:
                peer = ["peer", "name", port, "netns", bridge]
                _ip("link", "add", "eth0", "netns", name, "type", "veth", *peer)
            else:
                pair = f"t{os.getpid()}a", f"t{os.getpid()}b"  # until they have moved
                self._shaper.add(*pair)
                _ip("link", "set", pair[0], "netns", name, "name", "eth0")
                _ip("link", "set", pair[1], "netns", bridge, "name", port)
            if has_netem:
                _tc(name, "qdisc", "add", "dev", "eth0", "root", "netem", *self._link.netem)
            _ip("-n", bridge, "link", "set", port, "master", "bridge", "up")
            _ip("-n", name, "address", "add", f"{self.addresses[host]}/24", "dev", "eth0")
            _ip("-n", name, "link", "set", "lo", "up")
            _ip("-n", name, "link", "set", "eth0", "up")
        if self._shaper is not None:
            self._shaper.start()
        self.set_names()

    def _has_netem(self) -> bool:
        try:
            _tc(self._name("bridge"), "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms")
        except subprocess.CalledProcessError:
            return False
        return True


class Shaper(threading.Thread):
    """Copies packets between pairs of TAP devices; those from the first as the link says."""

    def __init__(self, link: Link) -> None:
        super().__init__(daemon=True)
        self._link = link
        self._peers: dict[int, int] = {}  # file descriptors
        self._hosts: set[int] = set()  # those of the hosts' devices
        self._stopping = False
        self._random = random.Random(0)

    def add(self, host: str, port: str) -> None:
        """Create a pair of devices."""
        first, second = _tap(host), _tap(port)
        self._peers |= {first: second, second: first}
        self._hosts.add(first)

    def stop(self) -> None:
        """Stop, and remove the devices."""
        self._stopping = True
        if self.is_alive():
            self.join()
        for descriptor in self._peers:
            os.close(descriptor)

    def run(self) -> None:
        """Copy packets."""
        waiting: list[tuple[float, int, int, bytes]] = []  # time, number, from, packet
        free = dict.fromkeys(self._hosts, 0.0)  # when the link will have sent what waits
        queued = dict.fromkeys(self._hosts, 0)  # packets that wait
        number = 0
        while not self._stopping:
            pause = min(max(waiting[0][0] - time.monotonic(), 0.0), 0.1) if waiting else 0.1
            for source in select.select([*self._peers], [], [], pause)[0]:
                packet = os.read(source, 65536)
                now = time.monotonic()
                if source in self._hosts:
                    seconds = 8 * len(packet) / self._link.rate if self._link.rate else 0.0
                    lost = self._random.random() < self._link.loss
                    if lost or queued[source] == QUEUE:
                        continue
                    queued[source] += 1
                    free[source] = max(free[source], now) + seconds
                    number += 1
                    due = free[source] + self._link.delay
                    heapq.heappush(waiting, (due, number, source, packet))
                else:
                    self._send(source, packet)
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, source, packet = heapq.heappop(waiting)
                queued[source] -= 1
                self._send(source, packet)

    def _send(self, source: int, packet: bytes) -> None:
        with suppress(OSError):  # the other device is down
            os.write(self._peers[source], packet)


def is_available() -> bool:
    """Return whether this process may create network namespaces."""
    name = f"{PREFIX}{os.getpid()}-test"
    try:
        _ip("netns", "add", name)
        _ip("netns", "del", name)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return False
    return True


def remove_leftovers() -> None:
    """Remove namespaces of processes that were killed."""
    for line in _ip("netns", "list").splitlines():
        name = line.split()[0]
        process, _, _ = name.removeprefix(PREFIX).partition("-")
        if name.startswith(PREFIX) and not Path("/proc", process).exists():
            for number in _ip("netns", "pids", name).split():
                with suppress(ProcessLookupError):
                    os.kill(int(number), signal.SIGKILL)
            _ip("netns", "del", name)
            (HOSTS / name / "hosts").unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                (HOSTS / name).rmdir()


def _tap(name: str) -> int:
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return descriptor


def _ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], capture_output=True, check=True, text=True)
    return done.stdout


def _tc(namespace: str, *arguments: str) -> None:
    subprocess.run(["tc", "-n", namespace, *arguments], capture_output=True, check=True)
