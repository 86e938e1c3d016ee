"""Small parameters end to end in one flat array, so that one update of it is the step of all.

`settle` moves parameters into such an array when an optimizer takes them: from then on each one's
array is a part of it. A step gathers the gradients, updates the flat array and is done.
Parameters whose memory somebody else looks into stay where they are; a step copies them in and
out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from operator import is_
from typing import Any

from minigrad import dtypes, mutation
from minigrad.backend import backend_of

LARGEST = 16_384
"""Parameters of up to this many elements are joined; above, gathering costs more than the calls."""


class Flat:
    """The memory of several parameters: `values` is all of it, `parts` are their arrays."""

    def __init__(self, values: Any, parts: list[Any]) -> None:
        self.values = values
        self.parts = parts


def settle(parameters: Iterable[Any]) -> None:
    """Move the small ones among the parameters to flat arrays, one for each dtype and device.

    A parameter is moved only where nobody can tell: it owns its memory, and no other tensor,
    array or graph holds its array.
    """
    families: dict[Any, list[Any]] = {}
    for parameter in parameters:
        if parameter._array.size <= LARGEST and _movable(parameter):
            key = (parameter._array.dtype, str(parameter.device))
            families.setdefault(key, []).append(parameter)
    for family in families.values():
        arrays = [parameter._array for parameter in family]
        joined = backend_of(arrays[0]).join(arrays) if len(arrays) > 1 else None
        if joined is None:
            continue
        flat = Flat(*joined)
        for position, (parameter, part) in enumerate(zip(family, flat.parts, strict=True)):
            mutation.move(parameter._array, part)
            parameter._array = part
            parameter._place = flat, position


def _place(parameter: Any) -> tuple[Flat, int] | None:
    """The flat array that a parameter lies in, and at which position."""
    place: tuple[Flat, int] | None = parameter._place
    if place is None or place[0].parts[place[1]] is not parameter._array:
        return None
    return place


def _movable(parameter: Any) -> bool:
    """Whether a parameter's array can be replaced by another with nobody noticing."""
    if not parameter._array.flags.c_contiguous:
        return False
    if _place(parameter) is not None:
        return sys.getrefcount(parameter._array) <= _ALONE + 1
    if sys.getrefcount(parameter._array) > _ALONE:
        return False
    if parameter._array.flags.owndata:
        return True
    # An array that was reshaped, where nobody else holds what it is a view of.
    if parameter._array.base.__class__ is not parameter._array.__class__:
        return False
    return parameter._array.base.flags.owndata and sys.getrefcount(parameter._array.base) <= _ALONE


def _probe() -> int:
    """The reference count that `_movable` sees for an array that only its tensor holds."""

    class Holder:
        _array = None

    holder: Any = Holder()
    holder._array = object()
    return sys.getrefcount(holder._array)


_ALONE = _probe()


def _run(parameters: list[Any]) -> Any:
    """The stretch of a flat array that holds just these parameters in their order, or None."""
    places = [_place(parameter) for parameter in parameters]
    first = places[0]
    if first is None:
        return None
    flat, position = first
    if places != [(flat, position + offset) for offset in range(len(places))]:
        return None
    start = sum(part.size for part in flat.parts[:position])
    stop = start + sum(part.size for part in flat.parts[position : position + len(places)])
    return flat.values[start:stop]


def _joined(arrays: list[Any]) -> Any:
    """Arrays of one dtype end to end in a new one."""
    return backend_of(arrays[0]).xp.concatenate([array.reshape(-1) for array in arrays])


def families(optimizer: Any, parameters: list[Any], group: dict[str, Any]) -> list[Family]:
    """The parameters in families that take the very same step.

    A family has one dtype, one device, one set of numbers (such as the step) in its members'
    state, and no memory twice: of two parameters that share memory the second steps later.
    """
    members: dict[Any, list[int]] = {}
    seen: dict[int, int] = {}
    for position, parameter in enumerate(parameters):
        own = optimizer.state.get(parameter)
        numbers = tuple(
            (name, value) for name, value in (own or {}).items() if isinstance(value, (int, float))
        )
        owner = mutation.owner(parameter._array)
        if owner.base is not None and _place(parameter) is None:
            owner = owner.base
        seen[id(owner)] = turn = seen.get(id(owner), -1) + 1
        key = (parameter._array.dtype, str(parameter.device), own is None, numbers, turn)
        members.setdefault(key, []).append(position)
    return [Family(optimizer, parameters, chosen, group) for chosen in members.values()]


class Family:
    """Parameters of a group that take the very same step, at `positions` among those of a step."""

    def __init__(
        self, optimizer: Any, parameters: list[Any], positions: list[int], group: dict[str, Any]
    ) -> None:
        self.positions = positions if len(positions) < len(parameters) else None
        self.parameters = parameters = [parameters[position] for position in positions]
        self.arrays = [parameter._array for parameter in parameters]
        self.changes = [mutation.change_of(array) for array in self.arrays]
        values = _run(parameters)
        self.settled = values is not None
        self.values = values = _joined(self.arrays) if values is None else values
        self.gradients = backend_of(values).xp.empty_like(values)
        olds = [optimizer.state.get(parameter) for parameter in parameters]
        self.state = optimizer.init(_real(values), group)
        for name, old in (olds[0] or {}).items():
            number = isinstance(old, (int, float))
            self.state[name] = old if number else _real(_joined([own[name] for own in olds]))
        self.share(optimizer)

    def share(self, optimizer: Any) -> None:
        """Give each parameter its part of the state, to read and to save."""
        self.rows: list[tuple[Any, Any, dict[str, Any], list[Any]]] = []
        start = 0
        for parameter, array in zip(self.parameters, self.arrays, strict=True):
            stop = start + array.size
            own = {name: self._part(v, start, stop, array) for name, v in self.state.items()}
            optimizer.state[parameter] = own
            self.rows.append((parameter, array, own, [*own.values()]))
            start = stop
        self.shared = len(self.state)
        self.numbers = [
            (position, name)
            for position, (name, value) in enumerate(self.state.items())
            if isinstance(value, (int, float))
        ]

    def _part(self, value: Any, start: int, stop: int, array: Any) -> Any:
        """One parameter's part of an array of the state; a number as it is."""
        if isinstance(value, (int, float)):
            return value
        if self.values.dtype.kind == "c":
            value = value.view(dtypes.complex_of(value.dtype))
        return value[start:stop].reshape(array.shape)

    def valid(self, state: dict[Any, dict[str, Any]]) -> bool:
        """Whether parameters and their state still are the arrays and numbers that they were."""
        for parameter, array, own, held in self.rows:
            if parameter._array is not array or state.get(parameter) is not own:
                return False
            if len(own) != len(held) or not all(map(is_, own.values(), held)):
                return False
        return True

    def step(self, optimizer: Any, gradients: list[Any], group: dict[str, Any], line: str) -> None:
        """One update of all, from the gradients of all parameters that step."""
        concatenate = backend_of(self.values).xp.concatenate
        if self.positions is not None:
            gradients = [gradients[position] for position in self.positions]
        concatenate([g.reshape(-1) for g in gradients], out=self.gradients)
        if not self.settled:
            concatenate([array.reshape(-1) for array in self.arrays], out=self.values)
        g = -self.gradients if group.get("maximize") else self.gradients
        self.advance(optimizer, g, group, line)

    def advance(self, optimizer: Any, g: Any, group: dict[str, Any], line: str) -> None:
        """One update of all, from the flat gradient."""
        optimizer.update(_real(self.values), _real(g), self.state, group)
        if not self.settled:
            self.write_back()
        mutation.renew(self.changes, "step", line)
        if len(self.state) > self.shared:
            self.share(optimizer)
            return
        for position, name in self.numbers:
            value = self.state[name]
            for _, _, own, held in self.rows:
                own[name] = held[position] = value

    def write_back(self) -> None:
        """Copy the values to parameters that lie elsewhere."""
        start = 0
        for array in self.arrays:
            stop = start + array.size
            array[...] = self.values[start:stop].reshape(array.shape)
            start = stop


def _real(array: Any) -> Any:
    """A flat complex array seen as its real and imaginary parts; a real one itself."""
    return array.view(dtypes.real_of(array.dtype)) if array.dtype.kind == "c" else array
