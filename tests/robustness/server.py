"""The server under hostile clients, and at a low rate for a long time.

    python tests/robustness/server.py hostile [--seconds 60]
    python tests/robustness/server.py soak [--seconds 600] [--rate 20]

hostile: 200 concurrent clients, 78 of which do what benchmarks/serve.py describes. No status may be
unexpected, the memory must not grow, and a drawing must be classified within 1 s of their end.

soak: requests at a constant rate. The slopes of memory, open files and threads are extrapolated to
six hours. Both write results/server-NAME.json, and need the extra [web] and Linux.
"""

from __future__ import annotations

import argparse
import http.client
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import result_file

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
import serve

CLIENTS = 200 - sum(count for _, count in serve.HOSTILE.values())
SECONDS = {"hostile": 60, "soak": 600}
SIX_HOURS = 6 * 3600
LARGEST_GROWTH = {"resident_mb": 64.0, "open_files": 8.0, "threads": 8.0}  # in six hours


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("test", choices=SECONDS)
    parser.add_argument("--seconds", type=int, help="duration (default: 60 and 600)")
    parser.add_argument("--rate", type=float, default=20, help="requests per second (default: 20)")
    options = parser.parse_args()
    seconds = options.seconds or SECONDS[options.test]
    command = [sys.executable, "-m", "deep_mnist.serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline().split()[0].rpartition(":")[2])
        try:
            if options.test == "hostile":
                result, failures = hostile(port, server.pid, seconds)
            else:
                result, failures = soak(port, server.pid, seconds, options.rate)
        finally:
            server.terminate()
    print(result)
    if options.seconds is None:
        result_file.write(f"server-{options.test}", result)
    if failures:
        raise SystemExit(f"failed: {', '.join(failures)}")


def hostile(port: int, pid: int, seconds: int) -> tuple[dict[str, Any], list[str]]:
    """Return what was measured under hostile clients, and what failed."""
    result = serve.load_test(port, pid, serve.HOSTILE, clients=CLIENTS, seconds=seconds)
    result["seconds_to_recover"] = serve.seconds_to_predict(port)
    memory = result["resident_mb"]
    return result, [
        *result["unexpected"],
        *(["memory grew"] if memory["end"] > 1.1 * memory["after_warm_up"] else []),
        *(["slow recovery"] if result["seconds_to_recover"] > 1 else []),
    ]


def soak(port: int, pid: int, seconds: int, rate: float) -> tuple[dict[str, Any], list[str]]:
    """Return the growth in six hours at a constant rate of requests, and what failed."""
    rng = random.Random(0)
    kinds = serve.requests()
    # Requests that overlap let the server create the threads of its pool, which it then keeps.
    serve.load_test(port, pid, {}, seconds=0)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    start = time.monotonic()
    unexpected: list[str] = []
    samples: list[tuple[float, ...]] = []
    count = 0
    while (elapsed := time.monotonic() - start) < seconds:
        name = rng.choice(list(kinds))
        request, expected = kinds[name]
        status = serve.send(connection, request)
        count += 1
        if status not in (expected, 503):
            unexpected.append(f"{name}: {status}")
        if elapsed > 0.1 * seconds and (not samples or elapsed > samples[-1][0] + 2):
            samples.append((elapsed, *usage(pid)))
        time.sleep(max(0.0, start + count / rate - time.monotonic()))
    times, *columns = np.array(samples).T
    growth = {
        name: round(SIX_HOURS * float(np.polyfit(times, column, 1)[0]), 1)
        for name, column in zip(LARGEST_GROWTH, columns, strict=True)
    }
    result = {
        "seconds": seconds,
        "requests_per_second": round(count / seconds, 1),
        "unexpected": unexpected,
        "first": dict(zip(LARGEST_GROWTH, samples[0][1:], strict=True)),
        "last": dict(zip(LARGEST_GROWTH, samples[-1][1:], strict=True)),
        "growth_in_six_hours": growth,
    }
    grown = [name for name, largest in LARGEST_GROWTH.items() if growth[name] > largest]
    return result, unexpected + [f"{name} grew" for name in grown]


def usage(pid: int) -> tuple[float, ...]:
    """Return resident memory in MB, open files and threads of a process."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    rss, threads = (int(status.split(f"{key}:")[1].split()[0]) for key in ("VmRSS", "Threads"))
    return rss / 1024, len(list(Path(f"/proc/{pid}/fd").iterdir())), threads


if __name__ == "__main__":
    main()
