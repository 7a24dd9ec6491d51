"""Cells of tf.nn.rnn_cell and tf.contrib.rnn that tf_keras lacks, or has with other arguments."""

from __future__ import annotations

import copy
from typing import Any

from deep_mnist.lazy_tensorflow import tf
from deep_mnist.legacy import libraries, symbol_table

__all__ = [
    "BasicLSTMCell",
    "BasicRNNCell",
    "GRUBlockCell",
    "GRUBlockCellV2",
    "GRUCell",
    "InputProjectionWrapper",
    "LSTMBlockCell",
    "LSTMCell",
    "LayerNormBasicLSTMCell",
    "MultiRNNCell",
    "OutputProjectionWrapper",
    "PhasedLSTMCell",
]

original: Any = libraries.load(symbol_table.CELLS)


# Until 1.1 these took `input_size`, which had no effect.


class BasicRNNCell(original.BasicRNNCell):  # type: ignore[misc]
    """The original, with `input_size` as second argument as well."""

    def __init__(
        self, num_units: int, input_size: Any = None, activation: Any = None, **more: Any
    ) -> None:
        super().__init__(num_units, input_size if callable(input_size) else activation, **more)


class GRUCell(original.GRUCell):  # type: ignore[misc]
    """The original, with `input_size` as second argument as well."""

    def __init__(
        self, num_units: int, input_size: Any = None, activation: Any = None, **more: Any
    ) -> None:
        super().__init__(num_units, input_size if callable(input_size) else activation, **more)


class BasicLSTMCell(original.BasicLSTMCell):  # type: ignore[misc]
    """The original, with `input_size` as well."""

    def __init__(self, num_units: int, *args: Any, input_size: Any = None, **more: Any) -> None:
        super().__init__(num_units, *args, **more)


class LSTMCell(original.LSTMCell):  # type: ignore[misc]
    """The original, with `input_size` as well; until 0.12 it was the second argument."""

    def __init__(
        self,
        num_units: int,
        use_peepholes: Any = False,
        *args: Any,
        input_size: Any = None,
        **more: Any,
    ) -> None:
        super().__init__(num_units, use_peepholes is True, *args, **more)


class MultiRNNCell(original.MultiRNNCell):  # type: ignore[misc]
    """The original; until 1.0 `[cell] * 2` had weights for each layer."""

    def __init__(self, cells: Any, state_is_tuple: bool = True, **more: Any) -> None:
        own: list[Any] = []
        for cell in cells:
            own.append(_copy(cell) if any(cell is other for other in own) else cell)
        super().__init__(own, state_is_tuple, **more)


def _copy(cell: Any) -> Any:
    """Return a cell with the same settings and no variables."""
    inner = getattr(cell, "cell", None)
    if inner is None:
        return copy.deepcopy(cell)
    wrapper = copy.copy(cell)
    wrapper.cell = _copy(inner)
    return wrapper


# tf.contrib.rnn


class GRUBlockCell(original.GRUCell):  # type: ignore[misc]
    """GRUCell, which TensorFlow 1 computed in one kernel."""

    def __init__(self, num_units: Any = None, cell_size: Any = None, **more: Any) -> None:
        more.setdefault("name", "gru_cell")
        super().__init__(cell_size if num_units is None else num_units, **more)


GRUBlockCellV2 = GRUBlockCell


class LSTMBlockCell(original.LSTMCell):  # type: ignore[misc]
    """LSTMCell, which TensorFlow 1 computed in one kernel."""

    def __init__(
        self, num_units: int, forget_bias: float = 1.0, cell_clip: Any = None, **more: Any
    ) -> None:
        more["use_peepholes"] = more.pop("use_peephole", False)
        more.setdefault("name", "lstm_cell")
        super().__init__(num_units, forget_bias=forget_bias, cell_clip=cell_clip, **more)


class _Cell(original.RNNCell):  # type: ignore[misc]
    """A cell that has its variables where it uses them."""

    def __init__(self, state_size: Any, output_size: int, reuse: Any = None) -> None:
        super().__init__(_reuse=reuse)
        self._sizes = state_size, output_size

    @property
    def state_size(self) -> Any:
        return self._sizes[0]

    @property
    def output_size(self) -> int:
        return self._sizes[1]


def _dense(inputs: list[Any], units: int) -> Any:
    """Return concat(inputs) kernel + bias, with variables of the current scope."""
    joined = tf.concat(inputs, 1)
    kernel = tf.get_variable("kernel", [joined.shape[1], units], joined.dtype)
    bias = tf.get_variable("bias", [units], joined.dtype, tf.zeros_initializer())
    return tf.nn.bias_add(tf.matmul(joined, kernel), bias)


class LayerNormBasicLSTMCell(_Cell):
    """LSTM with layer normalization and recurrent dropout.

    Source: https://arxiv.org/abs/1607.06450, https://arxiv.org/abs/1603.05118.
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        input_size: Any = None,
        activation: Any = tf.tanh,
        layer_norm: bool = True,
        norm_gain: float = 1.0,
        norm_shift: float = 0.0,
        dropout_keep_prob: Any = 1.0,
        dropout_prob_seed: Any = None,
        reuse: Any = None,
    ) -> None:
        super().__init__(original.LSTMStateTuple(num_units, num_units), num_units, reuse)
        self._forget_bias, self._activation = forget_bias, activation
        self._layer_norm, self._gain, self._shift = layer_norm, norm_gain, norm_shift
        self._keep_prob, self._seed = dropout_keep_prob, dropout_prob_seed

    def call(self, inputs: Any, state: Any) -> Any:
        """Return (output [B, units], (c, h)) of inputs [B, in]."""
        c, h = state
        joined = tf.concat([inputs, h], 1)
        kernel = tf.get_variable("kernel", [joined.shape[1], 4 * self.output_size])
        gates = tf.matmul(joined, kernel)
        if not self._layer_norm:
            bias = tf.get_variable("bias", [4 * self.output_size])
            gates = tf.nn.bias_add(gates, bias)
        i, j, f, o = tf.split(gates, 4, 1)
        i, j = self._normalize("input", i), self._normalize("transform", j)
        f, o = self._normalize("forget", f), self._normalize("output", o)
        j = self._activation(j)
        if not isinstance(self._keep_prob, float) or self._keep_prob < 1:
            j = tf.nn.dropout(j, self._keep_prob, seed=self._seed)
        c = c * tf.sigmoid(f + self._forget_bias) + tf.sigmoid(i) * j
        c = self._normalize("state", c)
        h = self._activation(c) * tf.sigmoid(o)
        return h, original.LSTMStateTuple(c, h)

    def _normalize(self, name: str, value: Any) -> Any:
        if not self._layer_norm:
            return value
        with tf.variable_scope(name):
            size = [self.output_size]
            gamma = tf.get_variable("gamma", size, initializer=_constant(self._gain))
            beta = tf.get_variable("beta", size, initializer=_constant(self._shift))
        mean, variance = tf.nn.moments(value, [1], keepdims=True)
        return tf.nn.batch_normalization(value, mean, variance, beta, gamma, 1e-12)


class PhasedLSTMCell(_Cell):
    """LSTM with a time gate; its inputs are (times [B, 1], features [B, in]).

    Source: https://arxiv.org/abs/1610.09513.
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        leak: float = 0.001,
        ratio_on: float = 0.1,
        trainable_ratio_on: bool = True,
        period_init_min: float = 1.0,
        period_init_max: float = 1000.0,
        reuse: Any = None,
    ) -> None:
        super().__init__(original.LSTMStateTuple(num_units, num_units), num_units, reuse)
        self._peepholes, self._leak, self._ratio = use_peepholes, leak, ratio_on
        self._trainable_ratio = trainable_ratio_on
        self._periods = period_init_min, period_init_max

    def call(self, inputs: Any, state: Any) -> Any:
        """Return (output [B, units], (c, h)) of inputs (times [B, 1], features [B, in])."""
        (c, h), (time, features) = state, inputs
        units, gates, dtype = self.output_size, [features, h], features.dtype
        if self._peepholes:
            gates = [features, h, c]
        with tf.variable_scope("mask_gates"):
            i, f = tf.split(tf.sigmoid(_dense(gates, 2 * units)), 2, 1)
        with tf.variable_scope("new_input"):
            new_c = f * c + i * tf.tanh(_dense([features, h], units))
        with tf.variable_scope("output_gate"):
            o = tf.sigmoid(_dense([features, h, new_c] if self._peepholes else gates, units))
        new_h = tf.tanh(new_c) * o
        period = tf.get_variable("period", [units], dtype, self._period)
        phase = tf.get_variable(
            "phase", [units], dtype, lambda shape, **_: period.initialized_value() * _uniform(shape)
        )
        ratio = tf.get_variable(
            "ratio_on", [units], dtype, _constant(self._ratio), trainable=self._trainable_ratio
        )
        shifted = tf.cast(time, dtype) - phase
        # The gradient of the modulus is that of the shifted time.
        cycle = (tf.stop_gradient(tf.floormod(shifted, period) - shifted) + shifted) / period
        rise, fall = 2 * cycle / ratio, 2 - 2 * cycle / ratio
        gate = tf.where(cycle < ratio / 2, rise, tf.where(cycle < ratio, fall, self._leak * cycle))
        c, h = (gate * new + (1 - gate) * before for new, before in ((new_c, c), (new_h, h)))
        return h, original.LSTMStateTuple(c, h)

    def _period(self, shape: Any, **unused: Any) -> Any:
        low, high = (tf.log(value) for value in self._periods)
        return tf.exp(low + (high - low) * _uniform(shape))


def _constant(value: float) -> Any:
    return tf.constant_initializer(value)


def _uniform(shape: Any) -> Any:
    return tf.random_uniform(shape)


class InputProjectionWrapper(_Cell):
    """A linear layer before a cell."""

    def __init__(
        self, cell: Any, num_proj: int, activation: Any = None, input_size: Any = None
    ) -> None:
        super().__init__(cell.state_size, cell.output_size)
        self._cell, self._units, self._activation = cell, num_proj, activation or tf.identity

    def call(self, inputs: Any, state: Any) -> Any:
        """Return the cell's (output, state) of the projected inputs."""
        return self._cell(self._activation(_dense([inputs], self._units)), state)


class OutputProjectionWrapper(_Cell):
    """A linear layer after a cell."""

    def __init__(
        self, cell: Any, output_size: int, activation: Any = None, reuse: Any = None
    ) -> None:
        super().__init__(cell.state_size, output_size, reuse)
        self._cell, self._activation = cell, activation or tf.identity

    def call(self, inputs: Any, state: Any) -> Any:
        """Return (projected output, state) of the cell."""
        output, state = self._cell(inputs, state)
        return self._activation(_dense([output], self.output_size)), state
