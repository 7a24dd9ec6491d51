"""Vector instructions of the CPU."""

from __future__ import annotations

from pathlib import Path


def cpu_features() -> set[str]:
    """Return the flags of /proc/cpuinfo, such as "avx2"; none if the file does not exist."""
    try:
        cpuinfo = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return set()
    lines = (line.partition(":") for line in cpuinfo.splitlines())
    return {word for name, _, value in lines if name.strip() == "flags" for word in value.split()}
