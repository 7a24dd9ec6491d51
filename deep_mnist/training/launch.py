"""From a command line to an exit code: 0 done, 2 the user's mistake, 130 and 143 interrupted."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from deep_mnist.data import DataError
from deep_mnist.training import (
    checkpoints,
    flags,
    npz_checkpoints,
    run_directory,
    shipped,
    tensorflow,
)
from deep_mnist.training import config as configs
from deep_mnist.training.errors import Interrupted, UserError

STOPPED = "stopped; no run was under way"


def launch(
    name: str,
    config_class: type[Any],
    train: Callable[[Any, flags.Options], None],
    doc: str | None,
    argv: Sequence[str] | None,
    *,
    numpy_only: bool = False,
) -> int:
    """Calls `train(config, options)` as the flags say and returns the exit code.

    `numpy_only` programs need no TensorFlow and keep their weights in .npz files.
    A mistake of the user's is one line on standard error, never a traceback.
    """
    before = _terminate_by_exception()
    try:
        _run(name, config_class, train, doc, argv, numpy_only)
    except (UserError, DataError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    except Interrupted as interrupted:
        print(f"{name}: {interrupted}", file=sys.stderr)
        return 128 + interrupted.signal_number
    except KeyboardInterrupt:
        print(f"{name}: {STOPPED}", file=sys.stderr)
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"{name}: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
        return 2
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)
    return 0


def _run(
    name: str,
    config_class: type[Any],
    train: Callable[[Any, flags.Options], None],
    doc: str | None,
    argv: Sequence[str] | None,
    numpy_only: bool,
) -> None:
    """Looks at every place first: nobody waits for TensorFlow to hear that a folder is missing."""
    options, given = flags.parse(name, config_class, doc or "", argv)
    if options.resume is not None:
        directory = run_directory.find(name, options.resume)
        if run_directory.is_finished(name, directory):
            return
        options = dataclasses.replace(options, resume=str(directory))
        config = configs.read_json(directory / run_directory.CONFIG, config_class)
    else:
        config = config_class(**given)
        configs.check(config)
    if options.run_dir is not None:
        if not numpy_only:
            checkpoints.check_path(options.run_dir)
        run_directory.check_unused(options.run_dir)
    if options.restore is not None:
        place = shipped.directory(name) if options.restore is True else options.restore
        find = npz_checkpoints.find if numpy_only else checkpoints.find
        restore = find(str(place))
        options = dataclasses.replace(options, restore=str(restore))
        config = run_directory.with_architecture(config, given, restore.parent)
    if not numpy_only:
        tensorflow.import_quietly()
    train(config, options)


def _terminate_by_exception() -> Any:
    """Makes SIGTERM an exception, as Ctrl-C is; returns the handler before, if it was changed."""

    def terminate(signal_number: int, frame: FrameType | None) -> None:
        raise Interrupted(signal_number, STOPPED)

    try:
        return signal.signal(signal.SIGTERM, terminate)
    except ValueError:  # off the main thread, Python takes no handlers
        return None
