"""Batches for the Trainer: from arrays, or from what gives batches itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy

from minigrad.errors import ArgumentError
from minigrad.keras.models.arrays import matched, outputs_matched
from minigrad.keras.models.checks import check_finite, check_inputs, check_targets
from minigrad.keras.symbolic import flatten, map_structure
from minigrad.utils.data import DataLoader, TensorDataset

__all__ = ["ArrayData", "Batches", "Stream", "weights_of_classes"]


class ArrayData:
    """Inputs, targets and sample weights that are all in memory, checked once.

    Raises ArgumentError where there are no samples, not equally many of each, or numbers that
    are none.
    """

    def __init__(
        self, model: Any, x: Any, y: Any = None, weight: Any = None, *, where: str
    ) -> None:
        self.model = model
        self.where = where
        self.x = matched(model, x, f"{where}: x")
        self.y = None if y is None else outputs_matched(model, y, f"{where}: y")
        self.weight = weight
        if weight is not None:
            self.weight = _weights(model, weight, f"{where}: sample_weight")
        self.count = self._counted()

    def _counted(self) -> int:
        counts = {
            name: {len(leaf) for leaf in flatten(part) if leaf is not None}
            for name, part in (("x", self.x), ("y", self.y), ("sample_weight", self.weight))
            if part is not None
        }
        found = set().union(*counts.values())
        if len(found) > 1:
            listed = ", ".join(
                f"{name} has {' and '.join(map(str, sorted(lengths)))}"
                for name, lengths in counts.items()
            )
            raise ArgumentError(
                f"{self.where}: there must be equally many samples of everything, and {listed}"
            )
        count = found.pop()
        if count == 0:
            raise ArgumentError(f"{self.where}: the data are empty: x has no samples")
        return count

    def check(self) -> None:
        """Look at the shapes and the numbers. Raises ArgumentError for what cannot be right."""
        check_inputs(self.model, self.x, self.where)
        for name, part in (("x", self.x), ("y", self.y), ("sample_weight", self.weight)):
            for leaf in flatten(part):
                check_finite(leaf, f"{self.where}: {name}")
        if self.y is not None:
            check_targets(self.model, self.y, self.where)

    def split(self, fraction: float) -> tuple[ArrayData, ArrayData]:
        """The first samples for training, and the last ones, a `fraction` of all.

        Raises ArgumentError where that leaves no sample for one of them.
        """
        if not 0 < fraction < 1:
            raise ArgumentError(
                f"{self.where}: validation_split must lie between 0 and 1, got {fraction}"
            )
        first = int(self.count * (1.0 - fraction))
        if first in (0, self.count):
            left = "training" if first == 0 else "validation"
            raise ArgumentError(
                f"{self.where}: validation_split={fraction} of {self.count} samples leaves none "
                f"for {left}; choose another fraction or give validation_data=(x, y)"
            )
        return self._part(slice(0, first)), self._part(slice(first, None))

    def _part(self, which: slice) -> ArrayData:
        part = object.__new__(ArrayData)
        part.model, part.where = self.model, self.where
        part.x, part.y, part.weight = (
            map_structure(lambda leaf: None if leaf is None else leaf[which], structure)
            for structure in (self.x, self.y, self.weight)
        )
        part.count = part._counted()
        return part

    def batches(self, batch_size: int | None, shuffle: bool = False) -> Batches:
        """The samples in batches, 32 unless told."""
        size: Any = 32 if batch_size is None else batch_size
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise ArgumentError(
                f"{self.where}: batch_size must be a positive integer, got {batch_size!r}"
            )
        return Batches(self, size, bool(shuffle))


class Batches:
    """Batches `(x, y, weight)` of data in memory, anew in each epoch."""

    def __init__(self, data: ArrayData, batch_size: int, shuffle: bool) -> None:
        self.structure = (data.x, data.y, data.weight)
        leaves = [leaf for leaf in flatten(self.structure) if leaf is not None]
        self.loader = DataLoader(TensorDataset(*leaves), batch_size=batch_size, shuffle=shuffle)
        whole = any(leaf.dtype.kind in "iub" for leaf in flatten(data.x))
        self.convert = converter(data.model) if whole else None
        nested = any(isinstance(part, (list, tuple, dict)) for part in self.structure)
        self.simple = not nested and data.weight is None and self.convert is None

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.loader) if self.simple else self._structured()

    def _structured(self) -> Iterator[Any]:
        for leaves in self.loader:
            left = iter(leaves)
            x, y, weight = map_structure(partial(_next_of, left), self.structure)
            yield map_structure(self.convert, x) if self.convert else x, y, weight


def _next_of(left: Iterator[Any], leaf: Any) -> Any:
    return None if leaf is None else next(left)


def converter(model: Any) -> Any:
    """What turns a batch of integers, such as the pixels of images, into floats; or None."""
    if model.takes_integers:
        return None
    dtype = model.dtype

    def convert(leaf: Any) -> Any:
        return leaf.to(dtype) if leaf.dtype.kind in "iub" else leaf

    return convert


class Stream:
    """Batches from a DataLoader, a generator, or an object with `__len__` and `__getitem__`.

    A batch is `x`, `(x, y)` or `(x, y, weight)` of arrays or tensors; the first one is checked.
    """

    def __init__(self, model: Any, source: Any, where: str, *, labelled: bool) -> None:
        self.model = model
        self.source = source
        self.where = where
        self.labelled = labelled
        self.class_weight: Any = None
        self.checked = False
        self.first: Any = None
        if hasattr(source, "__len__"):
            self.length: int | None = len(source)
            if self.length == 0:
                raise ArgumentError(f"{where}: the data are empty: there is no batch")
        else:
            self.length = None

    def __len__(self) -> int:
        if self.length is None:
            raise TypeError("the number of batches of a generator is not known")
        return self.length

    def peek(self) -> Any:
        """The first batch, converted; a generator gives it again afterwards."""
        batches = self._batches()
        raw = next(batches, None)
        if raw is None:
            raise ArgumentError(f"{self.where}: the data are empty: there is no batch")
        if batches is self.source:
            self.first = raw
        return self.converted(raw)

    def _batches(self) -> Iterator[Any]:
        if hasattr(self.source, "__iter__"):
            return iter(self.source)
        return (self.source[index] for index in range(len(self.source)))

    def __iter__(self) -> Iterator[Any]:
        count = 0
        if self.first is not None:
            first, self.first = self.first, None
            count = 1
            yield self.converted(first)
        for batch in self._batches():
            count += 1
            yield self.converted(batch)
        if count == 0 and self.checked:
            raise ArgumentError(
                f"{self.where}: the generator is used up and gives no more batches; give a "
                "DataLoader, which can be iterated over again, or a generator without end and "
                "steps_per_epoch"
            )
        if hasattr(self.source, "on_epoch_end"):
            self.source.on_epoch_end()

    def converted(self, batch: Any) -> tuple[Any, Any, Any]:
        """The batch as (x, y, weight), tensors or None."""
        if isinstance(batch, (tuple, list)) and (self.labelled or isinstance(batch, tuple)):
            if not 1 <= len(batch) <= 3:
                raise ArgumentError(
                    f"{self.where}: a batch must be (x, y) or (x, y, sample_weight), got "
                    f"{len(batch)} parts"
                )
            x, y, weight = (*batch, None, None)[:3]
        else:
            x, y, weight = batch, None, None
        if not self.labelled:
            y, weight = None, None
        elif y is None:
            raise ArgumentError(
                f"{self.where}: the data give batches without targets; each must be a tuple (x, y)"
            )
        if y is not None and self.class_weight is not None and weight is None:
            weight = weights_of_classes(self.class_weight, y, self.where)
        data = ArrayData(self.model, x, y, weight, where=self.where)
        if not self.checked:
            self.checked = True
            data.check()
        convert = converter(self.model)
        x = map_structure(convert, data.x) if convert else data.x
        return x, data.y, data.weight


def _weights(model: Any, weight: Any, where: str) -> Any:
    if len(model.output_names) > 1 and not isinstance(weight, (list, tuple, dict)):
        weight = [weight] * len(model.output_names)
    return outputs_matched(model, weight, where)


def weights_of_classes(class_weight: Any, y: Any, where: str) -> numpy.ndarray[Any, Any]:
    """A weight for each sample from {class number: weight}; classes without one weigh 1."""
    if not isinstance(class_weight, dict):
        raise ArgumentError(
            f"{where}: class_weight must be a dict such as {{0: 1.0, 1: 5.0}}, got "
            f"{type(class_weight).__name__}"
        )
    if (isinstance(y, (list, tuple)) and y and hasattr(y[0], "shape")) or isinstance(y, dict):
        raise ArgumentError(
            f"{where}: class_weight is for models with one output; give sample_weight"
        )
    labels = y.detach().cpu().numpy() if hasattr(y, "detach") else numpy.asarray(y)
    if labels.ndim == 2 and labels.shape[1] > 1:
        labels = labels.argmax(-1)
    labels = labels.reshape(len(labels), -1)
    if labels.shape[1] != 1:
        raise ArgumentError(
            f"{where}: class_weight needs one class for each sample, got targets of shape "
            f"{numpy.shape(y)}"
        )
    labels = labels[:, 0]
    weights = numpy.ones(len(labels), "float32")
    for label, value in class_weight.items():
        weights[labels == int(label)] = value
    return weights
