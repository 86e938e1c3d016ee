"""Devices by name, and what a backend must offer for one kind of array."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

from minigrad.backend.levels import bottom
from minigrad.errors import DeviceError

_SPELLING = re.compile(r"([a-z_]+)(?::(\d+))?")


class device(str):
    """Where a tensor lives: "cpu", "cuda" or "cuda:1"; equal to its own spelling.

    >>> device("cuda:1").index
    1
    >>> device("cpu") == "cpu"
    True
    """

    type: str
    index: int | None  # type: ignore[assignment] # a device is no sequence to search in

    def __new__(cls, spec: Any = "cpu", index: int | None = None) -> device:
        if isinstance(spec, device) and index is None:
            return spec
        if isinstance(spec, int) and not isinstance(spec, bool):
            spec, index = "cuda", spec
        match = _SPELLING.fullmatch(spec) if isinstance(spec, str) else None
        if match is None or (match[2] is not None and index is not None):
            raise DeviceError(f"device {spec!r} is not a device; write 'cpu', 'cuda' or 'cuda:1'")
        kind = match[1]
        if kind not in Backend.loaders:
            known = ", ".join(repr(name) for name in Backend.loaders)
            raise DeviceError(f"device {spec!r} is unknown; the devices are {known}")
        if match[2] is not None:
            index = int(match[2])
        self = super().__new__(cls, kind if index is None else f"{kind}:{index}")
        self.type = kind
        self.index = index
        return self

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{index})"

    def __getnewargs__(self) -> tuple[str]:
        return (str(self),)


class Backend:
    """What differs between array libraries, for one library.

    `xp` is its module, `array_type` the class of its arrays, `name` the device type it serves.
    """

    by_type: ClassVar[dict[type, Backend]] = {}
    by_name: ClassVar[dict[str, Backend]] = {}
    loaders: ClassVar[dict[str, Any]] = {}

    name: str
    xp: Any
    array_type: type
    # Why work cannot be captured as a graph, None where it can; and whether products of matrices,
    # which are done by another library, may be part of one.
    no_graphs: ClassVar[str | None] = "the library of its arrays has no graphs"
    captures_products: ClassVar[bool] = False

    def device_of(self, array: Any) -> device:
        """The device that holds the array."""
        raise NotImplementedError(f"backend {self.name} must say where its arrays live")

    def from_numpy(self, array: Any, place: device) -> Any:
        """A copy of a NumPy array on `place` (the array itself where that is the host)."""
        raise NotImplementedError(f"backend {self.name} must take NumPy arrays")

    def to_numpy(self, array: Any) -> Any:
        """The values as a NumPy array."""
        raise NotImplementedError(f"backend {self.name} must give NumPy arrays")

    def scatter_add(self, array: Any, index: Any, values: Any) -> None:
        """Add `values` to `array[index]` in place; repeated positions add up."""
        raise NotImplementedError(f"backend {self.name} must scatter")

    def move(self, array: Any, place: device) -> Any:
        """The array on another device of the same kind."""
        return array

    def address(self, array: Any) -> int:
        """Where the array's first element lies in its device's memory."""
        return int(array.data.ptr)

    def as_strided(
        self, array: Any, size: tuple[int, ...], stride: tuple[int, ...], start: int
    ) -> Any:
        """A view of a 1-d contiguous array: its elements start + i * stride, in a shape."""
        raise NotImplementedError(f"backend {self.name} must show memory with any steps")

    def broadcast_to(self, array: Any, size: tuple[int, ...]) -> Any:
        """The array seen at a larger shape, without a copy; not to be written into."""
        return self.xp.broadcast_to(array, size)

    def spread(self, array: Any, size: tuple[int, ...]) -> Any:
        """The array at a larger shape, seen or copied, whichever is faster; not to be written."""
        return self.broadcast_to(array, size)

    def join(self, arrays: list[Any]) -> tuple[Any, list[Any]] | None:
        """A flat array of all elements of contiguous arrays, and an array in it for each of them.

        Those share its memory, but each is at the bottom of its own views as if it owned them;
        None where the library has no such arrays.
        """
        return None

    def special(self, name: str) -> Any:
        """The library's own special function (SciPy's names), or None where it has none."""
        return None

    def capture(self, place: device, body: Callable[[], None]) -> Callable[[], None]:
        """What `body` does to arrays as one graph, not done yet: the function that launches it.

        All memory that `body` takes belongs to the graph. Raises what `body` raises, RuntimeError
        or NotImplementedError where the device does not let it be captured.
        """
        raise NotImplementedError(f"backend {self.name} has no graphs")

    def synchronize(self) -> None:
        """Wait until all queued work is done."""


def _load_cuda() -> Backend:
    from minigrad.backend.cupy import CupyBackend

    return CupyBackend()


def _no_loader() -> Backend:
    raise DeviceError("the CPU backend is registered when minigrad is imported")


Backend.loaders["cpu"] = _no_loader
Backend.loaders["cuda"] = _load_cuda


def register(backend: Backend) -> None:
    """Make a backend known: its arrays are recognised and its device name can be used."""
    Backend.by_name[backend.name] = backend
    Backend.by_type[backend.array_type] = backend
    Backend.loaders.setdefault(backend.name, lambda: backend)


def backend_for(place: device | str) -> Backend:
    """The backend that serves a device, loaded on first use.

    Raises DeviceError, saying what is missing and what to install, where the device is not there.
    """
    place = device(place)
    found = Backend.by_name.get(place.type)
    if found is None:
        found = Backend.loaders[place.type]()
        register(found)
    return found


def device_of(array: Any) -> device:
    """The device of a raw array."""
    array = bottom(array)
    return Backend.by_type[type(array)].device_of(array)
