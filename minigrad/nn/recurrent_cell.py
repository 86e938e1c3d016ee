"""Recurrent cells: one step of an RNN, LSTM or GRU, for loops written by hand."""

from __future__ import annotations

import math
from typing import Any

from minigrad.errors import ArgumentError, DtypeError
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.module import Module, Parameter
from minigrad.ops.creation import empty, zeros
from minigrad.ops.lstm import lstm_steps
from minigrad.ops.recurrent import gru_steps, rnn_steps
from minigrad.ops.shape import squeeze, unsqueeze
from minigrad.tensor import Tensor

__all__ = ["GRUCell", "LSTMCell", "RNNCell"]


class RNNCellBase(Module):
    """What cells have in common: the parameters, and the shapes of input and states."""

    gates: int
    states: tuple[str, ...] = ("hx",)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        width = self.gates * hidden_size
        made = {"device": device, "dtype": dtype}
        self.weight_ih = Parameter(empty(width, input_size, **made))
        self.weight_hh = Parameter(empty(width, hidden_size, **made))
        self.bias_ih = Parameter(empty(width, **made)) if bias else None
        self.bias_hh = Parameter(empty(width, **made)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values, uniform within 1 / sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size else 0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def step(self, input: Any, states: tuple[Any, ...]) -> tuple[Any, ...]:
        """The states after one step of a batch; input [1, batch, gates * size] as projected."""
        raise ArgumentError(f"{type(self).__name__} has no step()")

    def input_bias(self) -> Any:
        """What is added to the input's share: here both biases."""
        return None if self.bias_ih is None else self.bias_ih + self.bias_hh

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The state after one step; input [batch, input_size] or [input_size], state likewise."""
        given = self._check(input, hx)
        batched = input.ndim == 2
        if not batched:
            input = unsqueeze(input, 0)
            given = given and tuple(unsqueeze(state, 0) for state in given)
        if given is None:
            made = {"device": input.device, "dtype": input.dtype}
            given = (zeros(input.shape[0], self.hidden_size, **made),) * len(self.states)
        projected = unsqueeze(F.linear(input, self.weight_ih, self.input_bias()), 0)
        after = self.step(projected, given)
        if not batched:
            after = tuple(squeeze(state, 0) for state in after)
        return after if len(after) > 1 else after[0]

    def _check(self, input: Any, hx: Any) -> tuple[Any, ...] | None:
        """The states given, as a tuple; raises an error that says what input and they must be."""
        kind = type(self).__name__
        if not isinstance(input, Tensor):
            raise TypeError(
                f"{kind}(): argument 'input' must be a Tensor, not {type(input).__name__}"
            )
        shape = list(input.shape)
        if len(shape) not in (1, 2) or shape[-1] != self.input_size:
            raise ArgumentError(
                f"{kind}(): argument 'input' must have shape [batch, {self.input_size}] or "
                f"[{self.input_size}], got {shape}; a cell takes one step, nn.{kind[:-4]} whole "
                f"sequences"
            )
        if hx is None:
            return None
        names = self.states
        if len(names) == 1:
            hx = (hx,)
        elif not isinstance(hx, (tuple, list)) or len(hx) != len(names):
            raise ArgumentError(
                f"{kind}(): argument 'hx' must be a pair of Tensors, ({', '.join(names)}), got "
                f"{type(hx).__name__}"
            )
        wanted = (*shape[:-1], self.hidden_size)
        for name, state in zip(names, hx):
            if not isinstance(state, Tensor) or tuple(state.shape) != wanted:
                found = list(state.shape) if isinstance(state, Tensor) else type(state).__name__
                raise ArgumentError(
                    f"{kind}(): argument '{name}' must be a Tensor of shape {list(wanted)} beside "
                    f"an input of shape {shape}, got {found}"
                )
            if state.dtype != input.dtype:
                raise DtypeError(
                    f"{kind}(): argument '{name}' has dtype {state.dtype}, argument 'input' "
                    f"{input.dtype}; write {name}.to({input.dtype})"
                )
        return tuple(hx)

    def extra_repr(self) -> str:
        """The sizes, and the options that are not the defaults."""
        extra = "" if self.bias else ", bias=False"
        return f"{self.input_size}, {self.hidden_size}{extra}"


class RNNCell(RNNCellBase):
    """One step of a simple recurrent network: tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh).

    `nonlinearity` is "tanh" or "relu".

    >>> import minigrad
    >>> RNNCell(3, 4)(minigrad.zeros(2, 3)).shape
    minigrad.Size([2, 4])
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ArgumentError(
                f"RNNCell(): nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}"
            )
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = nonlinearity

    def step(self, input: Any, states: tuple[Any, ...]) -> tuple[Any, ...]:
        """The state after one step."""
        relu = self.nonlinearity == "relu"
        return (rnn_steps(input, states[0], self.weight_hh, relu=relu, reverse=False)[0],)

    def extra_repr(self) -> str:
        """The sizes, and the options that are not the defaults."""
        extra = "" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}"
        return super().extra_repr() + extra


class LSTMCell(RNNCellBase):
    """One step of a long short-term memory; state and result are pairs (h, c)."""

    gates = 4
    states = ("h_0", "c_0")

    def step(self, input: Any, states: tuple[Any, ...]) -> tuple[Any, ...]:
        """The states after one step."""
        hidden, cell = states
        hiddens, cells, _ = lstm_steps(input, hidden, cell, self.weight_hh, reverse=False)
        return hiddens[0], cells[0]


class GRUCell(RNNCellBase):
    """One step of a gated recurrent unit, whose reset gate acts after the product."""

    gates = 3

    def input_bias(self) -> Any:
        """The input's bias alone: the recurrent one is added before the reset gate."""
        return self.bias_ih

    def step(self, input: Any, states: tuple[Any, ...]) -> tuple[Any, ...]:
        """The state after one step."""
        return (gru_steps(input, states[0], self.weight_hh, self.bias_hh, reverse=False)[0][0],)
