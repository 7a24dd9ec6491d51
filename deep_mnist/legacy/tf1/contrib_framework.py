"""tf.contrib.framework: argument scopes and the variables of a model."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = [
    "add_arg_scope",
    "add_model_variable",
    "arg_scope",
    "arg_scoped_arguments",
    "assert_global_step",
    "assign_from_checkpoint_fn",
    "create_global_step",
    "current_arg_scope",
    "filter_variables",
    "get_global_step",
    "get_local_variables",
    "get_model_variables",
    "get_or_create_global_step",
    "get_trainable_variables",
    "get_unique_variable",
    "get_variables",
    "get_variables_by_name",
    "get_variables_by_suffix",
    "get_variables_to_restore",
    "global_variable",
    "has_arg_scope",
    "init_from_checkpoint",
    "is_tensor",
    "list_variables",
    "load_checkpoint",
    "load_variable",
    "local_variable",
    "model_variable",
    "sort",
    "variable",
]

_scopes: list[dict[str, dict[str, Any]]] = [{}]


def add_arg_scope(function: Callable[..., Any]) -> Callable[..., Any]:
    """Lets arg_scope give a function's arguments; the call's own win."""

    @functools.wraps(function)
    def scoped(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **{**_scopes[-1].get(_key(scoped), {}), **kwargs})

    scoped._arg_scope_key = f"{function.__module__}.{function.__qualname__}"  # type: ignore[attr-defined]
    return scoped


@contextmanager
def arg_scope(functions: Any, **arguments: Any) -> Iterator[Any]:
    """Gives `arguments` to every call of `functions` in the body; or enters a scope once more."""
    if isinstance(functions, dict):
        scope = functions
    else:
        scope = {key: dict(value) for key, value in _scopes[-1].items()}
        for function in functions if isinstance(functions, list | tuple) else [functions]:
            scope.setdefault(_key(function), {}).update(arguments)
    _scopes.append(scope)
    try:
        yield scope
    finally:
        _scopes.pop()


def has_arg_scope(function: Any) -> bool:
    """Whether arg_scope may name a function."""
    return hasattr(function, "_arg_scope_key")


def current_arg_scope() -> dict[str, dict[str, Any]]:
    """The scope that is open, to be entered again."""
    return _scopes[-1]


def arg_scoped_arguments(function: Any) -> Any:
    """The names of a function's arguments."""
    return tuple(inspect.signature(function).parameters)


def _key(function: Any) -> str:
    return getattr(function, "_arg_scope_key", "") or f"{function.__module__}.{function.__name__}"


def variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Any = None,
    device: Any = None,
    **unused: Any,
) -> Any:
    """get_variable, made on `device`."""
    names = collections or [tf.GraphKeys.GLOBAL_VARIABLES]
    with tf.device(device or ""):
        return tf.get_variable(
            name,
            shape,
            dtype or tf.float32,
            initializer,
            regularizer=regularizer,
            trainable=trainable,
            collections=names,
        )


def model_variable(name: str, *args: Any, collections: Any = None, **kwargs: Any) -> Any:
    """A variable that is in MODEL_VARIABLES too."""
    names = [*(collections or []), tf.GraphKeys.GLOBAL_VARIABLES, tf.GraphKeys.MODEL_VARIABLES]
    kwargs["collections"] = list(dict.fromkeys(names))
    return variable(name, *args, **kwargs)


def local_variable(initial_value: Any, *args: Any, name: Any = None, **unused: Any) -> Any:
    """A variable that is not saved."""
    collections = [tf.GraphKeys.LOCAL_VARIABLES]
    return tf.Variable(initial_value, trainable=False, collections=collections, name=name)


def global_variable(initial_value: Any, *args: Any, name: Any = None, **unused: Any) -> Any:
    """A variable that is saved and not trained."""
    return tf.Variable(initial_value, trainable=False, name=name)


def add_model_variable(variable: Any) -> None:
    """Puts a variable into MODEL_VARIABLES."""
    tf.add_to_collection(tf.GraphKeys.MODEL_VARIABLES, variable)


def get_variables(scope: Any = None, suffix: Any = None, collection: Any = None) -> Any:
    """The variables of a scope, those whose name ends in `suffix` if it is given."""
    scope = getattr(scope, "name", scope)
    found = tf.get_collection(collection or tf.GraphKeys.GLOBAL_VARIABLES, scope)
    return [v for v in found if suffix is None or v.op.name.endswith(suffix)]


def get_model_variables(scope: Any = None, suffix: Any = None) -> Any:
    """The variables of MODEL_VARIABLES."""
    return get_variables(scope, suffix, tf.GraphKeys.MODEL_VARIABLES)


def get_trainable_variables(scope: Any = None, suffix: Any = None) -> Any:
    """The variables of TRAINABLE_VARIABLES."""
    return get_variables(scope, suffix, tf.GraphKeys.TRAINABLE_VARIABLES)


def get_variables_to_restore(include: Any = None, exclude: Any = None) -> Any:
    """The variables of the scopes `include` and of none of `exclude`."""
    found = [v for scope in include or [None] for v in get_variables(scope)]
    return [v for v in found if not v.op.name.startswith(tuple(exclude or ()))]


def get_local_variables(scope: Any = None, suffix: Any = None) -> Any:
    """The variables of LOCAL_VARIABLES."""
    return get_variables(scope, suffix, tf.GraphKeys.LOCAL_VARIABLES)


def get_variables_by_suffix(suffix: str, scope: Any = None) -> Any:
    """The variables of a scope whose name ends so."""
    return get_variables(scope, suffix)


def get_variables_by_name(given_name: str, scope: Any = None) -> Any:
    """The variables of a scope whose last part of the name is that."""
    return [v for v in get_variables(scope) if f"/{v.op.name}".endswith(f"/{given_name}")]


def filter_variables(
    var_list: Any,
    include_patterns: Any = None,
    exclude_patterns: Any = None,
    reg_search: bool = True,
) -> Any:
    """Variables whose name has one of the patterns to include and none of those to exclude."""
    has = re.search if reg_search else re.match
    kept = [v for v in var_list if any(has(p, v.op.name) for p in include_patterns or [""])]
    return [v for v in kept if not any(has(p, v.op.name) for p in exclude_patterns or [])]


def get_unique_variable(name: str) -> Any:
    """The variable of that name; ValueError unless there is just one."""
    found = [v for v in get_variables() if v.op.name == name]
    if len(found) != 1:
        raise ValueError(f"expected one variable {name!r}, found {len(found)}")
    return found[0]


def assign_from_checkpoint_fn(path: str, variables: Any, *args: Any, **unused: Any) -> Any:
    """A function that restores variables into a session."""
    saver = tf.train.Saver(variables)
    return lambda session: saver.restore(session, path)


def assert_global_step(step: Any) -> None:
    """TypeError unless it is a whole number."""
    if not step.dtype.base_dtype.is_integer:
        raise TypeError(f"expected a global_step of integers, found {step.dtype.name}")


def create_global_step(graph: Any = None) -> Any:
    """train.create_global_step."""
    return tf.train.create_global_step(graph)


def get_global_step(graph: Any = None) -> Any:
    """train.get_global_step."""
    return tf.train.get_global_step(graph)


def get_or_create_global_step(graph: Any = None) -> Any:
    """train.get_or_create_global_step."""
    return tf.train.get_or_create_global_step(graph)


def is_tensor(value: Any) -> bool:
    """is_tensor."""
    return bool(tf.is_tensor(value))


def init_from_checkpoint(path: str, assignment_map: Any) -> None:
    """train.init_from_checkpoint."""
    tf.train.init_from_checkpoint(path, assignment_map)


def list_variables(path: str) -> Any:
    """train.list_variables."""
    return tf.train.list_variables(path)


def load_variable(path: str, name: str) -> Any:
    """train.load_variable."""
    return tf.train.load_variable(path, name)


def load_checkpoint(path: str) -> Any:
    """train.load_checkpoint."""
    return tf.train.load_checkpoint(path)


def sort(values: Any, axis: int = -1, direction: str = "ASCENDING", name: Any = None) -> Any:
    """sort."""
    return tf.sort(values, axis, direction, name)
