"""The process of a contender, driven line by line: peers/contender.py tells how."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

KEEP_PROB = "KEEP_PROB"  # stands for the number in a command line


class Process:
    """Runs a command line in DIRECTORY, its third word; waits for it to end when left."""

    def __init__(self, command: list[str], keep_prob: float) -> None:
        self.command = [word if word != KEEP_PROB else str(keep_prob) for word in command]
        directory = Path(command[2])
        self.peak_mb = 0.0  # the largest resident set, known when it has ended
        with tempfile.NamedTemporaryFile(dir=directory, delete=False) as log:
            self.log = Path(log.name)
            self.popen = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(directory / "inductor")},
            )

    def ask(self, line: str) -> Any:
        """Sends a line, waits for the answer; ends the program if the contender did."""
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            print(line, file=self.popen.stdin, flush=True)
        answer = self.popen.stdout.readline()
        if not answer:
            sys.stderr.write(self.log.read_text("utf-8", errors="replace"))
            raise SystemExit(f"{' '.join(self.command)} ended when asked to: {line}")
        return json.loads(answer)

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.popen.stdin.close()
        _, status, usage = os.wait4(self.popen.pid, 0)
        self.popen.returncode = os.waitstatus_to_exitcode(status)
        self.popen.stdout.close()
        self.peak_mb = usage.ru_maxrss / 1024
