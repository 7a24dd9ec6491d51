"""What tf_slim and tensorflow_estimator need to be imported on today's TensorFlow.

`run` calls these functions, and `port` writes their source into programs: each is complete, with
its imports.
"""

from __future__ import annotations

__all__ = ["prepare_estimator", "prepare_slim"]


def prepare_slim() -> None:
    """Give tf_slim the names of private modules that moved, and tf_keras.legacy_tf_layers."""
    import importlib
    import sys

    if "tf_keras.legacy_tf_layers" in sys.modules:
        return
    tf = importlib.import_module("tensorflow.compat.v1")
    moved = {
        "tensorflow.python.framework.ops": ("IndexedSlices", "Tensor"),
        "tensorflow.python.ops.array_ops": ("stack", "unstack"),
        "tensorflow.python.ops.control_flow_ops": ("Assert", "case", "cond", "while_loop"),
        "tensorflow.python.ops.variable_scope": ("Variable",),
    }
    for name, members in moved.items():
        module = importlib.import_module(name)
        for member in members:
            old = member.replace("V", "v")  # variable_scope.variable
            if not hasattr(module, old):
                setattr(module, old, getattr(tf, member))
    for part in ("", ".base", ".core", ".convolutional", ".normalization", ".pooling"):
        sys.modules[f"tf_keras.legacy_tf_layers{part}"] = importlib.import_module(
            f"tf_keras.src.legacy_tf_layers{part}"
        )


def prepare_estimator() -> None:
    """Give tensorflow_estimator 2.15 the parts of TensorFlow that 2.16 removed with it."""
    import importlib
    import importlib.util
    import sys
    import types

    if "tensorflow.python.distribute.estimator_training" in sys.modules:
        return
    tf_export = importlib.import_module("tensorflow.python.util.tf_export")
    vars(tf_export)["ESTIMATOR_API_NAME"] = "estimator"
    modules: dict[str, dict[str, object]] = {
        "tensorflow.python.distribute.estimator_training": {
            "should_run_distribute_coordinator": lambda config: False,
            "init_run_config": lambda config, tf_config: None,
        },
        "tensorflow_estimator.python.estimator.estimator_export": {
            "estimator_export": lambda *names, **options: lambda function: function,
        },
    }
    optimizers = ("Adagrad", "Adam", "Ftrl", "Momentum", "ProximalAdagrad", "RMSProp")
    parameters = [f"{name}Parameters" for name in (*optimizers, "StochasticGradientDescent")]
    importlib.import_module("tensorflow.python.tpu")
    for last in ("session_support", "tpu_embedding", "tpu_embedding_gradient"):
        name = f"tensorflow.python.tpu.{last}"
        if importlib.util.find_spec(name) is None:
            modules[name] = dict.fromkeys(parameters)
    importlib.import_module("tensorflow.python.distribute")
    for name, members in modules.items():
        sys.modules[name] = types.ModuleType(name)
        vars(sys.modules[name]).update(members)
        package, _, last = name.rpartition(".")
        if package in sys.modules:
            setattr(sys.modules[package], last, sys.modules[name])
