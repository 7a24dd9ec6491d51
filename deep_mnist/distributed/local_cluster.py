"""All processes of a cluster on this machine."""

from __future__ import annotations

import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import IO

from deep_mnist.distributed.task import Cluster
from deep_mnist.distributed.timeouts import PROCESS_SHUTDOWN
from deep_mnist.errors import DeepMnistError, Interrupted
from deep_mnist.training import interrupts

POLL = 0.2  # seconds between checks of the processes
LIMIT = 64  # processes
FORM = re.compile(r"(?:(?P<ps>\d{1,3})ps,)?(?P<workers>\d{1,3})w", re.ASCII)


def create(text: str) -> Cluster:
    """Return a cluster on free ports of this machine.

    Args:
      text: number of tasks, such as "1ps,2w" or "2w".

    Raises:
      DeepMnistError: the text is malformed, or has too many processes.
    """
    match = FORM.fullmatch(text)
    servers, workers = (int(match["ps"] or 0), int(match["workers"])) if match else (0, 0)
    if workers == 0 or servers + workers > LIMIT:
        raise DeepMnistError(
            f"--local: expected parameter servers and workers, such as 1ps,2w or 2w, at most "
            f"{LIMIT} in all, found {text!r}"
        )
    with ExitStack() as stack:  # holds all ports at once, so that they differ
        sockets = [stack.enter_context(socket.socket()) for _ in range(servers + workers)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    jobs = {"ps": addresses[:servers], "worker": addresses[servers:]}
    return {job: dict(enumerate(tasks)) for job, tasks in jobs.items() if tasks}


def run(program: str, cluster: Cluster, arguments: Sequence[str]) -> int:
    """Run one process for each task, print their output with the task's name, end them together.

    Args:
      program: "softmax" or "cnn".
      cluster: as returned by `create`.
      arguments: the command line after the program.

    Returns:
      0, or the exit code of the first process that failed, 1 if a signal killed it.

    Raises:
      Interrupted: a signal arrived; all processes have saved and ended.
      BrokenPipeError: standard output was closed; all processes have saved and ended.
    """
    processes: dict[str, subprocess.Popen[str]] = {}
    printers: list[threading.Thread] = []
    output_closed = threading.Event()
    tasks = [f"{job}:{index}" for job, addresses in cluster.items() for index in addresses]
    width = max(map(len, tasks))
    command = _command(program, cluster, arguments)
    with interrupts.deferred() as pending:
        try:
            for task in tasks:
                process = processes[task] = _start([*command, "--task", task])
                for source, target in ((process.stdout, sys.stdout), (process.stderr, sys.stderr)):
                    thread = threading.Thread(
                        target=_print,
                        args=(source, target, f"{task:<{width}} | ", output_closed),
                        daemon=True,
                    )
                    thread.start()
                    printers.append(thread)
            failed = _wait(processes, pending, output_closed)
        finally:
            _end(processes)
            for printer in printers:
                printer.join(timeout=5)
    if pending.signal_number is not None:
        raise Interrupted(pending.signal_number, "stopped; all processes have ended")
    if output_closed.is_set():
        raise BrokenPipeError
    if failed is None:
        return 0
    code = processes[failed].returncode
    reason = f"exit code {code}" if code > 0 else f"killed by {signal.Signals(-code).name}"
    print(f"error: distributed: {failed} failed ({reason}); all were stopped", file=sys.stderr)
    return max(code, 1)


def exit_with_stdin() -> None:
    """End this process when the one that started it ends, in whatever way.

    Standard input is a pipe that the other process never writes to. The system closes it.
    """
    threading.Thread(target=_wait_for_end_of_stdin, daemon=True).start()


def _wait_for_end_of_stdin() -> None:
    os.read(sys.stdin.fileno(), 1)
    null = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):  # nobody reads them any more, and writing would fail
        os.dup2(null, descriptor)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PROCESS_SHUTDOWN)
    os._exit(1)


def _command(program: str, cluster: Cluster, arguments: Sequence[str]) -> list[str]:
    """Return the command of each task: that of the user, with --cluster instead of --local."""
    local = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    local.add_argument("--local")
    _, rest = local.parse_known_args(arguments)
    jobs = [f"{job}={','.join(addresses.values())}" for job, addresses in cluster.items()]
    command = [sys.executable, "-m", "deep_mnist.distributed", program, *rest]
    return [*command, "--exit-with-stdin", "--cluster", *jobs]


def _start(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,  # Ctrl-C reaches this process alone, which passes it on
    )


def _wait(
    processes: dict[str, subprocess.Popen[str]],
    pending: interrupts.Pending,
    output_closed: threading.Event,
) -> str | None:
    """Wait until all succeeded, one failed, or this process must stop; return which failed."""
    while pending.signal_number is None and not output_closed.is_set():
        codes = {task: process.poll() for task, process in processes.items()}
        failed = next((task for task, code in codes.items() if code), None)
        if failed is not None or None not in codes.values():
            return failed
        time.sleep(POLL)
    return None


def _end(processes: dict[str, subprocess.Popen[str]]) -> None:
    for process in processes.values():
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + PROCESS_SHUTDOWN
    for process in processes.values():
        try:
            process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdin is not None
        process.stdin.close()


def _print(source: IO[str], target: IO[str], prefix: str, output_closed: threading.Event) -> None:
    try:
        for line in source:
            target.write(f"{prefix}{line.rstrip()}\n")
            target.flush()
    except BrokenPipeError:
        output_closed.set()
        for _ in source:
            pass  # a process that writes into a full pipe does not end
