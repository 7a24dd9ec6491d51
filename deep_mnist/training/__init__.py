"""A built graph + data -> a trained checkpoint.

Read in this order:

    config.py          option(): a field of a Config that becomes a flag
    flags.py           the command line
    launch.py          from a command line to an exit code
    tensorflow.py      tf: tensorflow.compat.v1, imported when first used
    session.py         a tf.Session that saves, restores and evaluates its model
    run.py             one run: its steps, its reports, its result
    checkpoints.py     checkpoints on disk
    run_directory.py   the other files of a run
    machine.py         versions and processor, for the result
    shipped.py         where the trained weights that come with deep_mnist are
    progress.py  interrupts.py  errors.py
"""

from deep_mnist.training.config import available_cpus, option
from deep_mnist.training.errors import Interrupted, UserError
from deep_mnist.training.flags import Options
from deep_mnist.training.launch import launch
from deep_mnist.training.run import Run
from deep_mnist.training.session import Session
from deep_mnist.training.tensorflow import tf

__all__ = [
    "Interrupted",
    "Options",
    "Run",
    "Session",
    "UserError",
    "available_cpus",
    "launch",
    "option",
    "tf",
]
