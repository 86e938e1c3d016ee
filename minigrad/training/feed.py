"""Batches for one epoch after another, from anything that can be iterated over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import minigrad
from minigrad.errors import ArgumentError
from minigrad.tensor import Tensor
from minigrad.utils.data import Dataset

__all__ = ["Feed"]


class Feed:
    """The batches of `data`: all of them in each epoch, or `steps` of them if that is given.

    With `steps` an epoch goes on where the last one stopped, and starts again from the beginning
    where the data ends; with `anew` each epoch starts from the beginning, unless the data is an
    iterator. Raises ArgumentError where there is no batch at all.
    """

    def __init__(
        self, data: Iterable[Any], steps: int | None, name: str, *, anew: bool = False
    ) -> None:
        if isinstance(data, Dataset) and not hasattr(data, "__iter__"):
            raise TypeError(
                f"{name} is a data set, which gives single samples; give batches: "
                f"DataLoader({type(data).__name__}(…), batch_size=32)"
            )
        if isinstance(data, Tensor) or _is_pair_of_tensors(data):
            raise TypeError(
                f"{name} is {_described(data)}; give batches: DataLoader(TensorDataset(x, y), "
                "batch_size=32), or for a single batch the list [(x, y)]"
            )
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
        self.anew = anew
        self._going: Iterator[Any] | None = None
        self._taken = 0  # batches of the pass that goes on
        self._begun: dict[str, Any] = {}  # the generators before that pass
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
        if self.anew and not self._is_iterator():
            self._going = None
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
            going = self._going or self._begin()
            for batch in islice(going, steps - given):
                given += 1
                self._taken += 1
                yield batch
            if given < steps:
                self._going = None
                if self._taken == 0 or self._is_iterator():
                    self._refuse()

    def _begin(self) -> Iterator[Any]:
        """Start a pass through the data."""
        self._begun = self._generators()
        self._taken = 0
        self._going = iter(self.data)
        return self._going

    # A run that is resumed.

    def state_dict(self) -> dict[str, Any]:
        """Where the data is: the generators, and the place in a pass that `steps` interrupt."""
        state: dict[str, Any] = {"now": self._generators()}
        if self.steps is not None and self._going is not None and not self._is_iterator():
            state |= {"begun": self._begun, "taken": self._taken}
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Bring the data to that place; an iterator is taken as it is.

        The default generator is left as it is.
        """
        default = minigrad.get_rng_state()
        if self.steps is not None and "taken" in state_dict and not self._is_iterator():
            # The pass draws its order as it begins, and must draw the same once more.
            self._set_generators(state_dict["begun"])
            for _ in islice(self._begin(), state_dict["taken"]):
                self._taken += 1
        self._set_generators(state_dict["now"])
        minigrad.set_rng_state(default)

    def _generators(self) -> dict[str, Any]:
        states = {"default": minigrad.get_rng_state()}
        own = self._own_generator()
        if own is not None:
            states["own"] = own.get_state()
        return states

    def _set_generators(self, states: Mapping[str, Any]) -> None:
        minigrad.set_rng_state(states["default"])
        own = self._own_generator()
        if own is not None and "own" in states:
            own.set_state(states["own"])

    def _own_generator(self) -> Any:
        """The generator that a DataLoader was given for its order; None where it has none."""
        for holder in (self.data, getattr(self.data, "sampler", None)):
            own = getattr(holder, "generator", None)
            if hasattr(own, "get_state") and hasattr(own, "set_state"):
                return own
        return None

    def _is_iterator(self) -> bool:
        return hasattr(self.data, "__next__")

    def _refuse(self) -> None:
        if self._is_iterator() and (self._used or self._taken):
            raise ArgumentError(
                f"{self.name} is an iterator that is used up; give a DataLoader or a list, which "
                "can be iterated over again, or fewer steps"
            )
        raise ArgumentError(f"{self.name} gave no batch: it is empty")


def _is_pair_of_tensors(data: Any) -> bool:
    """Whether it is (x, y) as Keras's `fit` takes it: two tensors of as many samples."""
    if type(data) is not tuple or not 2 <= len(data) <= 3:
        return False
    return all(isinstance(part, Tensor) for part in data)


def _described(data: Any) -> str:
    if isinstance(data, Tensor):
        return f"a tensor of shape {tuple(data.shape)}"
    return f"a tuple of {len(data)} tensors"
