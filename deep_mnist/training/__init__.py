"""The services that a tutorial's training loop needs around it.

Modules, in reading order:

    config.py            option(), RunConfig: settings and their limits
    recipes.py           named settings
    run.py               Run: data, steps, reports, checkpoints, result
    session.py           a tf.Session that saves, restores and evaluates its model
    numpy_session.py     its counterpart for a model of NumPy arrays
    initialization.py    scale of the initial weights
    optimizers.py        optimizers, learning-rate schedule, weight decay
    fast_gradients.py    faster gradients of matrix products and convolutions
    cpu_features.py      vector instructions of the CPU
    mixed_precision.py   float32 or bfloat16
    evaluation.py        accuracy and loss of a split
    run_directory.py     the run's directory, config.json and result.json
    checksummed_json.py  JSON files with a checksum
    metrics.py           the reports in metrics.jsonl
    summaries.py         event files for TensorBoard; projector.py: its embedding projector
    progress.py, interrupts.py, threads.py, environment.py
"""

from deep_mnist.training.config import Options, RunConfig, option
from deep_mnist.training.numpy_session import NumpySession
from deep_mnist.training.recipes import RECIPES
from deep_mnist.training.run import Run
from deep_mnist.training.session import Session

__all__ = ["RECIPES", "NumpySession", "Options", "Run", "RunConfig", "Session", "option"]
