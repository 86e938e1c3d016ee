"""Curves of training: history, cost of several methods, learning rates side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy

from minigrad.errors import ArgumentError
from minigrad.extras import require
from minigrad.plot.inputs import vector
from minigrad.plot.records import HELD_OUT, Record, read_record
from minigrad.plot.theme import (
    DASHES,
    MARKERS,
    Theme,
    dress,
    legend,
    mix,
    new_axes,
    number,
    one_axes,
    plain_numbers,
    theme_of,
    whole_numbers,
)

__all__ = ["cost", "history", "learning_rates"]

Numbers = numpy.ndarray[Any, Any]

_DIVERGES = " (diverges)"
_FEW = 25  # so many points that each still has a mark of its own


def history(
    history: Any,
    metrics: str | Sequence[str] | None = None,
    *,
    ax: Any = None,
    validation: bool = True,
) -> Any:
    """The curves of a run against its epochs: loss, accuracy and the like, one Axes a quantity.

    `history` is what `fit` returned, a dict of lists or a list of dicts; `val_loss` or `test_loss`
    is drawn beside `loss` unless `validation` is off. `metrics` names the quantities, by default
    all. Gives one Axes if `metrics` is one name or `ax` one Axes, else an array of Axes, one for
    each quantity; `ax` may be a sequence of as many. An epoch whose value is nan or infinite has a
    gap. Raises ArgumentError for an empty record, lists of different lengths, an unknown metric.
    """
    record = read_record(history)
    names = record.chosen(metrics)
    if not validation:
        names = [name for name in names if name in record.series]
        if not names:
            raise ArgumentError(
                "history(): with validation=False there is nothing to draw: the record has only "
                f"held-out values, {', '.join(record.series)}"
            )
    alone = isinstance(metrics, str)
    if ax is None:
        panels = list(new_axes(1, len(names), size=(4.6 if len(names) > 1 else 5.6, 3.5))[0])
    elif isinstance(ax, (Sequence, numpy.ndarray)):
        panels = [one_axes("history", panel) for panel in numpy.ravel(numpy.asarray(ax, object))]
    else:
        alone, panels = True, [one_axes("history", ax)]
    if len(panels) != len(names):
        raise ArgumentError(
            f"history(): the record has {len(names)} quantities ({', '.join(names)}) and 'ax' "
            f"{len(panels)} Axes; pass as many, or choose with metrics={names[0]!r}"
        )
    for axes, name in zip(panels, names):
        _panel(axes, record, name, validation)
    return panels[0] if alone else numpy.array(panels, dtype=object)


def _panel(axes: Any, record: Record, name: str, validation: bool) -> None:
    theme = theme_of(axes)
    words = {"": "training", **(HELD_OUT if validation else {})}
    drawn: list[Numbers] = []
    for prefix, word in words.items():
        position, values = len(drawn), record.series.get(prefix + name)
        if values is None:
            continue
        drawn.append(numpy.where(numpy.isfinite(values), values, numpy.nan))
        axes.plot(
            record.epochs, drawn[-1], label=word, color=theme.color(position), linewidth=1.8,
            linestyle=DASHES[position], marker=_mark(position, drawn[-1]), markersize=4,
        )  # fmt: skip
    if len(drawn) > 1:
        legend(axes, theme)
    axes.set(xlabel="epoch", ylabel=name.replace("_", " "))
    dress(axes, theme)
    whole_numbers(axes.xaxis)
    axes.margins(x=0.02)
    if len(record.epochs) == 1:
        axes.set_xlim(record.epochs[0] - 0.6, record.epochs[0] + 0.6)
    shares = numpy.concatenate(drawn)
    if "accuracy" in name and not (shares < 0).any() and not (shares > 1).any():
        ticker = require("matplotlib.ticker", "minigrad.plot")
        axes.yaxis.set_major_formatter(
            ticker.FuncFormatter(lambda share, _: f"{number(round(100 * share, 6))} %")
        )
    else:
        plain_numbers(axes.yaxis)


def _mark(position: int, values: Numbers) -> str:
    """A mark where points are few, or have no neighbour to be joined with."""
    here = numpy.isfinite(values)
    joined = (here[1:] & here[:-1]).any()
    return MARKERS[position] if len(values) <= _FEW or not joined else ""


def cost(
    curves: Mapping[str, Any] | Any,
    *,
    ax: Any = None,
    x: Mapping[str, Any] | Any = None,
    log: bool = False,
    smoothing: float | Mapping[str, float] = 0.0,
    xlabel: str = "iteration",
    ylabel: str = "cost",
) -> Any:
    """The cost against the iterations for several methods on one Axes.

    `curves` maps a method to its costs; one list alone is drawn without a name. `x` gives other
    positions than 1, 2, 3, ...: an array for all, or one for each name. `log` makes the axis of
    the cost logarithmic. `smoothing`, from 0 to below 1, for all or by name, is the weight of the
    past in a running mean: the mean is drawn strong and the costs faint. Raises ArgumentError for
    no data, for positions that do not fit, and with `log` for a cost that is not positive.
    """
    named = _named("cost", curves)
    axes = one_axes("cost", ax)
    theme = theme_of(axes)
    for position, (name, given) in enumerate(named.items()):
        values = vector("cost", name or "curves", given)
        if log and (values <= 0).any():
            raise ArgumentError(
                f"cost(): {name!r} has the cost {values.min():g}, which a logarithmic axis cannot "
                "show; leave log=True out, or add a constant"
            )
        places = _positions(name, values, x)
        weight = smoothing.get(name, 0.0) if isinstance(smoothing, Mapping) else smoothing
        look = {"color": theme.color(position), "linestyle": DASHES[position % len(DASHES)]}
        # A curve of few points is marked at each, so that "six steps" looks like six.
        look["marker"] = MARKERS[position % len(MARKERS)] if len(values) <= _FEW else ""
        if weight:
            pale = mix(theme.paper, look["color"], 0.35)
            axes.plot(places, values, color=pale, linewidth=0.8, zorder=1.5)
            values = _smooth(values, weight)
        axes.plot(places, values, label=name or None, linewidth=1.8, markersize=4, **look)
    if log:
        axes.set_yscale("log")
    if any(named):
        legend(axes, theme)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    dress(axes, theme)
    axes.margins(x=0.02)
    if x is None:
        whole_numbers(axes.xaxis)
    else:
        plain_numbers(axes.xaxis)
    if not log:
        plain_numbers(axes.yaxis)
    return axes


def _named(operation: str, curves: Any) -> dict[str, Any]:
    if not isinstance(curves, Mapping):
        return {"": curves}
    if not curves:
        raise ArgumentError(
            f"{operation}(): there is nothing to draw: argument 'curves' is an empty dict; pass "
            '{"batch": costs}'
        )
    return {str(name): values for name, values in curves.items()}


def _positions(name: str, values: Numbers, x: Any) -> Numbers:
    given = x.get(name) if isinstance(x, Mapping) else x
    if given is None:
        return numpy.arange(1, len(values) + 1)
    places = vector("cost", "x", given)
    if len(places) != len(values):
        raise ArgumentError(
            f"cost(): {name!r} has {len(values)} costs and {len(places)} positions in argument 'x'"
        )
    return places


def _smooth(values: Numbers, weight: float) -> Numbers:
    """The mean of the past, weighted by `weight` to the power of its age; a gap adds nothing."""
    if not 0 <= weight < 1:
        raise ArgumentError(
            f"cost(): smoothing must be at least 0 and below 1, and is {weight:g}; try 0.9"
        )
    smooth = numpy.full(len(values), numpy.nan)
    total = share = 0.0
    for i, value in enumerate(values):
        if numpy.isfinite(value):
            total = weight * total + (1 - weight) * value
            share = weight * share + (1 - weight)
            smooth[i] = total / share
    return smooth


def learning_rates(
    curves: Mapping[Any, Any],
    *,
    ax: Any = None,
    limit: float | None = None,
    log: bool = False,
    xlabel: str = "epoch",
    ylabel: str = "loss",
) -> Any:
    """The loss for several learning rates on one Axes: too small, right, too large.

    `curves` maps a learning rate, or a name, to its losses. A curve that rises above `limit`, by
    default a little over the highest first loss, ends there with an arrow, and the legend says that
    it diverges; so does one that becomes nan or infinite. Raises ArgumentError for no data.
    """
    if not isinstance(curves, Mapping):
        raise TypeError(
            "learning_rates(): argument 'curves' must be a dict from a learning rate to its "
            f"losses, such as {{0.1: losses}}, not {type(curves).__name__}"
        )
    _named("learning_rates", curves)
    read = {rate: vector("learning_rates", str(rate), given) for rate, given in curves.items()}
    if all(not isinstance(rate, str) for rate in read):
        read = dict(sorted(read.items()))
    top = _limit(list(read.values()), log) if limit is None else float(limit)
    axes = one_axes("learning_rates", ax)
    theme = theme_of(axes)
    if log:
        axes.set_yscale("log")
    for position, (rate, values) in enumerate(read.items()):
        name = rate if isinstance(rate, str) else f"{rate:g}"
        _rate_curve(axes, theme, position, name, values, top)
    # After the curves, so that axes.lines begins with one line for each learning rate.
    for line in [line for line in axes.lines if line.get_label().endswith(_DIVERGES)]:
        x, y = line.get_xydata()[-1]
        axes.plot(
            [x], [y], marker="^" if y == top else "x", markersize=8, markeredgewidth=2,
            color=line.get_color(), linestyle="none", clip_on=False, zorder=5,
        )  # fmt: skip
    low, _ = axes.get_ylim()
    axes.set_ylim(top=top)
    lowest = min(numpy.nanmin(values[numpy.isfinite(values)], initial=top) for values in
                 read.values())  # fmt: skip
    if not log:
        axes.set_ylim(bottom=0 if 0 <= lowest < 0.3 * top else low)
    title = "learning rate" if all(not isinstance(rate, str) for rate in read) else None
    legend(axes, theme, title=title, title_fontsize=9)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    dress(axes, theme)
    axes.margins(x=0.02)
    whole_numbers(axes.xaxis)
    if not log:
        plain_numbers(axes.yaxis)
    return axes


def _limit(curves: list[Numbers], log: bool) -> float:
    """A little above where the highest curve begins."""
    firsts = [values[0] for values in curves if numpy.isfinite(values[0])]
    if not firsts:
        raise ArgumentError(
            "learning_rates(): no curve begins with a finite loss; there is nothing to draw"
        )
    first = max(firsts)
    if log:
        return float(10 * first)
    return float(first + 0.35 * abs(first)) if first else 1.0


def _rate_curve(
    axes: Any, theme: Theme, position: int, name: str, values: Numbers, top: float
) -> None:
    steps = numpy.arange(1.0, len(values) + 1)
    outside = ~(values <= top)  # nan is outside too
    if not outside[-1]:
        # It may leave the picture and come back; nobody would call that diverging.
        shown = numpy.where(numpy.isfinite(values), values, numpy.nan)
    else:
        gone = len(values) - int((~outside[::-1]).argmax()) if not outside.all() else 0
        steps, shown = _until(steps, values, gone, top, axes.get_yscale() == "log")
        name += _DIVERGES
    axes.plot(
        steps, shown, label=name, linewidth=1.8, markersize=4,
        color=theme.color(position), linestyle=DASHES[position % len(DASHES)],
        marker=MARKERS[position % len(MARKERS)] if len(values) <= _FEW else "",
        markevery=slice(0, -1) if outside[-1] else None,
    )  # fmt: skip


def _until(
    steps: Numbers, values: Numbers, gone: int, top: float, log: bool
) -> tuple[Numbers, Numbers]:
    """The curve up to where it crosses the top for good, or up to its last finite loss."""
    if gone == 0:
        return steps[:1], numpy.array([top])
    if not numpy.isfinite(values[gone]):
        return steps[:gone], numpy.where(numpy.isfinite(values), values, numpy.nan)[:gone]
    before, after, height = values[gone - 1], values[gone], top
    if log:
        before, after, height = numpy.log(before), numpy.log(after), numpy.log(top)
    crossing = steps[gone - 1] + (height - before) / (after - before)
    return numpy.append(steps[:gone], crossing), numpy.append(values[:gone], top)
