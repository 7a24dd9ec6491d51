"""Processes of the implementations in frameworks/; see frameworks/protocol.py for the commands."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any


class Process:
    """A running implementation; leaving the `with` block waits for it to end.

    Args:
      command: the command line, without the directory and keep_prob.
      directory: where the shared inputs and the temporary files are.
      keep_prob: probability of keeping a unit in training.
      flags: further arguments.
    """

    def __init__(
        self, command: list[str], directory: str, keep_prob: float, flags: tuple[str, ...]
    ) -> None:
        self.command = [*command, directory, str(keep_prob), *flags]
        self.peak_mb = 0.0  # largest resident set, known after the process has ended
        with tempfile.NamedTemporaryFile(dir=directory, delete=False) as log:
            self.log = Path(log.name)
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(Path(directory, "inductor"))},
            )

    def request(self, line: str) -> Any:
        """Send a command and return its result; end the program if the process has ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            print(line, file=self.process.stdin, flush=True)
        reply = self.process.stdout.readline()
        if not reply:
            sys.stderr.write(self.log.read_text("utf-8", errors="replace"))
            raise SystemExit(f"{' '.join(self.command)} ended at the command: {line}")
        return json.loads(reply)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *error: object) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.process.stdout.close()
        self.peak_mb = usage.ru_maxrss / 1024
