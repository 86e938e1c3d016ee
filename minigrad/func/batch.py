"""Batching: a level whose arrays stand for one tensor for each place of a batch.

A primitive runs once on the whole batch where `minigrad.func.batching` has a rule for it, which
says no more than where the batch goes among its dimensions. Any other runs once for each place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.backend.levels import lifted_in
from minigrad.errors import ArgumentError, GraphError
from minigrad.func.batching import is_random, rule_of
from minigrad.func.call import Call, at_place
from minigrad.func.level import Level, as_tensor, lowered
from minigrad.func.lifted import Array
from minigrad.graph import Traced, wrap
from minigrad.ops.join import stack
from minigrad.ops.reduce import broadcast_to
from minigrad.ops.shape import reshape

__all__ = ["Batch"]


class Batch(Level):
    """A level of `vmap`: `value` is a tensor whose first dimension is the batch if `part` is true.

    Otherwise `value` is the same at each place of the batch.
    """

    name = "vmap"

    def __init__(self, size: int, randomness: str) -> None:
        super().__init__()
        self.size = size
        self.randomness = randomness

    def shape_of(self, array: Array) -> tuple[int, ...]:
        """The shape at one place of the batch."""
        shape: tuple[int, ...] = array.value._array.shape
        return shape[1:] if array.part else shape

    def describe(self, array: Array) -> str:
        """How a tensor of this level prints."""
        dim = 0 if array.part else None
        return f"BatchedTensor(level={self.depth}, batch_dim={dim}, value={array.value!r})"

    def constant(self, value: Traced) -> Array:
        """A tensor of a level below: the same at each place."""
        return Array(self, value, False)

    def batched(self, value: Any) -> Any:
        """A Tensor of this level from one whose first dimension is the batch."""
        return wrap(value, Array(self, value, True))

    def whole(self, tensor: Any) -> tuple[Any, bool]:
        """The Tensor below, and whether its first dimension is the batch."""
        array = tensor._array
        if isinstance(array, Array) and array.level is self:
            return array.value, array.part
        return tensor, False

    def read(self, array: Array, how: str) -> Any:
        """The raw array whose elements Python asks for, where all places share it."""
        if array.part:
            raise self.unreadable(f"read by {how}()")
        return array.value._array

    def unreadable(self, how: str) -> Exception:
        """The error for what depends on values that differ over the batch."""
        return GraphError(
            f"vmap(): a tensor that differs over the batch cannot be {how}, since what follows "
            f"would depend on its values; write it with tensor operations, such as "
            f"minigrad.where() in place of if"
        )

    def run(self, op: Any, call: Any, arrays: tuple[Any, ...], constants: dict[str, Any]) -> Any:
        """The operation on the whole batch, or once for each place."""
        values = [a.value if isinstance(a, Array) else a for a in arrays]
        flags = [isinstance(a, Array) and bool(a.part) for a in arrays]
        varying = any(a.part for a in lifted_in(constants.values()) if a.level is self)
        with self.underneath():
            if is_random(op):
                result, batched = self._draw(op, call, values, flags, constants, varying)
            else:
                made = Call(self, op, call, values, flags, constants, varying)
                batched = varying or any(flags)
                result = made.whole(rule_of(op)) if batched else call(*values, **made.constants)
                made.remember(batched)
        if isinstance(result, tuple):
            return tuple(Array(self, as_tensor(part), batched) for part in result)
        value = as_tensor(result)
        array = Array(self, value, batched)
        if op.kind.view and value._base is not None:
            array.base = arrays[0] if arrays[0].base is None else arrays[0].base
        return array

    # Random numbers.

    def _draw(
        self, op: Any, call: Any, values: Any, flags: Any, constants: Any, varying: bool
    ) -> tuple[Any, bool]:
        """An operation that draws random numbers."""
        self._check_random()
        made = Call(self, op, call, values, flags, constants, varying)
        if self.randomness == "different":
            return made.drawn(), True
        if not varying and not any(flags):
            return call(*values, **lowered(constants, self)), False
        generator = constants.get("generator")
        if generator is None:
            return made.at(0), False
        state = generator.get_state()
        places = []
        for place in range(self.size):
            generator.set_state(state)
            places.append(made.at(place))
        return made.joined(places), True

    def _check_random(self) -> None:
        if self.randomness == "error":
            raise GraphError(
                "vmap(): the function draws random numbers; say how with randomness='different' "
                "(new ones at each place of the batch) or randomness='same'"
            )

    def drawn(self, draw: Callable[[Any], Any], shape: Any) -> Any:
        """Raw random numbers of a shape; None for a draw that has no shape."""
        self._check_random()
        with self.underneath():
            if self.randomness == "same":
                return draw(shape)
            if shape is None:
                value = stack([as_tensor(draw(None)) for _ in range(self.size)])
            else:
                size = (shape,) if isinstance(shape, int) else tuple(shape)
                value = as_tensor(draw((self.size, *size)))
        return Array(self, value, True)

    def picked(self, draw: Callable[..., Any], xp: Any, weights: Any, *rest: Any) -> Any:
        """A raw draw that depends on an array of weights."""
        self._check_random()
        varies = isinstance(weights, Array) and weights.level is self and weights.part
        if self.randomness == "different" or varies:
            weights = weights if varies else self._everywhere(weights)
            return self.raw(lambda places: draw(xp, places, *rest), (weights,), {})
        with self.underneath():
            return draw(xp, *lowered((weights,), self), *rest)

    def _everywhere(self, weights: Any) -> Array:
        value = as_tensor(lowered(weights, self))
        return Array(self, broadcast_to(value, size=(self.size, *value._array.shape)), True)

    # Raw arrays.

    def raw(self, function: Any, args: Any, kwargs: Any) -> Any:
        """A function of raw arrays, once for each place."""
        with self.underneath():
            if not any(a.part for a in lifted_in((args, kwargs)) if a.level is self):
                return function(*lowered(args, self), **lowered(kwargs, self))
            places = [
                function(*at_place(args, self, place), **at_place(kwargs, self, place))
                for place in range(self.size)
            ]
            return _joined(self, places)

    # In place.

    def admit(self, tensor: Any, value: Any) -> None:
        """Refuse a change in place that would need another value at each place of the batch."""
        array = tensor._array
        if isinstance(array, Array) and array.level is self and array.part:
            return
        if not any(a.part for a in lifted_in((value,)) if a.level is self):
            return
        raise ArgumentError(
            "vmap(): this tensor is the same at each place of the batch, so that a value which "
            "differs over the batch cannot be written into it in place; use the out-of-place "
            "operation, or make the tensor from one of the batch, as with zeros_like(x) * x"
        )

    def assign(self, array: Array, index: Any, value: Any) -> None:
        """Write at each place of the batch."""
        with self.underneath():
            source: Any = value
            varies = False
            if isinstance(value, Array) and value.level is self:
                source, varies = value.value, value.part
            if not array.part:
                array.value[lowered(index, self)] = source
                return
            whole = index is Ellipsis or index == (Ellipsis,)
            if whole and isinstance(source, Traced):
                shape = source._array.shape[1:] if varies else source._array.shape
                lead = (1,) * (array.ndim - len(shape))
                size = (self.size if varies else 1, *lead, *shape)
                array.value[...] = reshape(source, size)
                return
            source = as_tensor(source) if hasattr(source, "dtype") else source
            for place in range(self.size):
                part = source[place] if varies else source
                array.value[place][at_place(index, self, place)] = part


def _joined(level: Batch, places: list[Any]) -> Any:
    """What a function of raw arrays gave at each place, as arrays of the level."""
    first: Any = places[0] if places else None
    if isinstance(first, (tuple, list)):
        return type(first)([_joined(level, list(parts)) for parts in zip(*places)])
    if not hasattr(first, "dtype"):
        if all(place == first for place in places):
            return first
        raise level.unreadable("asked for a number")
    if any(place.shape != first.shape for place in places):
        raise level.unreadable("used where the shape of the result depends on its values")
    return Array(level, stack([as_tensor(place) for place in places]), True)


def expanded(level: Batch, tensor: Any) -> Any:
    """A result as a Tensor whose first dimension is the batch."""
    value, batched = level.whole(tensor)
    if batched:
        return value
    return broadcast_to(value, size=(level.size, *value._array.shape))
