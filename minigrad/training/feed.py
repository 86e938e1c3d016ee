"""Batches for one epoch after another, from anything that can be iterated over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from minigrad.errors import ArgumentError

__all__ = ["Feed"]


class Feed:
    """The batches of `data`: all of them in each epoch, or `steps` of them if that is given.

    With `steps` an epoch goes on where the last one stopped, and starts again from the beginning
    where the data ends. Raises ArgumentError where there is no batch at all.
    """

    def __init__(self, data: Iterable[Any], steps: int | None, name: str) -> None:
        if not hasattr(data, "__iter__") and not hasattr(data, "__getitem__"):
            raise TypeError(
                f"{name} must give batches when iterated over, such as a DataLoader or a list of "
                f"batches; got {type(data).__name__}"
            )
        if steps is not None and steps < 1:
            raise ArgumentError(f"the number of steps for {name} must be at least 1, got {steps}")
        self.data = data
        self.steps = steps
        self.name = name
        self._going: Iterator[Any] | None = None
        self._used = False

    def __len__(self) -> int:
        """The batches of an epoch; raises TypeError where that is not known."""
        return self.steps if self.steps is not None else len(self.data)  # type: ignore[arg-type]

    @property
    def length(self) -> int | None:
        """The batches of an epoch, None where that is not known."""
        try:
            return len(self)
        except TypeError:
            return None

    def epoch(self) -> Iterator[Any]:
        """The batches of the next epoch."""
        if self.steps is None:
            yield from self._whole()
        else:
            yield from self._part(self.steps)
        self._used = True

    def _whole(self) -> Iterator[Any]:
        count = 0
        for count, batch in enumerate(self.data, 1):  # noqa: B007
            yield batch
        if count == 0:
            self._refuse()

    def _part(self, steps: int) -> Iterator[Any]:
        given = 0
        while given < steps:
            if self._going is None:
                self._going = iter(self.data)
            before = given
            for batch in islice(self._going, steps - given):
                given += 1
                yield batch
            if given < steps:
                self._going = None
                if given == before:
                    self._refuse()

    def _refuse(self) -> None:
        if iter(self.data) is self.data and self._used:
            raise ArgumentError(
                f"{self.name} is an iterator that is used up; give a DataLoader or a list, which "
                "can be iterated over again, or fewer steps"
            )
        raise ArgumentError(f"{self.name} gave no batch: it is empty")
