"""All robustness tests in one command, within a time budget.

    python tests/robustness [--seconds 7200] [--data-dir DIR]

The tests share the budget equally and run one after the other, each as a process of its own, with
its output in NAME.log in the working directory. Ends with exit code 1 if one of them fails. The
longest setup, of damage.py, takes a minute that is not in the budget. network.py needs root.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import fuzz
import namespaces

HERE = Path(__file__).parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=int, default=7200, help="budget (default: 7200)")
    parser.add_argument("--data-dir", help="directory with MNIST, without which damage.py skips it")
    options = parser.parse_args()
    data = ["--data-dir", options.data_dir] if options.data_dir else []
    tests = {
        **{f"fuzz {target}": ["fuzz.py", target] for target in (*fuzz.TARGETS, "web")},
        "server hostile": ["server.py", "hostile"],
        "server soak": ["server.py", "soak"],
        "damage": ["damage.py", *data],
        "faults": ["faults.py", *data],
        "resumes": ["resumes.py", *data],
    }
    if namespaces.is_available():
        tests["network"] = ["network.py", *data]
    seconds = str(max(1, options.seconds // len(tests)))
    failed = False
    for name, arguments in tests.items():
        command = [sys.executable, str(HERE / arguments[0]), *arguments[1:], "--seconds", seconds]
        start = time.monotonic()
        with Path(f"{name}.log").open("w") as log:
            code = subprocess.run(command, stdout=log, stderr=log, check=False).returncode
        failed |= code != 0
        end = "passed" if code == 0 else f"FAILED ({code}), see {name}.log"
        print(f"{name}: {end}, {time.monotonic() - start:.0f} s", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
