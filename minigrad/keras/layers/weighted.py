"""Weighted: a module that knows its weights in Keras's order and layout, and its own losses."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy

from minigrad import dtypes
from minigrad.errors import ArgumentError
from minigrad.keras import constraints, initializers, regularizers
from minigrad.keras.layers.weight import Variable, Weight
from minigrad.nn import Module
from minigrad.ops.creation import empty

__all__ = ["Weighted"]


class Weighted(Module):
    """The part of a Layer that holds weights: making, finding, freezing, copying them."""

    name: str
    dtype: str
    built = False
    # Whether any layer of the program ever added a loss: models forget such losses at each call.
    any_added_losses = False
    _trainable = True
    _weights: list[Weight]
    _added_losses: list[Any]

    def _start_weights(self) -> None:
        self._weights = []
        self._added_losses = []

    def _check_started(self) -> None:
        if "_weights" not in vars(self):
            own = type(self).__name__
            raise ArgumentError(
                f"{own}: super().__init__() was not called; write it as the first line of "
                f"{own}.__init__()"
            )

    def track(self, owner: Any, attribute: str | None, name: str, **options: Any) -> Weight:
        """Say that `owner.attribute` is this layer's weight `name`, and initialize it.

        Called in `build`, in Keras's order of weights. Options are those of `Weight`: axes and
        view (the way from torch's layout to Keras's), initializer, regularizer, constraint.
        """
        weight = Weight(owner, attribute, name, path=f"{self.name}/{name}", **options)
        weight.initialize()
        self._weights.append(weight)
        return weight

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Any:
        """A new parameter of this shape, which the layer trains unless `trainable` is False.

        The initializer is glorot_uniform unless given, zeros for integers.
        """
        self._check_started()
        shape = () if shape is None else tuple(shape) if hasattr(shape, "__iter__") else (shape,)
        if any(length is None for length in shape):
            raise ArgumentError(
                f"add_weight(): layer '{self.name}' asked for a weight of shape {shape}; every "
                "length must be known, so use input_shape[-1] and not input_shape[0], the batch"
            )
        kind = dtypes.as_dtype(self.dtype if dtype is None else dtype, "add_weight")
        if initializer is None:
            initializer = "glorot_uniform" if kind.kind in "fc" else "zeros"
        variable = Variable(empty(*shape, dtype=kind), requires_grad=False)
        variable.name = f"variable_{len(self._weights)}" if name is None else name
        self.track(
            variable,
            None,
            variable.name,
            trainable=trainable,
            initializer=initializers.get(initializer),
            regularizer=regularizers.get(regularizer),
            constraint=constraints.get(constraint),
        )
        variable.requires_grad_(trainable and kind.kind in "fc")
        return variable

    def _find(self, kind: type[Any]) -> Iterator[tuple[str, Any]]:
        """As Module finds them, and also in lists and dicts, and among the added weights."""
        found: set[int] = set()
        for name, value in vars(self).items():
            if isinstance(value, kind):
                found.add(id(value))
                yield name, value
            elif isinstance(value, (list, tuple, dict)) and not name.startswith("_"):
                pairs = value.items() if isinstance(value, dict) else enumerate(value)
                for key, member in pairs:
                    if isinstance(member, kind):
                        yield f"{name}.{key}", member
        for weight in vars(self).get("_weights", ()):
            own = weight.owner
            if isinstance(own, kind) and isinstance(own, Variable) and id(own) not in found:
                yield weight.name, own

    def _sublayers(self) -> list[Any]:
        """This layer and the layers below it, each once, in the order in which they were set."""
        return [module for module in self.modules() if isinstance(module, Weighted)]

    @property
    def weights(self) -> list[Weight]:
        """All weights in Keras's order: layer by layer, each layer's as it made them."""
        return [weight for layer in self._sublayers() for weight in layer._weights]

    @property
    def trainable_weights(self) -> list[Weight]:
        """The weights that training changes."""
        return [weight for weight in self.weights if weight.trainable]

    @property
    def non_trainable_weights(self) -> list[Weight]:
        """The weights that training leaves alone: frozen ones, and statistics."""
        return [weight for weight in self.weights if not weight.trainable]

    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    @property
    def trainable(self) -> bool:
        """Whether the weights are trained; setting it freezes or thaws the layers below too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._sublayers():
            layer._trainable = bool(value)
            for weight in layer._weights:
                weight.trainable = bool(value)

    def count_params(self) -> int:
        """How many numbers the weights hold. Raises ArgumentError before the layer is built."""
        if not self.built:
            raise ArgumentError(
                f"count_params(): layer '{self.name}' has no weights yet; call it on data, or "
                "build(input_shape), first"
            )
        return sum(math.prod(weight.shape) for weight in self.weights)

    def get_weights(self) -> list[numpy.ndarray[Any, Any]]:
        """Copies of the weights as NumPy arrays in Keras's layout."""
        return [weight.numpy() for weight in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Replace all weights by arrays in Keras's layout and order, as `get_weights` gives them.

        Raises ArgumentError, and changes nothing, where their number or a shape differs.
        """
        own = self.weights
        given = [value.numpy() if isinstance(value, Weight) else value for value in weights]
        given = [numpy.asarray(value) for value in given]
        shapes = [weight.shape for weight in own]
        if len(given) != len(own):
            hint = "" if self.built else "; it is not built yet: call it on data first"
            raise ArgumentError(
                f"set_weights(): layer '{self.name}' has {len(own)} weights, of shapes {shapes}, "
                f"got {len(given)}{hint}"
            )
        for weight, value in zip(own, given):
            if value.shape != weight.shape:
                raise ArgumentError(
                    f"set_weights(): weight '{weight.path}' of layer '{self.name}' has shape "
                    f"{weight.shape}, got values of shape {value.shape}; nothing was changed"
                )
        for weight, value in zip(own, given):
            weight.assign(value)

    # Losses of its own.

    def add_loss(self, loss: Any) -> None:
        """Add a scalar computed in `call` to what training minimizes."""
        Weighted.any_added_losses = True
        self._added_losses.append(loss)

    @property
    def losses(self) -> list[Any]:
        """The penalties of the regularizers, and what was added in the last call."""
        found = []
        for layer in self._sublayers():
            found += layer._added_losses
            found += [
                weight.regularizer(weight.value)
                for weight in layer._weights
                if weight.regularizer is not None and weight.trainable
            ]
        return found
