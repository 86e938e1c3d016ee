"""Modules and parameters in sequences and dictionaries, each found under its index or key."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, overload

from minigrad.errors import ArgumentError
from minigrad.graph import Traced
from minigrad.nn.module import Module, Parameter
from minigrad.tensor import Tensor

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


def _stranger(container: Any, member: Any) -> str:
    """What is wrong with a member of another kind, and what was probably meant."""
    holder = type(container).__name__
    words = f"{holder} holds {container.kind.__name__}s"
    if isinstance(member, type) and issubclass(member, Module):
        return f"{words}, got the class {member.__name__} itself; write nn.{member.__name__}()"
    if isinstance(member, (list, tuple, types.GeneratorType)) and holder == "Sequential":
        return f"{words}, got a {type(member).__name__} of them; write nn.Sequential(*layers)"
    if isinstance(member, types.FunctionType):
        name = member.__name__
        return f"{words}, got the function {name}; write the layer for it, such as nn.ReLU()"
    return f"{words}, got {type(member).__name__}"


def _each(container: Any, members: Any) -> Any:
    """The members; raises TypeError for one alone."""
    if isinstance(members, Traced) or not isinstance(members, Iterable):
        holder = type(container).__name__
        one = "parameter" if isinstance(members, Traced) else "layer"
        raise TypeError(
            f"{holder}() takes a list of {container.kind.__name__}s, got one "
            f"{type(members).__name__}; write nn.{holder}([{one}])"
        )
    return members


class _Sequence(Module):
    """Members kept as attributes named by their index, so that paths read "0.weight"."""

    kind: type[Any] = Module

    def _append(self, member: Any) -> None:
        if not isinstance(member, self.kind):
            raise TypeError(_stranger(self, member))
        vars(self)[str(len(self))] = member

    def _members(self) -> list[Any]:
        return [value for _, value in self._find(self.kind)]

    def _replace(self, members: list[Any]) -> None:
        for name, _ in list(self._find(self.kind)):
            del vars(self)[name]
        for member in members:
            self._append(member)

    def _position(self, index: int) -> int:
        count = len(self)
        if not -count <= index < count:
            raise IndexError(
                f"index {index} is out of range for a {type(self).__name__} of {count}"
            )
        return index % count

    def __len__(self) -> int:
        return len(self._members())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._members())

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: Any) -> Any:
        members = self._members()
        if isinstance(index, slice):
            part = type(self)()
            for member in members[index]:
                part._append(member)
            return part
        return members[self._position(index)]

    def __setitem__(self, index: int, member: Any) -> None:
        members = self._members()
        members[self._position(index)] = member
        self._replace(members)

    def __delitem__(self, index: Any) -> None:
        members = self._members()
        del members[index]
        self._replace(members)

    def append(self, member: Any) -> Self:
        """Add a member at the end; returns the container."""
        self._append(member)
        return self

    def extend(self, members: Iterable[Any]) -> Self:
        """Add members at the end; returns the container."""
        for member in _each(self, members):
            self._append(member)
        return self

    def insert(self, index: int, member: Any) -> None:
        """Put a member before the one at an index."""
        members = self._members()
        members.insert(index, member)
        self._replace(members)


class Sequential(_Sequence):
    """Modules called one after the other; from modules, or from an ordered dict that names them.

    >>> Sequential(Module(), Module())[0]
    Module()
    """

    def __init__(self, *args: Any) -> None:
        if len(args) == 1 and isinstance(args[0], Mapping):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            self.extend(args)

    def forward(self, input: Any) -> Any:
        """The input sent through every module."""
        for module in vars(self).values():
            if isinstance(module, Module):
                input = module(input)
        return input


class ModuleList(_Sequence):
    """A list of modules whose parameters are found; it has no forward of its own."""

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        self.extend(() if modules is None else modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __iadd__(self, other: Iterable[Module]) -> Self:
        return self.extend(other)


class ParameterList(_Sequence):
    """A list of parameters that are found; plain tensors become parameters."""

    kind = Parameter

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        self.extend(() if values is None else values)

    def _append(self, member: Any) -> None:
        if isinstance(member, Tensor) and not isinstance(member, Parameter):
            member = Parameter(member)
        super()._append(member)

    def extra_repr(self) -> str:
        """One line for each parameter."""
        lines = [f"  ({i}): {p.dtype}{list(p.shape)}" for i, p in enumerate(self._members())]
        return "\n" + "\n".join(lines) + "\n" if lines else ""


class _Dictionary(Module):
    """Members kept as attributes named by their key."""

    kind: type[Any] = Module

    def __init__(self, members: Any = None) -> None:
        self.update({} if members is None else members)

    def _members(self) -> dict[str, Any]:
        return dict(self._find(self.kind))

    def __getitem__(self, key: str) -> Any:
        return self._members()[key]

    def __setitem__(self, key: Any, member: Any) -> None:
        if isinstance(member, Tensor) and self.kind is Parameter:
            member = member if isinstance(member, Parameter) else Parameter(member)
        if not isinstance(member, self.kind):
            raise TypeError(_stranger(self, member))
        if not isinstance(key, str) or "." in key or not key:
            raise ArgumentError(f"a key must be a string without '.', got {key!r}")
        if hasattr(type(self), key):
            raise ArgumentError(f"'{key}' is already an attribute of {type(self).__name__}")
        vars(self)[key] = member

    def __delitem__(self, key: str) -> None:
        if key not in self._members():
            raise KeyError(key)
        del vars(self)[key]

    def __len__(self) -> int:
        return len(self._members())

    def __iter__(self) -> Iterator[str]:
        return iter(self._members())

    def __contains__(self, key: object) -> bool:
        return key in self._members()

    def keys(self) -> Iterable[str]:
        """The keys."""
        return self._members().keys()

    def values(self) -> Iterable[Any]:
        """The members."""
        return self._members().values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """The keys with their members."""
        return self._members().items()

    def update(self, members: Any) -> None:
        """Take over the members of another mapping, or of pairs."""
        pairs = members.items() if hasattr(members, "items") else members
        for key, member in pairs:
            self[key] = member

    def pop(self, key: str) -> Any:
        """Take a member out and return it."""
        member = self[key]
        del self[key]
        return member

    def clear(self) -> None:
        """Take all members out."""
        for key in self._members():
            del vars(self)[key]


class ModuleDict(_Dictionary):
    """A dict of modules whose parameters are found; it has no forward of its own."""


class ParameterDict(_Dictionary):
    """A dict of parameters that are found; plain tensors become parameters."""

    kind = Parameter
