"""Train softmax or cnn on several processes or machines.

    python -m deep_mnist.distributed cnn --local 1ps,2w       all processes on this machine
    python -m deep_mnist.distributed cnn --cluster ps=A:2222 worker=B:2222,C:2222 --task ps:0
    TF_CONFIG='{...}' python -m deep_mnist.distributed cnn    as a Kubernetes operator starts it

PROGRAM is softmax or cnn. Its own flags (--steps, --recipe, --run-dir, --resume, ...) follow as in
`python -m deep_mnist.PROGRAM`. All tasks get the same flags, except --task. The chief reports and
saves; worker:0 is the chief unless the cluster has a job of that name. An evaluator evaluates the
checkpoints in --run-dir. Every task listens on its port without authentication: use a private
network (docs/distributed.md).
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import math
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from deep_mnist.cli import exit_code, flags
from deep_mnist.distributed import chief_failure, launch, local_cluster
from deep_mnist.distributed.launch import ClusterOptions
from deep_mnist.distributed.task import PARAMETER_SERVER, STRATEGIES
from deep_mnist.errors import DeepMnistError
from deep_mnist.training import Options

PROGRAMS = ("softmax", "cnn")
STOPPED = "stopped before the first step"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; a task ends the process instead."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    return exit_code("distributed", lambda: _command(arguments), STOPPED)


def _command(arguments: list[str]) -> int | None:
    program, cluster_options, options, given = parse(arguments)
    module = importlib.import_module(f"deep_mnist.{program}")
    tf_config = os.environ.get("TF_CONFIG", "").strip()
    task = launch.create_task(program, cluster_options, tf_config)
    with chief_failure.report_errors(task):
        configured = launch.configure(task, module.Config, options, given)
        if configured is None:
            return None
    if cluster_options.local is not None:
        return local_cluster.run(program, task.cluster, arguments[1:])
    if cluster_options.exit_with_stdin:
        local_cluster.exit_with_stdin()

    def run() -> None:
        with chief_failure.report_errors(task):
            launch.start(task, *configured, module.train)
        sys.stdout.flush()

    # Threads of TensorFlow may still wait for other tasks; at the interpreter's exit they hang or
    # abort the process.
    try:
        code = exit_code("distributed", run, STOPPED)
    except Exception:
        traceback.print_exc()
        code = 1
    sys.stderr.flush()
    os._exit(code)


def parse(arguments: list[str]) -> tuple[str, ClusterOptions, Options, dict[str, Any]]:
    """Parse a command line.

    Returns:
      The program, the flags of the cluster, the options, and the settings that were given.

    Raises:
      DeepMnistError: a flag is unknown or malformed, or flags exclude each other.
    """
    show_all = "--help-all" in arguments
    show_help = show_all or not {"-h", "--help"}.isdisjoint(arguments)
    program, *rest = arguments or ["nothing"]
    if program not in PROGRAMS:
        if not show_help:
            raise DeepMnistError(
                f"expected {' or '.join(PROGRAMS)} as the first argument, found {program}",
                hint="list the flags with: python -m deep_mnist.distributed --help",
            )
        program, rest = "cnn", arguments
    parser = flags.program_parser("distributed", __doc__ or "", show_all=show_all)
    parser.usage = "python -m deep_mnist.distributed PROGRAM [flags]"
    _add_cluster_flags(parser)
    config_class = importlib.import_module(f"deep_mnist.{program}").Config
    if show_all or not show_help:
        flags.add_settings(parser, program, config_class, numpy_only=False, show_all=show_all)
        flags.add_options(parser, program, numpy_only=False, show_all=show_all)
    namespace = parser.parse_args(rest)
    names = [field.name for field in dataclasses.fields(ClusterOptions)]
    cluster_options = ClusterOptions(**{name: vars(namespace).pop(name) for name in names})
    return program, cluster_options, *flags.split(namespace, config_class)


def _add_cluster_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("cluster")
    group.add_argument(
        "--local",
        metavar="NPS,NW",
        help="start parameter servers and workers on this machine: 1ps,2w or 2w",
    )
    group.add_argument(
        "--cluster",
        nargs="+",
        metavar="JOB=ADDRESSES",
        help="addresses of all tasks, HOST:PORT,...; jobs: ps, worker, chief, evaluator",
    )
    group.add_argument("--task", metavar="JOB:INDEX", help="this process, such as worker:0")
    group.add_argument(
        "--strategy",
        choices=STRATEGIES,
        default=PARAMETER_SERVER,
        metavar="NAME",
        help=f"one of {', '.join(STRATEGIES)} (default: {PARAMETER_SERVER})",
    )
    group.add_argument(
        "--sync", action="store_true", help="each update is the mean of the workers' gradients"
    )
    group.add_argument(
        "--backup-workers",
        type=int,
        default=0,
        metavar="N",
        help="with --sync: number of gradients not to wait for (default: 0)",
    )
    group.add_argument(
        "--stall-timeout",
        type=_seconds,
        default=300.0,
        metavar="SECONDS",
        help="end where nothing happens for so long (default: 300)",
    )
    group.add_argument("--exit-with-stdin", action="store_true", help=argparse.SUPPRESS)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not (seconds > 0 and math.isfinite(seconds)):
        raise argparse.ArgumentTypeError(f"expected seconds above 0, found {text!r}")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
