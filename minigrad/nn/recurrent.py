"""Recurrent layers: RNN, LSTM and GRU over whole sequences."""

from __future__ import annotations

import math
import warnings
from typing import Any

from minigrad.errors import ArgumentError, DtypeError
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.module import Module, Parameter
from minigrad.nn.packed import forward_packed
from minigrad.nn.utils.rnn import PackedSequence
from minigrad.ops.creation import empty, zeros
from minigrad.ops.join import cat, stack
from minigrad.ops.lstm import lstm_steps
from minigrad.ops.recurrent import gru_steps, rnn_steps
from minigrad.ops.shape import squeeze, transpose, unsqueeze
from minigrad.tensor import Tensor

__all__ = ["GRU", "LSTM", "RNN"]


class RNNBase(Module):
    """What recurrent layers have in common: parameters, directions, layers and the batch's place.

    A subclass says how many `gates` a step has, what its states are called, and how one direction
    of one layer goes through the steps.
    """

    gates: int
    states: tuple[str, ...] = ("hx",)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._check_options(dropout)
        width, short = self.gates * hidden_size, proj_size or hidden_size
        for layer in range(num_layers):
            fan_in = short * len(self.directions()) if layer else input_size
            sizes: dict[str, tuple[int, ...]]
            sizes = {"weight_ih": (width, fan_in), "weight_hh": (width, short)}
            if bias:
                sizes |= {"bias_ih": (width,), "bias_hh": (width,)}
            if proj_size:
                sizes["weight_hr"] = (proj_size, hidden_size)
            for direction in self.directions():
                for name, size in sizes.items():
                    value = Parameter(empty(*size, device=device, dtype=dtype))
                    setattr(self, f"{name}_l{layer}{direction}", value)
        self.reset_parameters()

    def _check_options(self, dropout: Any) -> None:
        kind = type(self).__name__
        for name in ("input_size", "hidden_size", "num_layers"):
            size = getattr(self, name)
            if not isinstance(size, int):
                raise TypeError(f"{kind}(): {name} must be an int, got {type(size).__name__}")
            if size < 1:
                raise ArgumentError(f"{kind}(): {name} must be at least 1, got {size}")
        if isinstance(dropout, bool) or not 0 <= dropout <= 1:
            raise ArgumentError(
                f"{kind}(): dropout must be a probability in [0, 1], got {dropout!r}"
            )
        if not 0 <= self.proj_size < self.hidden_size:
            raise ArgumentError(
                f"{kind}(): proj_size must be from 0 (none) to hidden_size - 1 = "
                f"{self.hidden_size - 1}, got {self.proj_size}"
            )
        if dropout and self.num_layers == 1:
            warnings.warn(
                f"{kind}(): dropout={dropout} has no effect with num_layers=1: it acts between "
                f"the layers; put nn.Dropout({dropout}) after the layer instead",
                stacklevel=4,
            )

    def directions(self) -> tuple[str, ...]:
        """The endings of the parameters' names, one for each direction."""
        return ("", "_reverse") if self.bidirectional else ("",)

    def reset_parameters(self) -> None:
        """Draw new values, uniform within 1 / sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Does nothing: there is no cuDNN whose memory would have to be arranged."""

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        names = list(dict(self._own_parameters()))
        return [
            [getattr(self, name) for name in names if name.endswith(f"_l{layer}{direction}")]
            for layer in range(self.num_layers)
            for direction in self.directions()
        ]

    def run_layer(
        self, projected: Any, states: tuple[Any, ...], ending: str, reverse: bool
    ) -> tuple[Any, tuple[Any, ...]]:
        """One direction of one layer: the outputs [steps, batch, size], and the last states."""
        raise ArgumentError(f"{type(self).__name__} has no run_layer()")

    def layer(
        self,
        input: Any,
        states: tuple[Any, ...],
        number: int = 0,
        reverse: bool = False,
        batch_first: bool = False,
    ) -> tuple[Any, tuple[Any, ...]]:
        """One direction of one layer, from states [batch, size] and an input of three dimensions.

        Gives the outputs [steps, batch, size], whatever `batch_first`, and the last states. With
        `reverse` it is the second direction, which goes from the last step to the first.
        """
        ending = f"_l{number}{'_reverse' if reverse else ''}"
        bias = self.input_bias(ending) if self.bias else None
        projected = F.linear(input, getattr(self, f"weight_ih{ending}"), bias)
        if batch_first:
            projected = transpose(projected, 0, 1)
        return self.run_layer(projected, states, ending, reverse)

    def input_bias(self, ending: str) -> Any:
        """What is added to every step's share of the input: here both biases."""
        return getattr(self, f"bias_ih{ending}") + getattr(self, f"bias_hh{ending}")

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """The outputs of the last layer at every step, and the last states of every layer.

        input [steps, batch, input_size], or [batch, steps, input_size] with batch_first, or
        [steps, input_size]; states [layers * directions, batch, size], zeros unless given. A
        `PackedSequence` gives one.
        """
        if isinstance(input, PackedSequence):
            return forward_packed(self, input, hx)
        self._check_input(input)
        batched = input.ndim == 3
        given = None
        if hx is not None:
            sizes = (input.shape[0 if self.batch_first else 1],) if batched else ()
            given = self.check_states(input, hx, sizes)
        early = self.batch_first and batched
        if not batched:
            input = unsqueeze(input, 1)
            given = given and tuple(unsqueeze(state, 1) for state in given)
        batch = input.shape[0] if early else input.shape[1]
        if given is None:
            made = {"device": input.device, "dtype": input.dtype}
            given = tuple(
                [zeros(batch, size, **made)] * (self.num_layers * len(self.directions()))
                for size in self.state_sizes()
            )
        finals: list[tuple[Any, ...]] = []
        output = input
        for number in range(self.num_layers):
            if number and self.dropout:
                output = F.dropout(output, self.dropout, self.training)
            sides = []
            for reverse in (False, True)[: len(self.directions())]:
                states = tuple(state[len(finals)] for state in given)
                side, final = self.layer(output, states, number, reverse, early and not number)
                sides.append(side)
                finals.append(final)
            output = sides[0] if len(sides) == 1 else cat(sides, 2)
        last = tuple(
            stack(parts) if len(parts) > 1 else unsqueeze(parts[0], 0) for parts in zip(*finals)
        )
        if early:
            output = transpose(output, 0, 1)
        if not batched:
            output = squeeze(output, 1)
            last = tuple(squeeze(state, 1) for state in last)
        return output, last if len(self.states) > 1 else last[0]

    def state_sizes(self) -> tuple[int, ...]:
        """The size of each state."""
        return (self.proj_size or self.hidden_size, self.hidden_size)[: len(self.states)]

    def _check_input(self, input: Any) -> None:
        kind = type(self).__name__
        if not isinstance(input, Tensor):
            raise TypeError(
                f"{kind}(): argument 'input' must be a Tensor or a PackedSequence of "
                f"minigrad.nn.utils.rnn, not {type(input).__name__}"
            )
        shape = list(input.shape)
        order = "batch, steps" if self.batch_first else "steps, batch"
        wanted = f"[{order}, {self.input_size}], or [steps, {self.input_size}] without a batch"
        if len(shape) not in (2, 3) or shape[-1] != self.input_size:
            fix = "; write x.unsqueeze(-1) for sequences of single numbers"
            raise ArgumentError(
                f"{kind}(): argument 'input' must have shape {wanted}, got {shape}"
                f"{fix if self.input_size == 1 and len(shape) == 2 else ''}"
            )
        if not shape[1 if self.batch_first and len(shape) == 3 else 0]:
            raise ArgumentError(f"{kind}(): argument 'input' has no steps, its shape is {shape}")
        _check_dtype(kind, "input", input, self.weight_ih_l0)  # type: ignore[attr-defined]

    def check_states(self, input: Any, hx: Any, batch: tuple[int, ...]) -> tuple[Any, ...]:
        """The states given, as a tuple; raises an error that says what they must be."""
        kind = type(self).__name__
        names = self.states
        if len(names) > 1:
            if not isinstance(hx, (tuple, list)) or len(hx) != len(names):
                found = f"a {type(hx).__name__}"
                if isinstance(hx, (tuple, list)):
                    found += f" of {len(hx)}"
                raise ArgumentError(
                    f"{kind}(): argument 'hx' must be a pair of Tensors, ({', '.join(names)}), "
                    f"got {found}"
                )
        else:
            hx = (hx,)
        count = self.num_layers * len(self.directions())
        for name, state, size in zip(names, hx, self.state_sizes()):
            if not isinstance(state, Tensor):
                raise TypeError(
                    f"{kind}(): argument '{name}' must be a Tensor, not {type(state).__name__}"
                )
            wanted = (count, *batch, size)
            if tuple(state.shape) != wanted:
                raise ArgumentError(
                    f"{kind}(): argument '{name}' must have shape {list(wanted)} "
                    f"[layers * directions, {'batch, ' if batch else ''}size] beside an input of "
                    f"shape {list(input.shape)}, got {list(state.shape)}"
                )
            _check_dtype(kind, name, state, input)
        return tuple(hx)

    def extra_repr(self) -> str:
        """The sizes, and the options that are not the defaults."""
        parts = [str(self.input_size), str(self.hidden_size)]
        defaults = {
            "proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0,
            "bidirectional": False,
        }  # fmt: skip
        for name, default in defaults.items():
            if getattr(self, name) != default:
                parts.append(f"{name}={getattr(self, name)}")
        return ", ".join(parts)


def _check_dtype(kind: str, name: str, value: Any, like: Any) -> None:
    if value.dtype != like.dtype:
        raise DtypeError(
            f"{kind}(): argument '{name}' has dtype {value.dtype}, the layer computes in "
            f"{like.dtype}; write {name}.to({like.dtype}), or convert the layer with "
            f".to({value.dtype})"
        )


class RNN(RNNBase):
    """A simple recurrent layer: h' = tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh).

    `nonlinearity` is "tanh" or "relu". Source: Elman, "Finding Structure in Time", 1990.

    >>> import minigrad
    >>> output, h_n = RNN(3, 4)(minigrad.zeros(5, 2, 3))
    >>> output.shape, h_n.shape
    (minigrad.Size([5, 2, 4]), minigrad.Size([1, 2, 4]))
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ArgumentError(
                f"RNN(): nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}"
            )
        self.nonlinearity = nonlinearity
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            device=device, dtype=dtype,
        )  # fmt: skip

    def run_layer(
        self, projected: Any, states: tuple[Any, ...], ending: str, reverse: bool
    ) -> tuple[Any, tuple[Any, ...]]:
        """One direction of one layer: the outputs [steps, batch, size], and the last state."""
        weight = getattr(self, f"weight_hh{ending}")
        relu = self.nonlinearity == "relu"
        hiddens = rnn_steps(projected, states[0], weight, relu=relu, reverse=reverse)
        return hiddens, (hiddens[0 if reverse else -1],)


class LSTM(RNNBase):
    """Long short-term memory; the gates' rows come in the order input, forget, new, output.

    Its states are a pair (h, c). `proj_size` makes the outputs that short (Sak et al. 2014).
    Source: Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997.

    >>> import minigrad
    >>> output, (h_n, c_n) = LSTM(3, 4, num_layers=2)(minigrad.zeros(5, 2, 3))
    >>> output.shape, h_n.shape
    (minigrad.Size([5, 2, 4]), minigrad.Size([2, 2, 4]))
    """

    gates = 4
    states = ("h_0", "c_0")

    def run_layer(
        self, projected: Any, states: tuple[Any, ...], ending: str, reverse: bool
    ) -> tuple[Any, tuple[Any, ...]]:
        """One direction of one layer: the outputs [steps, batch, size], and the last states."""
        weight = getattr(self, f"weight_hh{ending}")
        projection = getattr(self, f"weight_hr{ending}", None)
        hidden, cell = states
        hiddens, cells, _ = lstm_steps(projected, hidden, cell, weight, projection, reverse=reverse)
        end = 0 if reverse else -1
        return hiddens, (hiddens[end], cells[end])


class GRU(RNNBase):
    """A gated recurrent unit; the gates' rows come in the order reset, update, new.

    The reset gate acts after the product with the recurrent weight. Source: Cho and others,
    "Learning Phrase Representations using RNN Encoder-Decoder", 2014.
    """

    gates = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            device=device, dtype=dtype,
        )  # fmt: skip

    def input_bias(self, ending: str) -> Any:
        """The input's bias alone: the recurrent one is added before the reset gate."""
        return getattr(self, f"bias_ih{ending}")

    def run_layer(
        self, projected: Any, states: tuple[Any, ...], ending: str, reverse: bool
    ) -> tuple[Any, tuple[Any, ...]]:
        """One direction of one layer: the outputs [steps, batch, size], and the last state."""
        weight = getattr(self, f"weight_hh{ending}")
        bias = getattr(self, f"bias_hh{ending}", None)
        hiddens, _, _ = gru_steps(projected, states[0], weight, bias, reverse=reverse)
        return hiddens, (hiddens[0 if reverse else -1],)
