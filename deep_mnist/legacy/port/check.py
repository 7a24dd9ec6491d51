"""Run a script under `legacy run` and its port in a plain interpreter, for `port --check`."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["check"]


def check(script: Path, text: str, output: Path | None, seconds: float) -> bool:
    """Run both, print how each ended, and return whether neither failed.

    They run in the script's directory, where they may write files. What still runs when the time
    is over has not failed, and is killed.

    Args:
      script: the original.
      text: its port.
      output: the file of the port, None if it was not written.
      seconds: how long each may run.
    """
    bridge = [sys.executable, "-m", "deep_mnist.legacy", "run", script.name]
    before = _failure(bridge, script, seconds)
    with tempfile.TemporaryDirectory() as directory:
        path = output.resolve() if output else Path(directory, script.stem + ".py")
        if output is None:
            path.write_text(text, encoding="utf-8")
        after = _failure([sys.executable, str(path)], script, seconds)
    print(f"check: the original {_ended(before)}, the port {_ended(after)}", file=sys.stderr)
    return before is None and after is None


def _ended(failure: str | None) -> str:
    return "ran" if failure is None else f"failed: {failure}"


def _failure(command: list[str], script: Path, seconds: float) -> str | None:
    """Run a command in the script's directory; return the last line of its error, if it fails."""
    environment = {
        **os.environ,
        "MPLBACKEND": "Agg",
        "PYTHONPATH": os.pathsep.join(
            filter(None, (str(script.resolve().parent), os.environ.get("PYTHONPATH")))
        ),
    }
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        process = subprocess.Popen(  # noqa: S603, the user's own script
            command,
            cwd=script.resolve().parent,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with contextlib.suppress(OSError):
                if hasattr(os, "killpg"):
                    os.killpg(process.pid, signal.SIGKILL)
                else:
                    process.kill()
            process.wait()
        errors.seek(0)
        lines = errors.read().strip().splitlines()
    return None if code == 0 else (lines[-1] if lines else f"exit code {code}")
