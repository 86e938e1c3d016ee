"""Layers that hold another layer: TimeDistributed and Bidirectional."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import minigrad
from minigrad.errors import ArgumentError
from minigrad.keras.layers.base import Layer
from minigrad.keras.layers.recurrent import Recurrent
from minigrad.keras.lookup import Lookup, registered_name

__all__ = ["Bidirectional", "TimeDistributed", "Wrapper"]


def _below(kind: type) -> Iterator[type]:
    found: type
    for found in kind.__subclasses__():
        yield found
        yield from _below(found)


def layer_of(owner: Any, given: Any) -> Any:
    """A layer, or the one that a configuration describes."""
    if isinstance(given, Mapping):
        own = {kind.__name__: kind for kind in _below(Layer) if kind.__module__.startswith("mini")}
        given = Lookup("keras.layers", "layer", own).from_config(given)
    if not isinstance(given, Layer):
        hint = f"; write {given.__name__}(...)" if isinstance(given, type) else ""
        raise ArgumentError(f"{type(owner).__name__}(): layer must be a layer, got {given!r}{hint}")
    return given


class Wrapper(Layer):
    """A layer that holds the layer `layer`."""

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = layer_of(self, layer)


class TimeDistributed(Wrapper):
    """The layer applied to every step alike: (batch, steps, ...) to (batch, steps, ...).

    >>> import minigrad
    >>> from minigrad.keras.layers.dense import Dense
    >>> TimeDistributed(Dense(4))(minigrad.zeros(2, 5, 3)).shape
    minigrad.Size([2, 5, 4])
    """

    def build(self, input_shape: Any) -> None:
        """Build the layer for one step."""
        self._need_steps(input_shape)
        if not self.layer.built:
            self.layer._build_once((None, *input_shape[2:]))

    def _need_steps(self, shape: Any) -> None:
        if len(shape) < 3:
            raise ArgumentError(
                f"layer '{self.name}' (TimeDistributed) expects inputs (batch, steps, ...), got "
                f"shape {tuple(shape)}"
            )

    def call(self, inputs: Any) -> Any:
        """The layer's outputs for every step."""
        self._need_steps(inputs.shape)
        batch, steps = inputs.shape[:2]
        outputs = self.layer(inputs.reshape(batch * steps, *inputs.shape[2:]))
        return outputs.reshape(batch, steps, *outputs.shape[1:])

    def compute_output_shape(self, input_shape: Any) -> Any:
        """(batch, steps, ...) with what the layer gives behind."""
        self._need_steps(input_shape)
        inner = self.layer.compute_output_shape((input_shape[0], *input_shape[2:]))
        return (*input_shape[:2], *inner[1:])


_MERGES = ("concat", "sum", "ave", "mul", None)


class Bidirectional(Wrapper):
    """A recurrent layer from the first step to the last, and an equal one the other way.

    `merge_mode` is "concat", "sum", "ave", "mul", or None for a pair of outputs. The second layer
    is `backward_layer` if that is given, which must have go_backwards=True. Source: Schuster and
    Paliwal 1997.

    >>> import minigrad
    >>> from minigrad.keras.layers.recurrent import LSTM
    >>> Bidirectional(LSTM(4))(minigrad.zeros(2, 5, 3)).shape
    minigrad.Size([2, 8])
    """

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        given = layer_of(self, layer)
        if not isinstance(given, Recurrent):
            raise ArgumentError(
                f"Bidirectional(): layer must be recurrent, such as LSTM(32), got {given!r}"
            )
        if merge_mode not in _MERGES:
            raise ArgumentError(
                f"Bidirectional(): merge_mode must be one of {_MERGES}, got {merge_mode!r}"
            )
        Layer.__init__(self, **kwargs)
        self.merge_mode = merge_mode
        self.forward_layer = self._made(given, "forward", given.go_backwards)
        if backward_layer is None:
            self.backward_layer = self._made(given, "backward", not given.go_backwards)
            self._own_backward = False
        else:
            self.backward_layer = layer_of(self, backward_layer)
            self._own_backward = True
            self._check_pair()
        self.return_sequences = given.return_sequences
        self.return_state = given.return_state
        self._first_weights = weights

    def _made(self, layer: Any, side: str, backwards: bool) -> Any:
        config = layer.get_config()
        name = config["name"].removeprefix("forward_")
        config |= {"name": f"{side}_{name}", "go_backwards": backwards}
        return type(layer).from_config(config)

    def _check_pair(self) -> None:
        first, second = self.forward_layer, self.backward_layer
        if first.go_backwards == getattr(second, "go_backwards", None):
            raise ArgumentError(
                "Bidirectional(): layer and backward_layer must go in opposite directions; make "
                "the second with go_backwards=True"
            )
        for option in ("return_sequences", "return_state", "stateful"):
            if getattr(first, option) != getattr(second, option, None):
                raise ArgumentError(
                    f"Bidirectional(): layer and backward_layer must have the same {option}"
                )

    def build(self, input_shape: Any) -> None:
        """Build both layers."""
        self.forward_layer._build_once(input_shape)
        self.backward_layer._build_once(input_shape)
        if self._first_weights is not None:
            half = len(self._first_weights) // 2
            self.forward_layer.set_weights(self._first_weights[:half])
            self.backward_layer.set_weights(self._first_weights[half:])

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None) -> Any:
        """The merged outputs, and with `return_state` the states of both layers."""
        states: tuple[Any, Any] = (None, None)
        if initial_state is not None:
            half = len(initial_state) // 2
            states = (initial_state[:half], initial_state[half:])
        ahead = self.forward_layer(sequences, initial_state=states[0], mask=mask)
        behind = self.backward_layer(sequences, initial_state=states[1], mask=mask)
        last: tuple[Any, ...] = ()
        if self.return_state:
            last = (*ahead[1:], *behind[1:])
            ahead, behind = ahead[0], behind[0]
        if self.return_sequences:
            behind = behind.flip(1)
        merged = self._merged(ahead, behind)
        if not last:
            return merged
        return (*merged, *last) if self.merge_mode is None else (merged, *last)

    def _merged(self, ahead: Any, behind: Any) -> Any:
        if self.merge_mode is None:
            return ahead, behind
        if self.merge_mode == "concat":
            return minigrad.cat([ahead, behind], -1)
        if self.merge_mode == "mul":
            return ahead * behind
        return ahead + behind if self.merge_mode == "sum" else (ahead + behind) / 2

    def reset_state(self) -> None:
        """Forget the states that `stateful` kept."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the merged outputs, with `return_state` those of the states too."""
        ahead = self.forward_layer.compute_output_shape(input_shape)
        behind = self.backward_layer.compute_output_shape(input_shape)
        states: tuple[Any, ...] = ()
        if self.return_state:
            states = (*ahead[1:], *behind[1:])
            ahead, behind = ahead[0], behind[0]
        if self.merge_mode is None:
            return (ahead, behind, *states)
        if self.merge_mode == "concat":
            ahead = (*ahead[:-1], ahead[-1] + behind[-1])
        return (ahead, *states) if states else ahead

    def get_config(self) -> dict[str, Any]:
        """The configurations of the layers and the options."""
        config = super().get_config()
        del config["weights"]
        config["layer"] = _described(self.forward_layer)
        config["backward_layer"] = _described(self.backward_layer) if self._own_backward else None
        return config


def _described(layer: Any) -> dict[str, Any]:
    return {"class_name": registered_name(type(layer)), "config": layer.get_config()}
