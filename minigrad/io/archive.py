"""The zip archive of a checkpoint of torch: its records found, checked, read, mapped, written.

All records lie, uncompressed, in one folder of the archive. Nothing is ever extracted to the disk;
an archive that torch would not have written is refused before anything of it is read.
"""

from __future__ import annotations

import mmap as mapping
import struct
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy

from minigrad.io.unpickle import Unreadable

__all__ = ["Archive", "write_archive"]

_LOCAL_HEADER = struct.Struct("<4s22xHH")
_ALIGNMENT = 64
_PADDING_FIELD = 0x4246  # "FB", the extra field that torch's own writer pads with


class Archive:
    """The records of an archive by name, without their folder."""

    def __init__(self, file: BinaryIO, *, mapped: bool) -> None:
        self.file = file
        self.length = file.seek(0, 2)
        self.records = _records(file, self.length)
        self.mapping = (
            mapping.mmap(file.fileno(), 0, access=mapping.ACCESS_COPY) if mapped else None
        )

    def read(self, name: str) -> Any:
        """The bytes of a record as an array of its own that may be written to.

        Of a mapped archive they stay in the file until they are used, and are not checked.
        """
        entry = self.records.get(name)
        if entry is None:
            raise Unreadable(f"its record '{name}' is missing")
        start = self._start(entry)
        if self.mapping is not None:
            return numpy.frombuffer(self.mapping, numpy.uint8, entry.file_size, start)
        found = numpy.empty(entry.file_size, numpy.uint8)
        self.file.seek(start)
        read = self.file.readinto(found.data)  # type: ignore[attr-defined]
        if read != entry.file_size or zlib.crc32(found.data) != entry.CRC:
            raise Unreadable(
                f"its record '{name}' is damaged (a wrong checksum); if it was written without "
                "checksums, mmap=True loads it unchecked"
            )
        return found

    def _start(self, entry: Any) -> int:
        """Where the content of a record begins."""
        header = b""
        if 0 <= entry.header_offset < self.length:
            self.file.seek(entry.header_offset)
            header = self.file.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or header[:4] != b"PK\3\4":
            raise Unreadable(f"its record '{entry.filename}' is not where its table says")
        _, name, extra = _LOCAL_HEADER.unpack(header)
        start: int = entry.header_offset + _LOCAL_HEADER.size + name + extra
        if start + entry.file_size > self.length:
            raise Unreadable(f"its record '{entry.filename}' ends after the file does")
        return start


def _records(file: BinaryIO, length: int) -> dict[str, Any]:
    """The entries of the archive's table by name, all checked."""
    import zipfile

    try:
        entries = zipfile.ZipFile(file).infolist()
    except (
        zipfile.BadZipFile, NotImplementedError, OverflowError, ValueError, struct.error
    ) as error:  # fmt: skip
        raise Unreadable(f"it is cut short or damaged ({error})") from error
    found: dict[str, Any] = {}
    folders = set()
    for entry in entries:
        folder, _, name = entry.filename.partition("/")
        folders.add(folder)
        parts = entry.filename.split("/")
        if "" in parts[:-1] or ".." in parts or "\\" in entry.filename or ":" in entry.filename:
            raise Unreadable(f"the name of its record {entry.filename!r} leads out of the archive")
        if name in found:
            raise Unreadable(f"it has two records '{name}'")
        if entry.compress_type != 0 or entry.compress_size != entry.file_size:
            raise Unreadable(f"its record '{name}' is compressed, which torch never does")
        if entry.flag_bits & 1:
            raise Unreadable(f"its record '{name}' is encrypted")
        found[name] = entry
    if len(folders) > 1:
        raise Unreadable("its records lie in several folders, which torch never does")
    if sum(entry.file_size for entry in entries) > length:
        raise Unreadable("its records are larger together than the file")
    return found


def write_archive(file: BinaryIO, folder: str, records: Mapping[str, Any]) -> None:
    """Write the records, each the bytes of an array or a string, in their order.

    Contents begin at multiples of 64 bytes, so that what reads by mapping finds them aligned.
    """
    import zipfile

    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, content in records.items():
            entry = zipfile.ZipInfo(f"{folder}/{name}")
            size = memoryview(content).nbytes
            large = size >= 1 << 31
            entry.file_size = size
            # The writer adds 20 bytes of its own to the header of a record of 2 GiB.
            header = _LOCAL_HEADER.size + len(entry.filename.encode()) + 20 * large
            padding = -(file.tell() + header + 4) % _ALIGNMENT
            entry.extra = struct.pack("<HH", _PADDING_FIELD, padding) + b"Z" * padding
            with archive.open(entry, "w", force_zip64=large) as target:
                target.write(content)
