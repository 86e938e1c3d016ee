"""Reading the record of a run: a History, a dict of lists or a list of dicts becomes panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy

from minigrad.errors import ArgumentError
from minigrad.plot.inputs import nearest, vector

__all__ = ["HELD_OUT", "Record", "read_record"]

Numbers = numpy.ndarray[Any, Any]

# What the names of held-out values begin with, and the word for them in a legend.
HELD_OUT = {"val_": "validation", "test_": "test"}


class Record(NamedTuple):
    """Epochs counted from 1, and for each name its values, nan where an epoch has none."""

    epochs: Numbers
    series: dict[str, Numbers]

    def quantities(self) -> list[str]:
        """The names without what marks them as held out, each once: the loss, then in order."""
        names = dict.fromkeys(quantity_of(name) for name in self.series)
        return sorted(names, key=lambda name: name != "loss")

    def chosen(self, metrics: str | Sequence[str] | None) -> list[str]:
        """The quantities that `metrics` names. Raises ArgumentError for one that is not there."""
        if metrics is None:
            return self.quantities()
        asked = [metrics] if isinstance(metrics, str) else list(metrics)
        if not asked:
            raise ArgumentError("history(): argument 'metrics' names nothing; None means all")
        known = self.quantities()
        for name in asked:
            if name not in known:
                raise ArgumentError(
                    f"history(): the record has no metric {name!r}; {nearest(str(name), known)}"
                )
        return asked


def quantity_of(name: str) -> str:
    """`val_loss` is a `loss`."""
    for prefix in HELD_OUT:
        if name.startswith(prefix):
            return name[len(prefix) :]
    return name


def read_record(history: Any) -> Record:
    """The record of a run.

    A History has `.history`, a dict of lists, and `.epoch`, counted from 0; this package's tells
    by `.epochs_of(name)` where shorter lists belong. A list of dicts has an
    entry for each epoch. Raises ArgumentError for a record that is empty or whose lists differ in
    length, TypeError for anything else.
    """
    epochs = None
    epochs_of = getattr(history, "epochs_of", None)
    if hasattr(history, "history") and hasattr(history, "epoch"):
        if history.epoch:
            epochs = numpy.asarray(history.epoch, dtype=numpy.int64) + 1
        history = history.history
    if isinstance(history, Mapping):
        series = {str(name): vector("history", str(name), history[name]) for name in history
                  if len(history[name])}  # fmt: skip
    elif isinstance(history, Sequence) and all(isinstance(entry, Mapping) for entry in history):
        names = dict.fromkeys(name for entry in history for name in entry)
        series = {name: vector("history", name, [entry.get(name) for entry in history])
                  for name in names if name != "epoch"}  # fmt: skip
    else:
        raise TypeError(
            "history(): argument 'history' must be what fit() returned, a dict of lists or a list "
            f"of dicts, not {type(history).__name__}"
        )
    if not series:
        raise ArgumentError(
            "history(): there is nothing to draw: the record is empty; train at least one epoch"
        )
    count = len(epochs) if epochs is not None else max(map(len, series.values()))
    numbered = epochs is not None
    epochs = numpy.arange(1, count + 1) if epochs is None else epochs
    for name, values in series.items():
        if len(values) != count and epochs_of is not None:
            series[name] = numpy.full(count, numpy.nan)
            series[name][numpy.isin(epochs - 1, epochs_of(name))] = values
        elif len(values) != count:
            series[name] = _spread(name, values, epochs, numbered)
    return Record(epochs, series)


def _spread(name: str, values: Numbers, epochs: Numbers, numbered: bool) -> Numbers:
    """Validation values at the epochs they belong to, where only one `validation_freq` fits."""
    if numbered and quantity_of(name) != name:
        # The trainer validates after the epochs whose number `validation_freq` divides.
        fitting = {
            tuple(numpy.flatnonzero(epochs % every == 0)) for every in range(1, epochs[-1] + 1)
        }
        fitting = {places for places in fitting if len(places) == len(values)}
        if len(fitting) == 1:
            spread = numpy.full(len(epochs), numpy.nan)
            spread[list(fitting.pop())] = values
            return spread
    raise ArgumentError(
        f"history(): '{name}' has {len(values)} values for {len(epochs)} epochs; give one value "
        "an epoch, and None for an epoch without"
    )
