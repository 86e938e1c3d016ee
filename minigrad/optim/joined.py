"""Small parameters joined end to end, so that one update of a flat array is the step of all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minigrad import dtypes, mutation
from minigrad.backend import backend_of


class Bucket:
    """Small parameters of one group whose values, gradients and state are joined for the step."""

    def __init__(self, optimizer: Any, parameters: list[Any], group: dict[str, Any]) -> None:
        self.families = [
            Family(optimizer, family, group) for family in _families(optimizer, parameters)
        ]

    def valid(self, state: dict[Any, dict[str, Any]]) -> bool:
        """Whether the joined state still is the state of each parameter."""
        return all(family.valid(state) for family in self.families)

    def step(self, optimizer: Any, group: dict[str, Any], line: str) -> None:
        """One update of all."""
        for family in self.families:
            family.step(optimizer, group, line)


def _families(optimizer: Any, parameters: Iterable[Any]) -> list[list[Any]]:
    """The parameters by dtype, device and the numbers in their state (such as the step)."""
    families: dict[Any, list[Any]] = {}
    for parameter in parameters:
        own = optimizer.state.get(parameter)
        numbers = tuple(
            (name, value) for name, value in (own or {}).items() if isinstance(value, (int, float))
        )
        key = (parameter._array.dtype, str(parameter.device), own is None, numbers)
        families.setdefault(key, []).append(parameter)
    return list(families.values())


class Family:
    """Parameters that take the very same step: joined end to end in one flat array."""

    def __init__(self, optimizer: Any, parameters: list[Any], group: dict[str, Any]) -> None:
        self.parameters = parameters
        self.xp = backend_of(parameters[0]._array).xp
        flat = self.join([p._array for p in parameters])
        self.values = flat
        self.gradients = self.xp.empty_like(flat)
        starts = [0]
        for parameter in parameters:
            starts.append(starts[-1] + parameter._array.size)
        self.parts = [
            self.values[start : start + p._array.size].reshape(p._array.shape)
            for start, p in zip(starts, parameters, strict=False)
        ]
        fresh = optimizer.state.get(parameters[0]) is None
        self.state = optimizer.init(_parts(flat), group)
        if not fresh:
            olds = [optimizer.state[p] for p in parameters]
            for name in olds[0]:
                old = [own[name] for own in olds]
                number = isinstance(old[0], (int, float))
                self.state[name] = old[0] if number else _parts(self.join(old))
        self.shares: list[dict[str, Any]] = []
        for start, parameter in zip(starts, parameters, strict=False):
            stop = start + parameter._array.size
            share = {
                name: value
                if isinstance(value, (int, float))
                else self.share(value, start, stop, parameter)
                for name, value in self.state.items()
            }
            optimizer.state[parameter] = share
            self.shares.append(share)
        self.numbers = [n for n, v in self.state.items() if isinstance(v, (int, float))]

    def share(self, value: Any, start: int, stop: int, parameter: Any) -> Any:
        """One parameter's part of a joined array of the state."""
        if self.values.dtype.kind == "c":
            value = value.view(dtypes.complex_of(value.dtype))
        return value[start:stop].reshape(parameter._array.shape)

    def join(self, arrays: list[Any]) -> Any:
        """The arrays end to end."""
        return self.xp.concatenate([array.reshape(-1) for array in arrays])

    def valid(self, state: dict[Any, dict[str, Any]]) -> bool:
        """Whether the joined state still is the state of each parameter."""
        return all(
            state.get(parameter) is share and parameter._array.dtype == self.values.dtype
            for parameter, share in zip(self.parameters, self.shares, strict=True)
        )

    def step(self, optimizer: Any, group: dict[str, Any], line: str) -> None:
        """One update of all, in flat arrays; then the new values go back to the parameters."""
        concatenate = self.xp.concatenate
        concatenate([p._array.reshape(-1) for p in self.parameters], out=self.values)
        concatenate([p.grad._array.reshape(-1) for p in self.parameters], out=self.gradients)
        g = -self.gradients if group.get("maximize") else self.gradients
        optimizer.update(_parts(self.values), _parts(g), self.state, group)
        if len(self.state) > len(self.shares[0]):
            self.share_new()
        for name in self.numbers:
            value = self.state[name]
            for share in self.shares:
                share[name] = value
        for parameter, part in zip(self.parameters, self.parts, strict=True):
            parameter._array[...] = part
            mutation.touch(parameter._array, "step", line)

    def share_new(self) -> None:
        """Give each parameter its part of state that the first update made."""
        start = 0
        for parameter, share in zip(self.parameters, self.shares, strict=True):
            stop = start + parameter._array.size
            for name, value in self.state.items():
                if name not in share:
                    share[name] = self.share(value, start, stop, parameter)
            start = stop


def _parts(array: Any) -> Any:
    """A flat complex array seen as its real and imaginary parts; a real one itself."""
    return array.view(dtypes.real_of(array.dtype)) if array.dtype.kind == "c" else array
