"""From a program's command line to its training, and an exit code."""

from __future__ import annotations

import dataclasses
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from deep_mnist import lazy_tensorflow
from deep_mnist.checkpoints import npz_saver, paths, pretrained, reader
from deep_mnist.cli import flags
from deep_mnist.cli.exit_codes import exit_code
from deep_mnist.errors import DeepMnistError, printable
from deep_mnist.training import config as configs
from deep_mnist.training import mixed_precision, recipes, run_directory


def launch(
    name: str,
    config_class: type[Any],
    train: Callable[[Any, flags.Options], None],
    doc: str | None,
    argv: Sequence[str] | None,
    *,
    numpy_only: bool = False,
    distributed: bool = False,
) -> int:
    """Calls `train(config, options)` as the flags say and returns the exit code.

    `numpy_only` programs need no TensorFlow and keep their weights in .npz files. `distributed`
    ones can be a task of a cluster: their `train` is of placement.py's graph, session and run.
    """
    return exit_code(
        name,
        lambda: _run(name, config_class, train, doc, argv, numpy_only, distributed),
        stopped="stopped; no run was under way",
    )


def _run(
    name: str,
    config_class: type[Any],
    train: Callable[[Any, flags.Options], None],
    doc: str | None,
    argv: Sequence[str] | None,
    numpy_only: bool,
    distributed: bool,
) -> int | None:
    """Looks at every place first: nobody waits for TensorFlow to hear that a folder is missing."""
    options, given = flags.parse(
        name, config_class, doc or "", argv, numpy_only=numpy_only, distributed=distributed
    )
    task = None
    if not distributed and flags.names_a_cluster(options):
        _refuse_cluster(name)
    if distributed and options.local_cluster is None and flags.names_a_cluster(options):
        cluster = importlib.import_module("deep_mnist.distributed.start")
        task = cluster.task(name, options)
        if task is not None and not task.is_chief:  # it alone reads and writes checkpoints
            options = dataclasses.replace(options, restore=None)
        if task is not None and task.job == "ps" and options.resume is not None:
            options = dataclasses.replace(options, resume=None, run_dir=str(options.resume))
    if options.resume is not None:
        directory = run_directory.find(name, options.resume)
        if run_directory.is_finished(name, directory):
            return None
        if task is None:
            run_directory.Lock(directory).release()
        options = dataclasses.replace(options, resume=str(directory))
        config = configs.read_json(directory / run_directory.CONFIG, config_class)
    else:
        config = config_class(**recipes.settings(name, given))
        configs.check(config)
    if hasattr(config, "precision"):
        config = dataclasses.replace(config, precision=mixed_precision.choose(config.precision))
    if options.run_dir is not None:
        if not numpy_only:
            reader.check_path(options.run_dir)
        if task is None and options.local_cluster is None:  # a cluster may go on with its run
            run_directory.check_unused(options.run_dir)
    if options.restore is not None:
        place = pretrained.directory(name) if options.restore is True else options.restore
        find = npz_saver.find if numpy_only else paths.find
        restore = find(str(place))
        options = dataclasses.replace(options, restore=str(restore))
        config = run_directory.with_architecture(config, given, restore)
        for line in run_directory.assumptions(config, given, restore):
            print(f"{name}: {printable(line)}", file=sys.stderr)
    if options.local_cluster is not None:
        local = importlib.import_module("deep_mnist.distributed.local_cluster")
        code: int = local.run(name, sys.argv[1:] if argv is None else argv, options)
        return code
    if task is not None:
        cluster.start(config, options, task, train)
        return None
    if not numpy_only:
        lazy_tensorflow.import_quietly()
    train(config, options)
    return None


def _refuse_cluster(name: str) -> None:
    """Raises DeepMnistError where TF_CONFIG names several tasks: each would train alone, unnoticed."""
    addresses = importlib.import_module("deep_mnist.distributed.cluster_spec")
    found = addresses.from_tf_config(os.environ["TF_CONFIG"])
    tasks = sum(len(job) for job in found[0].values()) if found is not None else 0
    if tasks > 1:
        raise DeepMnistError(
            f"TF_CONFIG names a cluster of {tasks} tasks, and {name} trains in one process: "
            "unset TF_CONFIG, or take softmax or cnn"
        )
