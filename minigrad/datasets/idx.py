"""The IDX format of the MNIST files: a magic number, the sizes, then the values, big-endian.

Source: the description on the page of the MNIST database (Y. LeCun, C. Cortes, C. Burges).
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from typing import Any, BinaryIO, cast

import numpy

__all__ = ["DataFileError", "read_idx"]

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


class DataFileError(RuntimeError):
    """A data file is missing, damaged or of another format; the message says what to do."""


def read_idx(path: str | os.PathLike[str]) -> numpy.ndarray[Any, Any]:
    """The array in an IDX file, gzip'd where the name ends in `.gz`, in native byte order.

    Raises DataFileError, naming the file, when its magic number, its sizes or its compressed data
    are wrong.
    """
    name = os.fspath(path)
    try:
        with gzip.open(name, "rb") if name.endswith(".gz") else open(name, "rb") as file:
            return _parse(cast(BinaryIO, file), name)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataFileError(
            f"{name} is not a whole gzip file: it is damaged, cut short or something else; remove "
            "it and get it again"
        ) from error


def _parse(file: BinaryIO, name: str) -> numpy.ndarray[Any, Any]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _DTYPES:
        raise DataFileError(
            f"{name} is not an IDX file: it begins with {magic.hex(' ') or 'nothing'}, where "
            "00 00, a kind of value (08 for uint8) and the number of dimensions belong"
        )
    dimensions = magic[3]
    header = file.read(4 * dimensions)
    if len(header) < 4 * dimensions:
        raise DataFileError(f"{name} is cut short: its {dimensions} sizes are not all there")
    shape = tuple(int(size) for size in numpy.frombuffer(header, ">u4"))
    dtype = numpy.dtype(_DTYPES[magic[2]])
    expected = math.prod(shape) * dtype.itemsize
    # Sizes in a damaged header may be huge: reading in pieces takes no more than what is there.
    pieces = []
    length = 0
    while piece := file.read(min(1 << 24, expected + 1 - length)):
        pieces.append(piece)
        length += len(piece)
    if length != expected:
        found = "more" if length > expected else f"only {length}"
        raise DataFileError(
            f"{name} has sizes {shape}, which is {expected} bytes of {dtype.newbyteorder('=')}, "
            f"but it holds {found}; remove it and get it again"
        )
    values = numpy.frombuffer(b"".join(pieces), dtype).reshape(shape)
    return values.astype(dtype.newbyteorder("="))
