"""Texts for models that write letter by letter."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy

import minigrad
from minigrad.datasets.files import Source, locate
from minigrad.errors import ArgumentError
from minigrad.tensor import Tensor
from minigrad.utils.data import Dataset


class TinyShakespeare(Dataset[tuple[Tensor, Tensor]]):
    """40,000 lines of Shakespeare, as samples (input, target) of `length` characters, int64.

    The target is the input one character further on. The first nine tenths of the text are for
    training, the rest for testing. `text` is that part of the text, `data` the same as numbers,
    int64, and `vocabulary` the 65 characters of the whole in their order, which are numbered so.

    The file input.txt is found as those of MNIST are, in `tinyshakespeare/`.
    Source: A. Karpathy, https://github.com/karpathy/char-rnn; the text is in the public domain.
    """

    source: ClassVar[Source] = Source(
        folder="tinyshakespeare",
        mirrors=(
            "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/",
        ),
        sha256={"input.txt": "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"},
    )

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        length: int = 64,
        download: bool = True,
    ) -> None:
        with open(locate(self.source, "input.txt", root, download), encoding="ascii") as file:
            text = file.read()
        border = len(text) * 9 // 10
        self.vocabulary = "".join(sorted(set(text)))
        self.text = text[:border] if train else text[border:]
        if not 1 <= length < len(self.text):
            raise ArgumentError(
                f"TinyShakespeare(): length is {length}; it must be from 1 to "
                f"{len(self.text) - 1:,}, as the text has {len(self.text):,} characters"
            )
        self.length = length
        self.data = self.encode(self.text)

    def encode(self, text: str) -> Tensor:
        """The numbers of the characters, int64. Raises ArgumentError for an unknown character."""
        return _encode(text, self.vocabulary, "TinyShakespeare.encode()")

    def decode(self, numbers: Iterable[int]) -> str:
        """The text of these numbers."""
        return "".join(self.vocabulary[int(number)] for number in numbers)

    def __len__(self) -> int:
        return len(self.text) - self.length

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        start = index + len(self) if index < 0 else index
        if not 0 <= start < len(self):
            raise IndexError(f"index {index} is out of range for a data set of {len(self)} samples")
        window = self.data[start : start + self.length + 1]
        return window[:-1], window[1:]

    def gather(self, indices: Sequence[int]) -> list[Tensor]:
        """The batch of these samples, made at once."""
        starts = numpy.asarray(indices, numpy.int64)
        if len(starts) and not -len(self) <= starts.min() <= starts.max() < len(self):
            raise IndexError(f"indices {indices} are not all in a data set of {len(self)} samples")
        starts = starts % len(self)
        windows = self.data.numpy()[starts[:, None] + numpy.arange(self.length + 1)]
        return [minigrad.tensor(windows[:, :-1]), minigrad.tensor(windows[:, 1:])]

    def __repr__(self) -> str:
        return (
            f"TinyShakespeare({len(self.text):,} characters, {len(self.vocabulary)} different, "
            f"samples of {self.length})"
        )


class Names(Dataset[str]):
    """32,033 first names of two to fifteen letters a to z.

    `vocabulary` is "." and the letters, in their order, which are numbered so: 0 is for the point
    that stands where a name ends.

    The file names.txt is found as those of MNIST are, in `names/`.
    Source: A. Karpathy, https://github.com/karpathy/makemore, from the most common first names
    that the US Social Security Administration published for 2018; MIT licence.
    """

    vocabulary: ClassVar[str] = ".abcdefghijklmnopqrstuvwxyz"
    source: ClassVar[Source] = Source(
        folder="names",
        mirrors=("https://raw.githubusercontent.com/karpathy/makemore/master/",),
        sha256={"names.txt": "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d"},
    )

    def __init__(self, root: str | os.PathLike[str] | None = None, download: bool = True) -> None:
        with open(locate(self.source, "names.txt", root, download), encoding="ascii") as file:
            self.names = tuple(file.read().split())

    def encode(self, name: str) -> Tensor:
        """The numbers of the letters, int64. Raises ArgumentError for an unknown one."""
        return _encode(name, self.vocabulary, "Names.encode()")

    def decode(self, numbers: Iterable[int]) -> str:
        """The letters of these numbers."""
        return "".join(self.vocabulary[int(number)] for number in numbers)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: Any) -> str:
        name: str = self.names[index]
        return name

    def __repr__(self) -> str:
        return f"Names({len(self):,} names, {self.names[0]} to {self.names[-1]})"


def _encode(text: str, vocabulary: str, where: str) -> Tensor:
    number_of = {character: number for number, character in enumerate(vocabulary)}
    unknown = sorted(set(text) - set(vocabulary))
    if unknown:
        raise ArgumentError(
            f"{where}: {', '.join(map(repr, unknown[:5]))} not in the vocabulary {vocabulary!r}"
        )
    numbers: Tensor = minigrad.tensor(
        [number_of[character] for character in text], dtype=minigrad.int64
    )
    return numbers
