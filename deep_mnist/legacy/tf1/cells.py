"""The cells of tf.nn.rnn_cell, with the original's variable names: `basic_lstm_cell/kernel`."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

from deep_mnist.lazy_tensorflow import tf
from deep_mnist.legacy.tf1.layers import Layer

__all__ = [
    "BasicLSTMCell",
    "BasicRNNCell",
    "DeviceWrapper",
    "DropoutWrapper",
    "GRUBlockCell",
    "GRUCell",
    "InputProjectionWrapper",
    "LSTMBlockCell",
    "LSTMCell",
    "LSTMStateTuple",
    "LayerNormBasicLSTMCell",
    "MultiRNNCell",
    "OutputProjectionWrapper",
    "RNNCell",
    "ResidualWrapper",
]

LSTMStateTuple = namedtuple("LSTMStateTuple", ("c", "h"))


class RNNCell(Layer):
    """(inputs [B, in], state) -> (outputs [B, units], new state).

    A subclass gives state_size, output_size and `call(inputs, state)`, or overrides __call__.
    """

    base_name = "rnn_cell"

    @property
    def state_size(self) -> Any:
        raise NotImplementedError

    @property
    def output_size(self) -> Any:
        raise NotImplementedError

    def __call__(self, inputs: Any, state: Any, scope: Any = None, *args: Any) -> Any:
        if self._scope is None and scope is not None:
            self._name = scope
        return super().__call__(inputs, state)

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Zeros in the shape of the state, [batch_size, size] each."""
        return _map(lambda size: tf.zeros(tf.stack([batch_size, size]), dtype), self.state_size)

    def get_initial_state(
        self, inputs: Any = None, batch_size: Any = None, dtype: Any = None
    ) -> Any:
        """zero_state, of the inputs' batch and type where they are given."""
        if inputs is not None:
            batch_size, dtype = tf.shape(inputs)[0], inputs.dtype
        return self.zero_state(batch_size, dtype)

    def _linear(self, name: str, inputs: list[Any], width: int, bias: float = 0.0) -> Any:
        """concat(inputs) kernel + bias; the variables are made when first asked for."""
        joined = tf.concat(inputs, 1)
        made = self.__dict__.setdefault("_made", {})
        if name not in made:
            prefix = f"{name}/" if name else ""
            rows = int(joined.shape[-1])
            kernel = self.add_variable(f"{prefix}kernel", [rows, width], joined.dtype)
            start = tf.constant_initializer(bias, dtype=joined.dtype)
            made[name] = kernel, self.add_variable(f"{prefix}bias", [width], joined.dtype, start)
        kernel, offset = made[name]
        return tf.nn.bias_add(tf.matmul(joined, kernel), offset)


class BasicRNNCell(RNNCell):
    """output = state = activation([inputs, state] kernel + bias)."""

    base_name = "basic_rnn_cell"

    def __init__(
        self,
        num_units: int,
        input_size: Any = None,
        activation: Any = None,
        reuse: Any = None,
        name: Any = None,
        **more: Any,
    ) -> None:
        if callable(input_size):  # since 1.2 the activation stands second
            activation = input_size
        super().__init__(name=name, _reuse=reuse, **more)
        self._units = int(num_units)
        self._activation = _activation(activation)

    @property
    def state_size(self) -> int:
        return self._units

    @property
    def output_size(self) -> int:
        return self._units

    def call(self, inputs: Any, state: Any) -> Any:
        output = self._activation(self._linear("", [inputs, state], self._units))
        return output, output


class GRUCell(BasicRNNCell):
    """A gated recurrent unit: reset and update gates, then the candidate."""

    base_name = "gru_cell"

    def call(self, inputs: Any, state: Any) -> Any:
        gates = tf.sigmoid(self._linear("gates", [inputs, state], 2 * self._units, bias=1.0))
        reset, update = tf.split(gates, 2, 1)
        joined = self._linear("candidate", [inputs, reset * state], self._units)
        new = update * state + (1 - update) * self._activation(joined)
        return new, new


class GRUBlockCell(GRUCell):
    """GRUCell, in one kernel."""

    base_name = "gru_cell"


class BasicLSTMCell(RNNCell):
    """An LSTM without peepholes. A state given as one tensor [B, 2 units] is answered by one."""

    base_name = "basic_lstm_cell"

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        state_is_tuple: Any = True,
        activation: Any = None,
        reuse: Any = None,
        name: Any = None,
        input_size: Any = None,
        **more: Any,
    ) -> None:
        super().__init__(name=name, _reuse=reuse, **more)
        self._units = int(num_units)
        self._forget_bias = forget_bias
        self._is_tuple = bool(state_is_tuple)
        self._activation = _activation(activation)

    @property
    def state_size(self) -> Any:
        if self._is_tuple:
            return LSTMStateTuple(self._units, self.output_size)
        return self._units + self.output_size

    @property
    def output_size(self) -> int:
        return self._units

    def call(self, inputs: Any, state: Any) -> Any:
        joined = not isinstance(state, list | tuple)
        c, h = tf.split(state, [self._units, self.output_size], 1) if joined else state
        c, h = self.step(inputs, c, h)
        return h, tf.concat([c, h], 1) if joined else LSTMStateTuple(c, h)

    def step(self, inputs: Any, c: Any, h: Any) -> tuple[Any, Any]:
        """One step of (c, h)."""
        gates = self._linear("", [inputs, h], 4 * self._units)
        i, j, f, o = tf.split(gates, 4, 1)
        c = c * tf.sigmoid(f + self._forget_bias) + tf.sigmoid(i) * self._activation(j)
        return c, self._activation(c) * tf.sigmoid(o)


class LSTMBlockCell(BasicLSTMCell):
    """BasicLSTMCell, in one kernel."""

    base_name = "lstm_cell"


class LSTMCell(BasicLSTMCell):
    """An LSTM with peepholes, a clipped cell and a projection, each where asked for."""

    base_name = "lstm_cell"

    def __init__(
        self,
        num_units: int,
        use_peepholes: Any = False,
        cell_clip: Any = None,
        initializer: Any = None,
        num_proj: Any = None,
        proj_clip: Any = None,
        num_unit_shards: Any = None,
        num_proj_shards: Any = None,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Any = None,
        reuse: Any = None,
        name: Any = None,
        input_size: Any = None,
        **more: Any,
    ) -> None:
        super().__init__(num_units, forget_bias, state_is_tuple, activation, reuse, name, **more)
        if not isinstance(use_peepholes, bool):  # until 0.12 the inputs' size stood second
            use_peepholes = False
        self._peepholes, self._clip, self._initializer = use_peepholes, cell_clip, initializer
        self._projection, self._projection_clip = num_proj, proj_clip

    @property
    def output_size(self) -> int:
        return self._units if self._projection is None else int(self._projection)

    def step(self, inputs: Any, c: Any, h: Any) -> tuple[Any, Any]:
        with tf.variable_scope(tf.get_variable_scope(), initializer=self._initializer):
            i, j, f, o = tf.split(self._linear("", [inputs, h], 4 * self._units), 4, 1)
            peep = self._peephole if self._peepholes else lambda name, value: 0.0
            forget = tf.sigmoid(f + self._forget_bias + peep("w_f_diag", c))
            enter = tf.sigmoid(i + peep("w_i_diag", c))
            c = forget * c + enter * self._activation(j)
            if self._clip is not None:
                c = tf.clip_by_value(c, -self._clip, self._clip)
            h = tf.sigmoid(o + peep("w_o_diag", c)) * self._activation(c)
            if self._projection is not None:
                shape = [self._units, self._projection]
                h = tf.matmul(h, self._variable("projection/kernel", shape, h.dtype))
                if self._projection_clip is not None:
                    h = tf.clip_by_value(h, -self._projection_clip, self._projection_clip)
        return c, h

    def _peephole(self, name: str, value: Any) -> Any:
        return self._variable(name, [self._units], value.dtype) * value

    def _variable(self, name: str, shape: list[int], dtype: Any) -> Any:
        made = self.__dict__.setdefault("_made", {})
        if name not in made:
            made[name] = self.add_variable(name, shape, dtype)
        return made[name]


class LayerNormBasicLSTMCell(BasicLSTMCell):
    """An LSTM whose gates and cell are normalised over the units."""

    base_name = "layer_norm_basic_lstm_cell"

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        input_size: Any = None,
        activation: Any = None,
        layer_norm: bool = True,
        norm_gain: float = 1.0,
        norm_shift: float = 0.0,
        dropout_keep_prob: Any = 1.0,
        dropout_prob_seed: Any = None,
        reuse: Any = None,
        **more: Any,
    ) -> None:
        super().__init__(num_units, forget_bias, True, activation, reuse, **more)
        self._norm, self._gain, self._shift = layer_norm, norm_gain, norm_shift
        self._keep, self._seed = dropout_keep_prob, dropout_prob_seed

    def step(self, inputs: Any, c: Any, h: Any) -> tuple[Any, Any]:
        i, j, f, o = tf.split(self._linear("", [inputs, h], 4 * self._units), 4, 1)
        i, j = self._normalized("input", i), self._normalized("transform", j)
        f, o = self._normalized("forget", f), self._normalized("output", o)
        j = self._activation(j)
        if not isinstance(self._keep, float) or self._keep < 1:
            j = tf.nn.dropout(j, rate=1 - self._keep, seed=self._seed)
        c = c * tf.sigmoid(f + self._forget_bias) + tf.sigmoid(i) * j
        c = self._normalized("state", c)
        return c, self._activation(c) * tf.sigmoid(o)

    def _normalized(self, name: str, value: Any) -> Any:
        if not self._norm:
            return value
        made = self.__dict__.setdefault("_made", {})
        if name not in made:
            made[name] = tuple(
                self.add_variable(
                    f"{name}/{part}", [self._units], initializer=tf.constant_initializer(start)
                )
                for part, start in (("gamma", self._gain), ("beta", self._shift))
            )
        mean, variance = tf.nn.moments(value, [1], keepdims=True)
        gamma, beta = made[name]
        return tf.nn.batch_normalization(value, mean, variance, beta, gamma, 1e-12)


class MultiRNNCell(RNNCell):
    """Cells one upon the other; the state is a tuple of theirs."""

    base_name = "multi_rnn_cell"

    def __init__(self, cells: Any, state_is_tuple: bool = True, **more: Any) -> None:
        super().__init__(**more)
        self._cells = list(cells)
        self._is_tuple = state_is_tuple

    @property
    def state_size(self) -> Any:
        sizes = tuple(cell.state_size for cell in self._cells)
        return sizes if self._is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        return self._cells[-1].output_size

    @property
    def variables(self) -> list[Any]:
        return [variable for cell in self._cells for variable in cell.variables]

    def call(self, inputs: Any, state: Any) -> Any:
        joined = not isinstance(state, list | tuple)
        sizes = [cell.state_size for cell in self._cells]
        states = tf.split(state, sizes, 1) if joined else state
        new = []
        for number, (cell, before) in enumerate(zip(self._cells, states, strict=True)):
            with tf.variable_scope(f"cell_{number}"):
                inputs, after = _own_weights(cell, self._cells[:number])(inputs, before)
            new.append(after)
        return inputs, tf.concat(new, 1) if joined else tuple(new)


class _Wrapper(RNNCell):
    """A cell around another."""

    def __init__(self, cell: Any, **more: Any) -> None:
        super().__init__(**more)
        self._cell = cell

    @property
    def state_size(self) -> Any:
        return self._cell.state_size

    @property
    def output_size(self) -> Any:
        return self._cell.output_size

    @property
    def variables(self) -> list[Any]:
        return self._cell.variables  # type: ignore[no-any-return]

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        return self._cell.zero_state(batch_size, dtype)

    def __call__(self, inputs: Any, state: Any, scope: Any = None, *args: Any) -> Any:
        return self._cell(inputs, state, scope)


class DropoutWrapper(_Wrapper):
    """Dropout of a cell's inputs, outputs and states."""

    def __init__(
        self,
        cell: Any,
        input_keep_prob: Any = 1.0,
        output_keep_prob: Any = 1.0,
        state_keep_prob: Any = 1.0,
        variational_recurrent: bool = False,
        input_size: Any = None,
        dtype: Any = None,
        seed: Any = None,
        **more: Any,
    ) -> None:
        super().__init__(cell)
        self._input, self._output, self._state = input_keep_prob, output_keep_prob, state_keep_prob
        self._seed = seed

    def __call__(self, inputs: Any, state: Any, scope: Any = None, *args: Any) -> Any:
        output, new = self._cell(self._kept(inputs, self._input), state, scope)
        if not (isinstance(self._state, float) and self._state == 1):
            new = _map(lambda part: self._kept(part, self._state), new)
        return self._kept(output, self._output), new

    def _kept(self, value: Any, keep_prob: Any) -> Any:
        if isinstance(keep_prob, int | float) and keep_prob >= 1:
            return value
        return tf.nn.dropout(value, rate=1 - keep_prob, seed=self._seed)


class ResidualWrapper(_Wrapper):
    """output + inputs."""

    def __call__(self, inputs: Any, state: Any, scope: Any = None, *args: Any) -> Any:
        output, new = self._cell(inputs, state, scope)
        return output + inputs, new


class DeviceWrapper(_Wrapper):
    """A cell on a device of its own."""

    def __init__(self, cell: Any, device: Any, **more: Any) -> None:
        super().__init__(cell)
        self._device = device

    def __call__(self, inputs: Any, state: Any, scope: Any = None, *args: Any) -> Any:
        with tf.device(self._device):
            return self._cell(inputs, state, scope)


class InputProjectionWrapper(_Wrapper):
    """A linear layer before a cell."""

    base_name = "input_projection_wrapper"

    def __init__(self, cell: Any, num_proj: int, activation: Any = None, **more: Any) -> None:
        super().__init__(cell)
        self._width, self._activation = num_proj, activation or tf.identity

    def __call__(self, inputs: Any, state: Any, scope: Any = None, *args: Any) -> Any:
        return RNNCell.__call__(self, inputs, state, scope)

    def call(self, inputs: Any, state: Any) -> Any:
        projected = self._activation(self._linear("", [inputs], self._width))
        return self._cell(projected, state)


class OutputProjectionWrapper(InputProjectionWrapper):
    """A linear layer after a cell."""

    base_name = "output_projection_wrapper"

    @property
    def output_size(self) -> Any:
        return self._width

    def call(self, inputs: Any, state: Any) -> Any:
        output, new = self._cell(inputs, state)
        return self._activation(self._linear("", [output], self._width)), new


def _own_weights(cell: Any, before: list[Any]) -> Any:
    """A copy of a cell that stands in the stack already: `[cell] * 2` had weights for each."""
    if not any(cell is other for other in before) or not isinstance(cell, RNNCell):
        return cell
    copies = cell.__dict__.setdefault("_copies", {})
    number = len(before)
    if number not in copies:
        copies[number] = _fresh(cell)
    return copies[number]


def _fresh(cell: Any) -> Any:
    """A cell with the same settings and no variables yet."""
    copy = object.__new__(type(cell))
    copy.__dict__.update(cell.__dict__, built=False, weights=[], _scope=None)
    copy.__dict__.pop("_made", None)
    copy.__dict__.pop("_copies", None)
    if isinstance(cell, _Wrapper):
        copy._cell = _fresh(cell._cell)
    return copy


def _activation(activation: Any) -> Callable[[Any], Any]:
    if isinstance(activation, str):
        return getattr(tf.nn, activation)  # type: ignore[no-any-return]
    return activation or tf.tanh  # type: ignore[no-any-return]


def _map(function: Callable[[Any], Any], structure: Any) -> Any:
    if isinstance(structure, list | tuple):
        parts = [_map(function, part) for part in structure]
        return type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)
    return function(structure)
