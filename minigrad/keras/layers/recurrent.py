"""Recurrent layers: SimpleRNN, LSTM and GRU over their modules of nn, with Keras's options."""

from __future__ import annotations

from typing import Any, ClassVar

import minigrad
from minigrad import nn
from minigrad.errors import ArgumentError
from minigrad.keras import activations, regularizers
from minigrad.keras.layers.base import InputSpec, Layer
from minigrad.keras.layers.gates import GateWeight, GRUModule, LSTMModule, RNNModule
from minigrad.keras.layers.layout import fraction, known_channels, positive
from minigrad.keras.layers.options import keep, options
from minigrad.nn import functional as F
from minigrad.random import Generator

__all__ = ["GRU", "LSTM", "SimpleRNN"]


class Recurrent(Layer):
    """What recurrent layers share: (batch, steps, features) to (batch, units), or every step's.

    `return_sequences` gives (batch, steps, units); `return_state` a tuple of the output and the
    last states; `go_backwards` goes from the last step to the first, and gives the outputs in that
    order; `stateful` starts each batch from the last one's states, until `reset_state()`.

    A call takes `initial_state`, tensors (batch, units), and `mask`, (batch, steps), whose False
    steps leave the states as they were.
    """

    states: ClassVar[int] = 1

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=regularizers.get(activity_regularizer), **kwargs)
        self.units = positive(self, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        keep(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        keep(self, "recurrent", recurrent_initializer, recurrent_regularizer, recurrent_constraint)
        keep(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self.dropout = fraction(self, "dropout", dropout)
        self.recurrent_dropout = fraction(self, "recurrent_dropout", recurrent_dropout)
        self.seed = seed
        self._generator = None if seed is None else Generator().manual_seed(seed)
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self._kept: tuple[Any, ...] | None = None
        self.input_spec = InputSpec(ndim=3)

    # What a kind of recurrent layer says.

    def _module(self, features: int) -> Any:
        """The module of nn that holds the weights."""
        raise ArgumentError(f"{type(self).__name__} has no _module(); write it in the subclass")

    def _plain(self) -> bool:
        """Whether the module computes what the layer's options ask for."""
        return self.activation is activations.tanh

    def _step(self, projected: Any, states: tuple[Any, ...], hidden: Any) -> tuple[Any, ...]:
        """The states after one step; `hidden` is the state that the weights multiply."""
        raise ArgumentError(f"{type(self).__name__} has no _step(); write it in the subclass")

    # What they share.

    def build(self, input_shape: Any) -> None:
        """Make the kernels and the bias."""
        features = known_channels(self, input_shape)
        self.input_spec = InputSpec(ndim=3, axes={-1: features})
        self.rnn = self._module(features)
        self.kernel = self._weight("weight_ih_l0", "kernel", "kernel", (1, 0))
        self.recurrent_kernel = self._weight(
            "weight_hh_l0", "recurrent_kernel", "recurrent", (1, 0)
        )
        self.bias = None
        if self.use_bias:
            self.bias = self._weight("bias_ih_l0", "bias", "bias", None)

    def _weight(self, attribute: str, name: str, kind: str, axes: Any) -> Any:
        return self.track(self.rnn, attribute, name, axes=axes, **options(self, kind))

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None) -> Any:
        """The last state or every step's, and with `return_state` the last states too."""
        if not sequences.shape[1]:
            raise ArgumentError(
                f"layer '{self.name}' ({type(self).__name__}): the input has no steps, its shape "
                f"is {tuple(sequences.shape)}"
            )
        states = self._first_states(sequences, initial_state)
        if self.training and self.dropout:
            sequences = sequences * self._mask(sequences, sequences.shape[2], self.dropout)[:, None]
        dropping = self.training and self.recurrent_dropout
        if mask is None and not dropping and self._plain():
            outputs, states = self._whole(sequences, states)
        else:
            outputs, states = self._by_steps(sequences, states, mask)
        if self.stateful:
            self._kept = tuple(state.detach() for state in states)
        result = outputs if self.return_sequences else states[0]
        return (result, *states) if self.return_state else result

    def _whole(self, sequences: Any, states: Any) -> tuple[Any, tuple[Any, ...]]:
        """All steps as one operation of nn."""
        bias = self.rnn.input_bias("_l0") if self.use_bias else None
        projected = F.linear(sequences, self.rnn.weight_ih_l0, bias).transpose(0, 1)
        hiddens, states = self.rnn.run_layer(projected, states, "_l0", self.go_backwards)
        if not self.return_sequences:
            return None, states
        if self.go_backwards:
            hiddens = hiddens.flip(0)
        return hiddens.transpose(0, 1), states

    def _by_steps(self, sequences: Any, states: Any, mask: Any) -> tuple[Any, tuple[Any, ...]]:
        """One step after the other, for what the operation of nn does not have."""
        bias = self.rnn.input_bias("_l0") if self.use_bias else None
        projected = F.linear(sequences, self.rnn.weight_ih_l0, bias)
        scale = None
        if self.training and self.recurrent_dropout:
            scale = self._mask(sequences, self.units, self.recurrent_dropout)
        steps = range(sequences.shape[1])
        outputs = []
        for step in reversed(steps) if self.go_backwards else steps:
            hidden = states[0] if scale is None else states[0] * scale
            after = self._step(projected[:, step], states, hidden)
            if mask is not None:
                seen = mask[:, step].bool()[:, None]
                after = tuple(minigrad.where(seen, new, old) for new, old in zip(after, states))
            states = after
            outputs.append(states[0])
        return minigrad.stack(outputs, 1) if self.return_sequences else None, states

    def _mask(self, like: Any, size: int, rate: float) -> Any:
        """One draw for all steps: zero with the probability `rate`, else 1 / (1 - rate)."""
        if rate == 1:
            return minigrad.zeros(like.shape[0], size, dtype=like.dtype, device=like.device)
        kept = minigrad.full((like.shape[0], size), 1 - rate, dtype=like.dtype, device=like.device)
        return minigrad.bernoulli(kept, generator=self._generator) / (1 - rate)

    def _first_states(self, sequences: Any, given: Any) -> tuple[Any, ...]:
        wanted = (sequences.shape[0], self.units)
        if given is None and self.stateful and self._kept is not None:
            if tuple(self._kept[0].shape) != wanted:
                raise ArgumentError(
                    f"layer '{self.name}' ({type(self).__name__}): with stateful=True every batch "
                    f"has the size of the first, {self._kept[0].shape[0]}, got {wanted[0]}; call "
                    "reset_state() before another size"
                )
            return self._kept
        if given is None:
            start = minigrad.zeros(*wanted, dtype=sequences.dtype, device=sequences.device)
            return (start,) * self.states
        states = tuple(given) if isinstance(given, (list, tuple)) else (given,)
        shapes = [tuple(state.shape) for state in states]
        if shapes != [wanted] * self.states:
            raise ArgumentError(
                f"layer '{self.name}' ({type(self).__name__}): initial_state must be {self.states} "
                f"tensor{'s' * (self.states > 1)} of shape {wanted}, got {shapes}"
            )
        return states

    def reset_state(self) -> None:
        """Forget the states that `stateful` kept."""
        self._kept = None

    reset_states = reset_state

    def compute_output_shape(self, input_shape: Any) -> Any:
        """(batch, units) or (batch, steps, units), with `return_state` the states' shapes too."""
        shape = tuple(input_shape)
        state = (shape[0], self.units)
        output = (*shape[:2], self.units) if self.return_sequences else state
        return (output, *((state,) * self.states)) if self.return_state else output


class SimpleRNN(Recurrent):
    """`h = activation(x @ kernel + h @ recurrent_kernel + bias)`; see Recurrent for the options.

    kernel: (features, units), recurrent_kernel: (units, units), bias: (units,).

    >>> import minigrad
    >>> SimpleRNN(4, return_sequences=True)(minigrad.zeros(2, 5, 3)).shape
    minigrad.Size([2, 5, 4])
    """

    def _module(self, features: int) -> Any:
        kind = "relu" if self.activation is activations.relu else "tanh"
        return RNNModule(
            features, self.units, nonlinearity=kind, bias=self.use_bias, dtype=self.dtype
        )

    def _plain(self) -> bool:
        return self.activation in (activations.tanh, activations.relu)

    def _step(self, projected: Any, states: tuple[Any, ...], hidden: Any) -> tuple[Any, ...]:
        return (self.activation(projected + F.linear(hidden, self.rnn.weight_hh_l0)),)


class _Gated(Recurrent):
    """A recurrent layer with gates, which have an activation of their own."""

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, activation, use_bias, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)

    def _plain(self) -> bool:
        usual = self.recurrent_activation is activations.sigmoid
        return usual and self.activation is activations.tanh


class LSTM(_Gated):
    """Long short-term memory; see Recurrent for the options.

    kernel: (features, 4 * units), recurrent_kernel: (units, 4 * units), bias: (4 * units,), the
    gates in the order input, forget, cell, output. With `unit_forget_bias` the forget gate's bias
    starts at one (Jozefowicz et al. 2015). Its states are h and c. Source: Hochreiter and
    Schmidhuber 1997.

    >>> import minigrad
    >>> LSTM(4)(minigrad.zeros(2, 5, 3)).shape
    minigrad.Size([2, 4])
    """

    states = 2

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        given = dict(locals())
        for name in ("self", "__class__", "kwargs", "unit_forget_bias", "use_cudnn"):
            given.pop(name)
        super().__init__(**given, **kwargs)
        self.unit_forget_bias = unit_forget_bias
        self.use_cudnn = use_cudnn

    def build(self, input_shape: Any) -> None:
        """Make the kernels and the bias."""
        super().build(input_shape)
        if self.use_bias and self.unit_forget_bias:
            nn.init.ones_(self.rnn.bias_ih_l0.detach()[self.units : 2 * self.units])

    def _module(self, features: int) -> Any:
        return LSTMModule(features, self.units, bias=self.use_bias, dtype=self.dtype)

    def _step(self, projected: Any, states: tuple[Any, ...], hidden: Any) -> tuple[Any, ...]:
        gates = projected + F.linear(hidden, self.rnn.weight_hh_l0)
        enter, forget, new, leave = gates.chunk(4, 1)
        gate = self.recurrent_activation
        cell = gate(forget) * states[1] + gate(enter) * self.activation(new)
        return gate(leave) * self.activation(cell), cell


class GRU(_Gated):
    """Gated recurrent unit; see Recurrent for the options.

    kernel: (features, 3 * units), recurrent_kernel: (units, 3 * units), the gates in the order
    update, reset, new. With `reset_after` the reset gate acts after the product with the recurrent
    kernel, and the bias is (2, 3 * units), one for the input and one for the state; otherwise it
    acts before, and the bias is (3 * units,). Source: Cho et al. 2014.
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        given = dict(locals())
        for name in ("self", "__class__", "kwargs", "reset_after", "use_cudnn"):
            given.pop(name)
        super().__init__(**given, **kwargs)
        self.reset_after = reset_after
        self.use_cudnn = use_cudnn

    def _module(self, features: int) -> Any:
        both = self.reset_after
        return GRUModule(features, self.units, bias=self.use_bias, both=both, dtype=self.dtype)

    def _plain(self) -> bool:
        return self.reset_after and super()._plain()

    def _weight(self, attribute: str, name: str, kind: str, axes: Any) -> Any:
        if name == "bias":
            attribute = "both_biases" if self.reset_after else "bias_ih_l0"
        weight = GateWeight(
            self.rnn,
            attribute,
            name,
            path=f"{self.name}/{name}",
            axes=axes,
            **options(self, kind),
        )
        weight.initialize()
        self._weights.append(weight)
        return weight

    def _step(self, projected: Any, states: tuple[Any, ...], hidden: Any) -> tuple[Any, ...]:
        weight, units = self.rnn.weight_hh_l0, self.units
        gate = self.recurrent_activation
        if self.reset_after:
            product = F.linear(hidden, weight, self.rnn.state_bias())
        else:
            product = F.linear(hidden, weight[: 2 * units])
        reset = gate(projected[:, :units] + product[:, :units])
        update = gate(projected[:, units : 2 * units] + product[:, units : 2 * units])
        if self.reset_after:
            inner = reset * product[:, 2 * units :]
        else:
            inner = F.linear(reset * hidden, weight[2 * units :])
        new = self.activation(projected[:, 2 * units :] + inner)
        return (update * states[0] + (1 - update) * new,)
