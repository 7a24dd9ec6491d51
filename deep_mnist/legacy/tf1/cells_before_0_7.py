"""tensorflow.models.rnn.rnn_cell: until 0.7 LSTM states were one tensor, [B, 2 units]."""

from __future__ import annotations

from typing import Any

from deep_mnist.legacy.tf1 import cells
from deep_mnist.legacy.tf1.linear import linear

__all__ = ["BasicLSTMCell", "LSTMCell", "MultiRNNCell", "linear"]


class BasicLSTMCell(cells.BasicLSTMCell):
    """nn.rnn_cell.BasicLSTMCell with that state; its third argument was the inputs' size."""

    def __init__(self, num_units: int, forget_bias: float = 1.0, *args: Any, **more: Any) -> None:
        more.setdefault("state_is_tuple", False)
        super().__init__(num_units, forget_bias, *args[1:], **more)


class LSTMCell(cells.LSTMCell):
    """nn.rnn_cell.LSTMCell with that state; its second argument was the inputs' size."""

    def __init__(self, num_units: int, input_size: Any = None, *args: Any, **more: Any) -> None:
        more.setdefault("state_is_tuple", False)
        super().__init__(num_units, False, *args[1:], **more)


class MultiRNNCell(cells.MultiRNNCell):
    """nn.rnn_cell.MultiRNNCell with that state."""

    def __init__(self, cells: Any, state_is_tuple: bool = False, **more: Any) -> None:
        super().__init__(cells, state_is_tuple, **more)
