"""CIFAR-10 in its binary format: the whole data set, or a balanced tenth of it."""

from __future__ import annotations

import gzip
import os
import warnings
import zlib
from collections.abc import Callable
from typing import Any, ClassVar

import numpy

from minigrad.datasets.files import FOLDER_VARIABLE, Source, find, locate
from minigrad.datasets.idx import DataFileError
from minigrad.datasets.images import ImageDataset
from minigrad.errors import ArgumentError
from minigrad.tensor import Tensor

Arrays = tuple[numpy.ndarray[Any, Any], numpy.ndarray[Any, Any]]

_SHAPE = (3, 32, 32)
_RECORD = 1 + 3 * 32 * 32
_ARCHIVE = "cifar-10-binary.tar.gz"
_MEMBER = "cifar-10-batches-bin/{}.bin"
_BATCHES = {
    True: tuple(f"data_batch_{number}" for number in range(1, 6)),
    False: ("test_batch",),
}
_SUBSETS = {True: "train_subset.bin.gz", False: "test_subset.bin.gz"}
_EACH = {True: 400, False: 100}


class CIFAR10(ImageDataset):
    """Colour images of 32 x 32 pixels, ten classes: 50,000 for training, 10,000 for testing.

    `subset=True` takes the first 400 training and 100 test images of each class, in the order of
    the data set: 4,000 and 1,000. `subset=False` takes all. `subset=None` takes all where they are
    on the disk, else the subset where that is, with a warning, and downloads all where neither is;
    the attribute `subset` and the repr say which it was.

    The archive cifar-10-binary.tar.gz, or the files train_subset.bin.gz and test_subset.bin.gz, are
    taken from `root` (a folder that holds `cifar10/`), else from the folder named by the
    environment variable MINIGRAD_DATA, else from the cache; the archive (170 MB) is downloaded
    where it is missing. Their SHA-256 is checked everywhere. Raises DataFileError when they cannot
    be had or are damaged.
    Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
    """

    classes: ClassVar[tuple[str, ...]] = (
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    )
    source: ClassVar[Source] = Source(
        folder="cifar10",
        mirrors=("https://www.cs.toronto.edu/~kriz/",),
        sha256={_ARCHIVE: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"},
    )
    subset_source: ClassVar[Source] = Source(
        folder="cifar10",
        mirrors=(),
        sha256={
            _SUBSETS[True]: "278a58a11c0226642d798efde33d36a57cb37ede2f51f172d8bb71025af0ae6a",
            _SUBSETS[False]: "fbf9a2fa1f0a6852952be269d9e1766d70a65784278df1b6ea4835fa091e185d",
        },
    )

    subset: bool

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Callable[[Tensor], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
        download: bool = True,
        subset: bool | None = None,
    ) -> None:
        if subset not in (None, True, False):
            raise ArgumentError(
                f"CIFAR10(): subset is {subset!r}; it is True for 4,000 + 1,000 images, False for "
                "all, None for what is there"
            )
        train = bool(train)
        path = None
        if subset is True or (subset is None and find(self.source, _ARCHIVE, root)[0] is None):
            path, _ = find(self.subset_source, _SUBSETS[train], root)
        if path is not None:
            images, labels = read_cifar(path)
            if subset is None:
                warnings.warn(
                    f"CIFAR10(): {_ARCHIVE} is not there, so this is the subset of "
                    f"{len(labels):,} images; subset=True says that it is meant, subset=False "
                    "downloads all",
                    stacklevel=2,
                )
        else:
            images, labels = _read_archive(self._whole(root, download), _BATCHES[train])
            if subset:
                chosen = _first_of_each_class(labels, _EACH[train])
                images, labels = images[chosen], labels[chosen]
        self.subset = path is not None or bool(subset)
        super().__init__(images, labels, transform, target_transform)

    def _whole(self, root: str | os.PathLike[str] | None, download: bool) -> str:
        try:
            return locate(self.source, _ARCHIVE, root, download)
        except DataFileError as error:
            raise DataFileError(
                f"{error}; or put {' and '.join(_SUBSETS.values())} beside it, or into "
                f"{self.source.folder}/ of the folder that {FOLDER_VARIABLE} names, for subset=True"
            ) from error

    def __repr__(self) -> str:
        which = "a balanced subset" if self.subset else "the whole"
        return super().__repr__().replace(")", f", {which})")


def read_cifar(path: str | os.PathLike[str]) -> Arrays:
    """The images, uint8 (n, 3, 32, 32), and labels, uint8 (n,), in a file of CIFAR-10 records.

    A record has 3,073 bytes: the label, then the red, green and blue values row by row. The file is
    gzip'd where its name ends in `.gz`. Raises DataFileError, naming the file and the record, when
    it is cut short or a label is none.
    """
    name = os.fspath(path)
    try:
        with gzip.open(name, "rb") if name.endswith(".gz") else open(name, "rb") as file:
            return _parse(file.read(), name)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataFileError(
            f"{name} is not a whole gzip file: it is damaged, cut short or something else; remove "
            "it and get it again"
        ) from error


def _read_archive(path: str, batches: tuple[str, ...]) -> Arrays:
    """The records of these files of the archive, one after another."""
    import tarfile

    parts = []
    try:
        with tarfile.open(path, "r:gz") as archive:
            for batch in batches:
                name = _MEMBER.format(batch)
                member = archive.extractfile(name)
                if member is None:
                    raise KeyError(name)
                with member:
                    parts.append(_parse(member.read(), f"{path}:{name}"))
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, KeyError) as error:
        raise DataFileError(
            f"{path} is not the archive of CIFAR-10 in binary format: {error}; remove it and get "
            "it again"
        ) from error
    images, labels = zip(*parts)
    return numpy.concatenate(images), numpy.concatenate(labels)


def _parse(data: bytes, name: str) -> Arrays:
    count, rest = divmod(len(data), _RECORD)
    if rest or not count:
        raise DataFileError(
            f"{name} is not a whole file of CIFAR-10 records: it has {len(data):,} bytes, which is "
            f"{count:,} records of {_RECORD:,} bytes and {rest:,} bytes of another; remove it and "
            "get it again"
        )
    records = numpy.frombuffer(data, numpy.uint8).reshape(count, _RECORD)
    labels = records[:, 0].copy()
    wrong = numpy.flatnonzero(labels > 9)
    if len(wrong):
        raise DataFileError(
            f"{name} has the label {labels[wrong[0]]} in record {wrong[0]} (byte "
            f"{wrong[0] * _RECORD:,}), but labels are 0 to 9: it is no file of CIFAR-10, or damaged"
        )
    return records[:, 1:].reshape(count, *_SHAPE).copy(), labels


def _first_of_each_class(
    labels: numpy.ndarray[Any, Any], each: int
) -> numpy.ndarray[Any, numpy.dtype[numpy.intp]]:
    """Where the first `each` of every label are, in the order that they come in."""
    places = [numpy.flatnonzero(labels == label)[:each] for label in range(10)]
    return numpy.sort(numpy.concatenate(places))
