"""From a program's command line to its training."""

from __future__ import annotations

import dataclasses
import json
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
from deep_mnist.training import mixed_precision, run_directory
from deep_mnist.training.config import Options, RunConfig
from deep_mnist.training.numpy_session import NumpySession
from deep_mnist.training.run import Run
from deep_mnist.training.session import Session


def launch(
    program: str,
    config_class: type[Any],
    train: Callable[[Any, Run], None],
    doc: str | None,
    argv: Sequence[str] | None,
    *,
    numpy_only: bool = False,
) -> int:
    """Call `train(config, run)` as the flags say, and return the exit code.

    Args:
      program: "softmax", "cnn", "mlp" or "fnn".
      config_class: the tutorial's Config.
      train: the tutorial's train.
      doc: the tutorial's docstring, for --help.
      argv: the arguments; None means those of the process.
      numpy_only: the program needs no TensorFlow and saves its weights in .npz files.
    """

    def command() -> None:
        options, given = flags.parse(program, config_class, doc or "", argv, numpy_only=numpy_only)
        if not options.eval_only:
            _check_single_process(program)
        # Paths are checked first: nobody waits for TensorFlow to learn of a missing directory.
        configured = configure(program, config_class, options, given, numpy_only=numpy_only)
        if configured is None:
            return
        config, run_config, options = configured
        if not numpy_only:
            lazy_tensorflow.import_quietly()
        session_class = NumpySession if numpy_only else Session
        train(config, Run(program, config, run_config, options, session_class))

    return exit_code(program, command, stopped="stopped before the first step")


def configure(
    program: str,
    config_class: type[Any],
    options: Options,
    given: dict[str, Any],
    *,
    numpy_only: bool = False,
    shared_directory: bool = False,
) -> tuple[Any, RunConfig, Options] | None:
    """Return the configuration of a run, with all paths resolved and checked.

    Args:
      program: "softmax", "cnn", "mlp" or "fnn".
      config_class: the tutorial's Config.
      options: what the command is asked to do.
      given: the settings that were given, by field name.
      numpy_only: the program does not use TensorFlow.
      shared_directory: other processes may be working in the run's directory.

    Returns:
      The tutorial's Config, the RunConfig and the options; None if the run is finished already.

    Raises:
      DeepMnistError: a setting or a path is wrong.
    """
    if options.resume is not None:
        directory = run_directory.find(program, options.resume)
        if run_directory.print_if_finished(program, directory):
            return None
        if not shared_directory:
            run_directory.lock(directory).release()
        options = dataclasses.replace(options, resume=str(directory))
        config, run_config = run_directory.read_config(
            directory / run_directory.CONFIG, program, config_class, numpy_only=numpy_only
        )
    else:
        settings = configs.with_recipe(program, given)
        config, run_config = configs.create_configs(config_class, settings)
    precision = mixed_precision.choose(run_config.precision)
    run_config = dataclasses.replace(run_config, precision=precision)
    if options.run_dir is not None:
        if not numpy_only:
            reader.check_path(options.run_dir)
        if not shared_directory:
            run_directory.check_unused(options.run_dir)
    if options.restore is not None:
        path = pretrained.directory(program) if options.restore is True else options.restore
        checkpoint = npz_saver.find(str(path)) if numpy_only else paths.find(str(path))
        options = dataclasses.replace(options, restore=str(checkpoint))
        config = run_directory.with_architecture(config, given, checkpoint)
        if options.eval_only and "dataset" not in given:
            dataset = run_directory.dataset_of_checkpoint(checkpoint)
            run_config = dataclasses.replace(run_config, dataset=dataset)
        for line in run_directory.assumptions(config, given, checkpoint):
            print(f"warning: {program}: {printable(line)}", file=sys.stderr)
    return config, run_config, options


def _check_single_process(program: str) -> None:
    """Raise DeepMnistError where TF_CONFIG lists several tasks: each would train by itself."""
    try:
        cluster = json.loads(os.environ.get("TF_CONFIG", "") or "{}")["cluster"]
        tasks = sum(len(addresses) for addresses in cluster.values())
    except (ValueError, TypeError, KeyError, AttributeError):
        return  # not a cluster; deep_mnist.distributed reports what is wrong with it
    if tasks > 1:
        raise DeepMnistError(
            f"TF_CONFIG lists a cluster of {tasks} tasks, and this command trains in one process",
            hint=f"train on the cluster with: python -m deep_mnist.distributed {program}"
            if configs.uses_optimizer(program)
            else "unset TF_CONFIG",
        )
