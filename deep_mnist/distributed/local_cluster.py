"""All the processes of a cluster on this machine, for trying one out."""

from __future__ import annotations

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

from deep_mnist.cli.flags import Options
from deep_mnist.distributed import cluster_spec, start
from deep_mnist.distributed.local_task import GRACE
from deep_mnist.distributed.task import Task
from deep_mnist.errors import DeepMnistError, Interrupted
from deep_mnist.training import interrupts

POLL = 0.2  # seconds between looks at the processes
LIMIT = 64  # processes
FORM = re.compile(r"(?:(?P<ps>\d{1,3})ps,)?(?P<workers>\d{1,3})w", re.ASCII)


def run(program: str, argv: Sequence[str], options: Options) -> int:
    """Starts the processes, prints what they say, each line with its task, and ends them together.

    Returns:
      0, or the exit code of the first that failed: 1 where a signal killed it.

    Raises:
      DeepMnistError: the number of processes is malformed, or does not fit the other flags.
      Interrupted: a signal arrived; the processes have been told, and have ended.
      BrokenPipeError: nobody reads what they say any more; they have been told, and have ended.
    """
    jobs = _jobs(str(options.local_cluster))
    this = Task(
        program,
        jobs,
        "worker",
        0,
        options.strategy,
        options.sync,
        options.backup_workers,
        options.stall_timeout,
    )
    cluster_spec.check_strategy(this)
    start.check_options(this, options)
    for flag, given in (("--cluster", options.cluster), ("--task", options.task)):
        if given is not None:
            raise DeepMnistError(f"--local-cluster makes its own cluster: leave out {flag}")
    words = [f"{job}={','.join(tasks.values())}" for job, tasks in jobs.items()]
    module = "deep_mnist.distributed.local_task"
    command = [sys.executable, "-m", module, program, *_without_local_cluster(argv)]
    tasks = [f"{job}:{index}" for job, tasks in jobs.items() for index in tasks]
    width = max(len(task) for task in tasks)
    processes: dict[str, subprocess.Popen[str]] = {}
    printers = []
    unread = threading.Event()
    with interrupts.deferred() as pending:
        try:
            for task in tasks:
                process = processes[task] = subprocess.Popen(
                    [*command, "--cluster", *words, "--task", task],
                    env={**os.environ, "TF_CONFIG": "", "PYTHONUNBUFFERED": "1"},
                    stdin=subprocess.PIPE,  # by its end they know of this process's
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",
                    start_new_session=True,  # Ctrl-C is for this process to pass on
                )
                for source, target in ((process.stdout, sys.stdout), (process.stderr, sys.stderr)):
                    assert source is not None
                    arguments = (source, target, f"{task:<{width}} | ", unread)
                    printers.append(threading.Thread(target=_print, args=arguments, daemon=True))
                    printers[-1].start()
            failed = _wait(processes, pending, unread)
        finally:
            _end(processes)
            for printer in printers:
                printer.join(timeout=5)
    if pending.signal_number is not None:
        raise Interrupted(pending.signal_number, "stopped, and every process with it")
    if unread.is_set():
        raise BrokenPipeError
    if failed is None:
        return 0
    code = processes[failed].returncode
    ended = f"exit code {code}" if code > 0 else f"killed by {signal.Signals(-code).name}"
    print(f"{program}: {failed} failed ({ended}); the others were ended", file=sys.stderr)
    return max(code, 1)


def _wait(
    processes: dict[str, subprocess.Popen[str]],
    pending: interrupts.Pending,
    unread: threading.Event,
) -> str | None:
    """Waits for all to end well, one to fail, or a reason to stop; returns which one failed."""
    while pending.signal_number is None and not unread.is_set():
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
    deadline = time.monotonic() + GRACE
    for process in processes.values():
        try:
            process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdin is not None
        process.stdin.close()


def _jobs(text: str) -> dict[str, dict[int, str]]:
    match = FORM.fullmatch(text)
    counts = {
        "ps": int(match["ps"] or 0) if match else 0,
        "worker": int(match["workers"]) if match else 0,
    }
    if counts["worker"] == 0 or sum(counts.values()) > LIMIT:
        raise DeepMnistError(
            f"--local-cluster: expected workers, as in 1ps,2w, or 2w for all-reduce, {LIMIT} "
            f"processes at most, found {text!r}"
        )
    with ExitStack() as stack:  # holds all ports at once, so that they differ
        sockets = [stack.enter_context(socket.socket()) for _ in range(sum(counts.values()))]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        ports = iter([each.getsockname()[1] for each in sockets])
    return {
        job: {index: f"127.0.0.1:{next(ports)}" for index in range(count)}
        for job, count in counts.items()
        if count
    }


def _without_local_cluster(argv: Sequence[str]) -> list[str]:
    rest: list[str] = []
    skip = False
    for word in argv:
        if skip:
            skip = False
        elif word == "--local-cluster":
            skip = True
        elif not word.startswith("--local-cluster="):
            rest.append(word)
    return rest


def _print(source: IO[str], target: IO[str], prefix: str, unread: threading.Event) -> None:
    try:
        for line in source:
            target.write(f"{prefix}{line.rstrip()}\n")
            target.flush()
    except BrokenPipeError:
        unread.set()
        for _ in source:
            pass  # who writes into a pipe that is full does not end
