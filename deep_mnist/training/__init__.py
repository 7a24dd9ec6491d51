"""A built graph + data -> a trained checkpoint.

Read in this order:

    config.py          option(): a field of a Config that becomes a flag
    flags.py           the command line
    recipes.py         settings that go together, by name
    launch.py          from a command line to a training
    exit_code.py       how every command ends
    tensorflow.py      tf: tensorflow.compat.v1, imported when first used
    schedule.py        the learning rate over the steps
    precision.py       float32 or bfloat16
    backward.py        the same gradients by quicker kernels
    session.py         a tf.Session that saves, restores and evaluates its model
    threads.py         the threads that a process computes with
    numpy_session.py   the same for a model of NumPy arrays
    score.py           how a model does, and which one it is
    run.py             one run: its steps, its reports, its result
    placement.py       where it runs: here alone, or as part of a cluster (cluster/)
    checkpoints.py     the checkpoints that a run writes; npz_checkpoints.py: of NumPy arrays
    locate.py          from a path to a checkpoint, ours or an old one
    weights.py         the weights in it
    layouts.py         which variable of a file is which of the model
    leftovers.py       what a file holds beside the model
    shapes.py          a model's variables and a file's, as shapes
    tables.py          the index of a checkpoint, looked through before TensorFlow sees it
    frozen.py          the constants of a frozen graph; npz_arrays.py: the arrays of an .npz
    signatures.py      what a file is that is no checkpoint
    run_directory.py   the other files of a run; sealed.py: that tell when they are altered
    metrics.py         its reports
    summaries.py       its event files for TensorBoard; projector.py: test digits as points
    machine.py         versions and processor, for the result
    shipped.py         where the trained weights that come with deep_mnist are
    progress.py  interrupts.py  errors.py  printable.py
"""

from deep_mnist.training.config import option, threads_option
from deep_mnist.training.fast_gradients import faster_backward
from deep_mnist.training.mixed_precision import PRECISIONS
from deep_mnist.training.numpy_session import NumpySession
from deep_mnist.training.optimizers import learning_rate
from deep_mnist.training.placement import graph, open_run, open_session, replicated
from deep_mnist.training.recipes import RECIPES
from deep_mnist.training.run import Run
from deep_mnist.training.session import Session

__all__ = [
    "PRECISIONS",
    "RECIPES",
    "NumpySession",
    "Run",
    "Session",
    "faster_backward",
    "graph",
    "learning_rate",
    "open_run",
    "open_session",
    "option",
    "replicated",
    "threads_option",
]
