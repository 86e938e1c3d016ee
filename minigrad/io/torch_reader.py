"""Reading checkpoints of torch: a zip archive with a pickle of data and one record per storage."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from minigrad import backend
from minigrad.errors import ArgumentError
from minigrad.io.archive import Archive
from minigrad.io.rebuild import ADMITTED, BUILDERS, Kind, Storage, reason
from minigrad.io.unpickle import Unreadable, unpickle
from minigrad.tensor import Tensor

__all__ = ["read_torch"]


def read_torch(file: BinaryIO, map_location: Any = None, *, mapped: bool = False) -> Any:
    """The object in a checkpoint that torch.save() or minigrad.save() wrote.

    Raises Unreadable, which says what is wrong with it.
    """
    return _Reader(Archive(file, mapped=mapped), placing(map_location)).read()


class _Reader:
    """An archive and the storages that were read from it so far."""

    def __init__(self, archive: Archive, place: Callable[[str, Any], Any]) -> None:
        self.archive = archive
        self.place = place
        self.storages: dict[str, Storage] = {}
        self.little = True

    def read(self) -> Any:
        records = self.archive.records
        if "data.pkl" not in records:
            kind = "a TorchScript program" if "constants.pkl" in records else "another zip archive"
            raise Unreadable(f"it is {kind}, not a checkpoint that torch.save() wrote")
        if "constants.pkl" in records:
            raise Unreadable(
                "it is a TorchScript program; in the program that wrote it, save state_dict()"
            )
        if "byteorder" in records:
            self.little = self.archive.read("byteorder").tobytes() != b"big"
        pickle = io.BytesIO(self.archive.read("data.pkl").tobytes())
        return unpickle(pickle, ADMITTED, BUILDERS, self.storage, reason)

    def storage(self, reference: Any) -> Storage:
        """The storage that a reference of the pickle means."""
        if type(reference) is not tuple or len(reference) != 5 or reference[0] != "storage":
            raise TypeError("a reference is not to a storage")
        _, kind, key, tag, count = reference
        typed = isinstance(kind, Kind)
        if not (typed or kind is Storage) or type(key) is not str or type(count) is not int:
            raise TypeError("a reference to a storage is not complete")
        known = self.storages.get(key)
        if known is None:
            raw = self.archive.read(f"data/{key}")
            place = self.place
            known = self.storages[key] = Storage(
                raw, kind if typed else None, self.little, lambda flat: place(str(tag), flat)
            )
        item = kind.stored.itemsize if isinstance(kind, Kind) else 1
        if known.raw.nbytes != count * item or (known.kind is kind) != typed:
            raise Unreadable(
                f"it says that storage {key} has {count} elements of {item} bytes, and the record "
                f"has {known.raw.nbytes} bytes"
            )
        return known


def placing(map_location: Any) -> Callable[[str, Any], Any]:
    """Where a storage goes, given the device that the file notes for it and the flat tensor."""
    if map_location is None or isinstance(map_location, str):
        place = backend.device("cpu" if map_location is None else map_location)
        backend.backend_for(place)
        return lambda tag, flat: place
    if isinstance(map_location, Mapping):
        places = {str(tag): backend.device(place) for tag, place in map_location.items()}
        return lambda tag, flat: places.get(tag, backend.device("cpu"))
    if not callable(map_location):
        raise ArgumentError(
            "load(): argument 'map_location' is a device, a dict of devices or a function, not "
            f"{type(map_location).__name__}; write map_location='cpu'"
        )

    def chosen(tag: str, flat: Any) -> Any:
        found = map_location(flat, tag)
        return found.device if isinstance(found, Tensor) else backend.device("cpu")

    return chosen
