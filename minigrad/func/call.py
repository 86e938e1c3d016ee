"""One call of a primitive on a batch: its values, where they are batched, its places one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.backend import backend_of, is_array
from minigrad.func.level import as_tensor, lowered
from minigrad.func.lifted import Array
from minigrad.graph import Traced
from minigrad.ops.index import getitem
from minigrad.ops.join import stack
from minigrad.ops.reduce import broadcast_to
from minigrad.ops.shape import _reshape

__all__ = ["Call", "at_place"]


class Call:
    """One call of a primitive on the level below: its values, and which of them are batched."""

    def __init__(
        self,
        level: Any,
        op: Any,
        call: Any,
        values: list[Any],
        flags: list[bool],
        constants: dict[str, Any],
        varying: bool,
    ) -> None:
        self.level = level
        self.size: int = level.size
        self.op = op
        self.call = call
        self.values = values
        self.flags = flags
        self.given = constants
        self.varying = varying
        self.constants = lowered(constants, level)
        self.memories: list[dict[str, Any]] = []

    def ndim(self, place: int = 0) -> int:
        """The dimensions of an input at one place of the batch; 0 for a number."""
        value = self.values[place]
        return value._array.ndim - self.flags[place] if isinstance(value, Traced) else 0

    def shape(self, place: int = 0) -> tuple[int, ...]:
        """The shape of an input at one place of the batch."""
        shape: tuple[int, ...] = self.values[place]._array.shape
        return shape[1:] if self.flags[place] else shape

    def aligned(self, place: int, rank: int) -> Any:
        """A batched input with dimensions of size 1 after the batch, up to a rank."""
        value = self.values[place]
        missing = rank - self.ndim(place)
        if not self.flags[place] or missing <= 0:
            return value
        return _reshape(value, size=(self.size, *(1,) * missing, *self.shape(place)))

    def full(self, place: int) -> Any:
        """An input as one that is batched; a number or None as it is."""
        value = self.values[place]
        if self.flags[place] or not isinstance(value, Traced):
            return value
        return broadcast_to(value, size=(self.size, *value._array.shape))

    def all_full(self) -> list[Any]:
        """Every input as one that is batched."""
        return [self.full(place) for place in range(len(self.values))]

    def full_constants(self) -> dict[str, Any]:
        """The constants, those that are arrays as batched ones."""
        made = {}
        for name, value in self.given.items():
            raw = self.constants[name]
            if is_array(raw) or isinstance(raw, Array):
                batched = isinstance(value, Array) and value.level is self.level and value.part
                if not batched:
                    tensor = broadcast_to(as_tensor(raw), size=(self.size, *raw.shape))
                    raw = tensor._array
            made[name] = raw
        return made

    def aligned_constants(self, rank: int) -> dict[str, Any]:
        """The constants, arrays that are batched with the batch before `rank` dimensions."""
        made = {}
        for name, value in self.given.items():
            raw = self.constants[name]
            if isinstance(value, Array) and value.level is self.level and value.part:
                raw = raw.reshape((self.size, *(1,) * (rank - value.ndim), *value.shape))
            made[name] = raw
        return made

    def whole(self, rule: Callable[[Call], Any] | None) -> Any:
        """The result with the batch as its first dimension, by a rule where it has an answer."""
        result = None if rule is None else rule(self)
        if result is None or not all(p._array.shape[:1] == (self.size,) for p in _parts(result)):
            return self.each()
        return result

    # Once for each place.

    def at(self, place: int) -> Any:
        """The result at one place of the batch."""
        values = [
            getitem(value, index=(place, Ellipsis)) if flag else value
            for value, flag in zip(self.values, self.flags)
        ]
        constants = at_place(self.given, self.level, place)
        result = self.call(*values, **constants)
        self.memories.append(constants)
        return result

    def remember(self, batched: bool) -> None:
        """Let the lists that the call was to fill hold what was left for each place, or for all."""
        memories = self.memories if batched else [self.constants]
        for name, given in self.given.items():
            if type(given) is list and not given and memories:
                left = zip(*(memory[name] for memory in memories))
                given[:] = [_recalled(self.level, items, batched) for items in left]

    def joined(self, places: list[Any]) -> Any:
        """The results of all places, as one tensor or a tuple of them."""
        if isinstance(places[0], tuple):
            return tuple(stack([as_tensor(p) for p in parts]) for parts in zip(*places))
        results = [as_tensor(place) for place in places]
        if any(result._array.shape != results[0]._array.shape for result in results):
            raise self.level.unreadable("used where the shape of a result depends on its values")
        return stack(results)

    def each(self) -> Any:
        """The results of all places, one after the other."""
        if self.size:
            return self.joined([self.at(place) for place in range(self.size)])
        one = [
            as_tensor(_zeros(v._array, v._array.shape[1:])) if flag else v
            for v, flag in zip(self.values, self.flags)
        ]
        result = self.call(*one, **at_place(self.given, self.level, None))
        empty = tuple(as_tensor(_zeros(p._array, (0, *p._array.shape))) for p in _parts(result))
        return empty if isinstance(result, tuple) else empty[0]

    def drawn(self) -> Any:
        """The result of a draw of new numbers at each place."""
        constants = self.full_constants()
        if "size" in constants:
            constants["size"] = (self.size, *constants["size"])
            rank = len(constants["size"]) - 1
            values = [self.aligned(place, rank) for place in range(len(self.values))]
            return self.call(*values, **constants)
        if "p" in constants:
            constants = {**constants, **self.aligned_constants(self.ndim())}
        return self.call(*self.all_full(), **constants)


def _zeros(array: Any, shape: tuple[int, ...]) -> Any:
    return backend_of(array).xp.zeros(shape, array.dtype)


def at_place(value: Any, level: Any, place: int | None) -> Any:
    """Raw arrays of a level, alone or in structures, at one place; zeros like them for None."""
    if isinstance(value, Array) and value.level is level:
        raw = value.value._array
        if not value.part:
            return raw
        return _zeros(raw, raw.shape[1:]) if place is None else raw[place, ...]
    if isinstance(value, _Places) and value.level is level and place is not None:
        return value.items[place]
    if isinstance(value, (tuple, list)):
        return type(value)([at_place(part, level, place) for part in value])
    if isinstance(value, dict):
        return {key: at_place(part, level, place) for key, part in value.items()}
    return value


def _parts(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


class _Places:
    """What a memory holds that is no array: one thing for each place of a level's batch."""

    def __init__(self, level: Any, items: tuple[Any, ...]) -> None:
        self.level = level
        self.items = items


def _recalled(level: Any, items: tuple[Any, ...], batched: bool) -> Any:
    """One entry of a memory from those of all places."""
    first = items[0]
    if not hasattr(first, "dtype"):
        return _Places(level, items) if batched else first
    value = stack([as_tensor(item) for item in items]) if batched else as_tensor(first)
    return Array(level, value, batched)
