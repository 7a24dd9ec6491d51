"""A task of a local cluster: a program that ends with who started it, however that ended.

python -m deep_mnist.distributed.local_task PROGRAM [FLAG ...]
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

GRACE = 60.0  # seconds to end in after a signal: more than a parameter server takes


def main() -> None:
    program = sys.argv.pop(1)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    runpy.run_module(f"deep_mnist.{program}", run_name="__main__", alter_sys=True)


def _end_with_the_parent() -> None:
    """Standard input is a pipe that the parent holds and never writes to: the system closes it."""
    os.read(sys.stdin.fileno(), 1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):  # nobody reads them any more, and writing would fail
        os.dup2(nowhere, descriptor)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)


if __name__ == "__main__":
    main()
