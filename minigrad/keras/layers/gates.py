"""The recurrent modules of nn with Keras's biases, and a weight whose gates Keras orders otherwise.

torch has two biases, for the input and for the state, where Keras has one; a GRU's gates are
reset, update, new in torch and update, reset, new in Keras.
"""

from __future__ import annotations

from typing import Any

import numpy

import minigrad
from minigrad import nn
from minigrad.keras import initializers
from minigrad.keras.layers.weight import Weight
from minigrad.ops.recurrent import gru_steps

__all__: list[str] = []


class RNNModule(nn.RNN):
    """An nn.RNN with one bias, `bias_ih_l0`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.bias_hh_l0 = None

    def input_bias(self, ending: str) -> Any:
        """The bias."""
        return getattr(self, f"bias_ih{ending}")


class LSTMModule(nn.LSTM):
    """An nn.LSTM with one bias, `bias_ih_l0`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.bias_hh_l0 = None

    def input_bias(self, ending: str) -> Any:
        """The bias."""
        return getattr(self, f"bias_ih{ending}")


class GRUModule(nn.GRU):
    """An nn.GRU whose biases are the rows of `both_biases`, or, without `both`, one alone."""

    def __init__(self, *args: Any, both: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        self.bias_hh_l0 = None
        self.both_biases = None
        if both and self.bias:
            self.bias_ih_l0 = None
            shape = (2, 3 * self.hidden_size)
            self.both_biases = nn.Parameter(minigrad.zeros(shape, dtype=options.get("dtype")))

    def input_bias(self, ending: str) -> Any:
        """What is added to the input's share."""
        if self.both_biases is None:
            return getattr(self, f"bias_ih{ending}")
        return self.both_biases[0]

    def state_bias(self) -> Any:
        """What is added to the state's share, or None."""
        return None if self.both_biases is None else self.both_biases[1]

    def run_layer(
        self, projected: Any, states: tuple[Any, ...], ending: str, reverse: bool
    ) -> tuple[Any, tuple[Any, ...]]:
        """One direction of one layer: the outputs [steps, batch, size], and the last state."""
        weight = getattr(self, f"weight_hh{ending}")
        hiddens, _, _ = gru_steps(projected, states[0], weight, self.state_bias(), reverse=reverse)
        return hiddens, (hiddens[0 if reverse else -1],)


class GateWeight(Weight):
    """A weight of a GRU: its last axis in Keras's layout holds the gates, two of them swapped."""

    @property
    def value(self) -> Any:
        """The tensor in Keras's layout and order of gates, through which gradients flow."""
        tensor = self._seen(self.tensor)
        units = tensor.shape[-1] // 3
        first, second, third = tensor.split(units, -1)
        return minigrad.cat([second, first, third], -1)

    def _fill(self, given: numpy.ndarray[Any, Any]) -> None:
        first, second, third = numpy.split(given, 3, -1)
        super()._fill(numpy.concatenate([second, first, third], -1))

    def initialize(self) -> None:
        """Let the initializer fill the tensor: in place where it draws, else in Keras's order."""
        initializer = self.initializer
        if initializer is None:
            return
        if initializers.draws_in_place(initializer):
            initializers.fill_(initializer, self.tensor, self._seen)
        else:
            self.assign(initializer(self.shape, dtype=self.dtype))
