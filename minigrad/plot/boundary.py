"""What a model has learned of one or two features: decision boundaries and fitted curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from minigrad.errors import ArgumentError
from minigrad.nn.module import Module
from minigrad.plot.inputs import label_array, numbers, vector
from minigrad.plot.models import Answer, ask
from minigrad.plot.theme import (
    DASHES,
    MARKERS,
    Theme,
    dress,
    legend,
    mix,
    one_axes,
    plain_numbers,
    theme_of,
)

__all__ = ["decision_boundary", "function_fit", "prediction_error"]

Numbers = numpy.ndarray[Any, Any]


def decision_boundary(
    predict: Any,
    x: Any,
    y: Any,
    *,
    ax: Any = None,
    labels: Sequence[str] | None = None,
    features: Sequence[str] = ("feature 1", "feature 2"),
    probabilities: bool = True,
    threshold: float | None = None,
    margin: float = 0.2,
    resolution: int = 240,
) -> Any:
    """The regions where a model decides for each class, the lines between them, and the data.

    `predict` is a Module, an estimator or a function of an array (n, 2); `x` is (n, 2), `y` (n,) or
    one-hot. The model may answer with labels, with one number a sample or with a row of scores or
    probabilities, one for each class. One number stands for the second class from `threshold` on:
    by default 0.5 if all answers lie between 0 and 1 (those of a Module far from the data too), and
    0 otherwise. Where the answers are probabilities the regions fade towards the line, unless
    `probabilities` is off. `labels` are the names of the classes in sorted order; `margin` is the
    room around the data as a share of it.
    Raises ArgumentError unless there are two features and a label for each sample.
    """
    points = numbers("decision_boundary", "x", x)
    if points.ndim != 2 or points.shape[1] != 2:
        features_given = points.shape[1] if points.ndim == 2 else 1
        raise ArgumentError(
            f"decision_boundary(): argument 'x' must have two features, (n, 2), and has shape "
            f"{points.shape}; "
            + (
                "choose two of them and a predict that fills in the others, as in "
                "decision_boundary(lambda p: model(fill(p)), x[:, [0, 1]], y)"
                if features_given > 2
                else "use function_fit() for one feature"
            )
        )
    if not numpy.isfinite(points).all():
        raise ArgumentError("decision_boundary(): argument 'x' has values that are nan or infinite")
    targets = label_array("decision_boundary", "y", y)
    if len(targets) != len(points):
        raise ArgumentError(
            f"decision_boundary(): argument 'x' has {len(points)} samples and 'y' {len(targets)}"
        )
    low, high = points.min(axis=0), points.max(axis=0)
    room = margin * numpy.where(high > low, high - low, 1.0)
    sides = [numpy.linspace(a, b, resolution) for a, b in zip(low - room, high + room)]
    grid = numpy.stack(numpy.meshgrid(*sides), axis=-1).reshape(-1, 2)
    answer = ask("decision_boundary", predict, grid, scores=True)
    if answer.values.dtype.kind == "f" and numpy.isnan(answer.values).any():
        raise ArgumentError(
            "decision_boundary(): 'predict' gave nan; the model may have diverged, so train it "
            "with a smaller learning rate"
        )
    classes, shares = _shares(answer, targets, threshold)
    if not numpy.isin(targets, classes).all():
        strange = numpy.setdiff1d(targets, classes)
        raise ArgumentError(
            f"decision_boundary(): argument 'y' has the label {strange[0]}, and 'predict' knows "
            f"{', '.join(map(str, classes))}"
        )
    if labels is not None and len(labels) != len(classes):
        raise ArgumentError(
            f"decision_boundary(): there are {len(classes)} classes and {len(labels)} 'labels'"
        )
    axes = one_axes("decision_boundary", ax, size=(5.6, 4.2))
    theme = theme_of(axes)
    shares = shares.reshape(resolution, resolution, len(classes))
    fade = probabilities and bool((shares >= 0).all() and (shares <= 1).all())
    _regions(axes, theme, sides, shares, fade=fade)
    names = [str(name) for name in (classes if labels is None else labels)]
    size = numpy.clip(420 / numpy.sqrt(len(points)), 16, 110)
    for position, (label, name) in enumerate(zip(classes, names)):
        mine = points[targets == label]
        axes.scatter(
            mine[:, 0], mine[:, 1], s=size, color=theme.color(position), label=name, zorder=5.5,
            marker=MARKERS[position % len(MARKERS)], edgecolors=theme.paper, linewidths=0.7,
        )  # fmt: skip
    axes.set(
        xlim=(sides[0][0], sides[0][-1]), ylim=(sides[1][0], sides[1][-1]),
        xlabel=features[0], ylabel=features[1],
    )  # fmt: skip
    dress(axes, theme, grid="none")
    title = None if labels is not None else "class"
    options = {"title": title, "title_fontsize": 9, "handletextpad": 0.2}
    made = legend(axes, theme, outside=ax is None, **options)
    # Beside the axes of a figure that does not make room for it, it would lie on the next ones.
    if ax is not None and axes.figure.get_layout_engine() is not None and _hides(made, points):
        legend(axes, theme, outside=True, **options)
    return axes


def _hides(legend_: Any, points: Numbers) -> bool:
    """Whether some of the points lie behind the legend, or so near that they touch it."""
    box = legend_.get_window_extent().padded(6)
    return bool(box.count_contains(legend_.axes.transData.transform(points)))


def _shares(answer: Answer, targets: Numbers, threshold: float | None) -> tuple[Numbers, Numbers]:
    """The classes, and for each point a column for each class; the highest column wins."""
    values, seen = answer.values, numpy.unique(targets)
    if values.ndim == 2:
        if threshold is not None:
            raise ArgumentError(
                "decision_boundary(): 'threshold' is for one number a sample, and 'predict' gave "
                f"{values.shape[1]}"
            )
        return _columns(answer.classes, values.shape[1], seen), values
    # Labels, rather than a score: of another kind than fractions, or all among those of y.
    discrete = values.dtype.kind not in "fc" or bool(numpy.isin(values, seen).all())
    discrete = discrete or (len(seen) > 2 and bool((values == numpy.round(values)).all()))
    if (values.dtype.kind in "OSU") != (seen.dtype.kind in "OSU"):
        raise ArgumentError(
            f"decision_boundary(): 'predict' gave labels like {values[0]!r} and 'y' has labels "
            f"like {seen[0]!r}; they must be the same"
        )
    if threshold is None and answer.threshold is None and discrete:
        classes = numpy.unique(numpy.concatenate([seen, numpy.unique(values).astype(seen.dtype)]))
        return classes, (values[:, None] == classes).astype(numpy.float64)
    classes = _columns(answer.classes, 2, seen)
    if threshold is None:
        threshold = answer.threshold
    if threshold is None:
        threshold = 0.5 if values.min() >= 0 and values.max() <= 1 else 0.0
    if values.min() < 0 or values.max() > 1 or not 0 < threshold < 1:
        # Far from the line a score has no scale of its own: which side it is on is all it says.
        score = values - threshold
        return classes, numpy.stack([-score, score], axis=1)
    if threshold != 0.5:
        # Bend the scale so that the line lies in its middle.
        values = numpy.interp(values, [0, threshold, 1], [0, 0.5, 1])
    return classes, numpy.stack([1 - values, values], axis=1)


def _columns(classes: Numbers | None, count: int, seen: Numbers) -> Numbers:
    """Which label each column of scores stands for."""
    if classes is not None and len(classes) == count:
        return classes
    if seen.dtype.kind in "biu" and seen.min() >= 0 and seen.max() < count:
        return numpy.arange(count)
    if len(seen) == count:
        return seen
    raise ArgumentError(
        f"decision_boundary(): 'predict' speaks of {count} classes and 'y' has the "
        f"{len(seen)} labels {', '.join(map(str, seen[:10]))}; they must be the same, or 'y' "
        f"positions from 0 to {count - 1}"
    )


def _regions(axes: Any, theme: Theme, sides: list[Numbers], shares: Numbers, *, fade: bool) -> None:
    """The plane in the colours of the classes, and the lines where two are level."""
    count = shares.shape[2]
    winner = shares.argmax(axis=2)
    paper = _rgb(theme.paper)
    pure = numpy.array([_rgb(theme.color(position)) for position in range(count)])
    # Regions side by side differ in strength too, which is what grey print shows of them.
    weight = numpy.resize((1.25, 0.75, 1.0), count)[winner]
    strength = 0.22 * weight
    if fade:
        least = 1 / count
        sure = (shares.max(axis=2) - least) / (1 - least) if count > 1 else numpy.ones_like(winner)
        strength = weight * (0.04 + 0.24 * numpy.clip(sure, 0, 1))
    image = paper + strength[..., None] * (pure[winner] - paper)
    axes.imshow(
        image, origin="lower", aspect="auto", interpolation="bilinear", zorder=0,
        extent=(sides[0][0], sides[0][-1], sides[1][0], sides[1][-1]),
    )  # fmt: skip
    for position in range(count if count > 2 else min(count - 1, 1)):
        lead = shares[..., position] - numpy.delete(shares, position, axis=2).max(axis=2)
        if lead.min() < 0 < lead.max():
            axes.contour(
                *sides, lead, levels=[0.0], colors=[theme.faint(0.8)], linewidths=1.3, zorder=2
            )


def _rgb(color: str) -> Numbers:
    return numpy.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def function_fit(
    predict: Any,
    x: Any,
    y: Any,
    *,
    ax: Any = None,
    truth: Any = None,
    xlabel: str = "x",
    ylabel: str = "y",
    margin: float = 0.05,
) -> Any:
    """Data of one feature with the curve that a model has learned of it.

    `predict` is a Module or an estimator, asked with (n, 1), or a function, asked with as many
    dimensions as `x` has; `x` is (n,) or (n, 1), `y` (n,) or (n, 1). `truth`, a function of an
    array, is drawn beside it. `margin` is how far the curve goes past the data, as a share of it.
    Raises ArgumentError for more features than one and for lengths that differ.
    """
    given = numbers("function_fit", "x", x)
    if given.ndim == 2 and given.shape[1] != 1:
        raise ArgumentError(
            f"function_fit(): argument 'x' must have one feature, (n,) or (n, 1), and has shape "
            f"{given.shape}; choose one, or use prediction_error(y, predict(x)) for all of them"
        )
    points, targets = vector("function_fit", "x", given), vector("function_fit", "y", y)
    _same_length("function_fit", x=points, y=targets)
    room = margin * (float(numpy.ptp(points)) or 1.0)
    line = numpy.linspace(points.min() - room, points.max() + room, 400)
    axes = one_axes("function_fit", ax)
    theme = theme_of(axes)
    size = numpy.clip(260 / numpy.sqrt(len(points)), 8, 45)
    axes.scatter(
        points, targets, s=size, color=theme.faint(0.55), linewidths=0, label="data", zorder=2
    )
    if truth is not None:
        axes.plot(
            line, vector("function_fit", "truth", truth(line)), color=theme.color(1),
            linestyle=DASHES[1], linewidth=1.6, label="truth", zorder=3,
        )  # fmt: skip
    column = given.ndim == 2 or isinstance(predict, Module) or hasattr(predict, "predict")
    answer = ask("function_fit", predict, line[:, None] if column else line, scores=False)
    axes.plot(
        line, vector("function_fit", "predict(x)", answer.values), color=theme.color(0),
        linewidth=2.2, label="learned", zorder=4,
    )  # fmt: skip
    axes.set(xlabel=xlabel, ylabel=ylabel)
    dress(axes, theme, grid="both")
    plain_numbers(axes.xaxis)
    plain_numbers(axes.yaxis)
    legend(axes, theme)
    return axes


def prediction_error(
    y_true: Any, y_pred: Any, *, ax: Any = None, unit: str = "", name: str = "value"
) -> Any:
    """What a model predicts against what is true, whatever the number of features.

    `y_true` and `y_pred` are (n,) or (n, 1); `name` and `unit` go into the labels.
    Raises ArgumentError for lengths that differ.
    """
    true = vector("prediction_error", "y_true", y_true)
    guess = vector("prediction_error", "y_pred", y_pred)
    _same_length("prediction_error", y_true=true, y_pred=guess)
    axes = one_axes("prediction_error", ax, size=(4.6, 4.4))
    theme = theme_of(axes)
    ends = [min(true.min(), guess.min()), max(true.max(), guess.max())]
    room = 0.05 * ((ends[1] - ends[0]) or 1.0)
    ends = [ends[0] - room, ends[1] + room]
    axes.plot(ends, ends, color=theme.faint(0.6), linestyle=DASHES[1], linewidth=1.2, label="right")
    size = numpy.clip(260 / numpy.sqrt(len(true)), 10, 45)
    pale = mix(theme.paper, theme.color(0), 0.35)
    axes.vlines(true, true, guess, color=pale, linewidth=1, zorder=1.5)
    axes.scatter(
        true, guess, s=size, color=theme.color(0), edgecolors=theme.paper, linewidths=0.6,
        label="predicted", zorder=3,
    )  # fmt: skip
    tail = f" ({unit})" if unit else ""
    axes.set(xlabel=f"true {name}{tail}", ylabel=f"predicted {name}{tail}", xlim=ends, ylim=ends)
    axes.set_aspect("equal")
    dress(axes, theme, grid="both")
    plain_numbers(axes.xaxis)
    plain_numbers(axes.yaxis)
    legend(axes, theme)
    return axes


def _same_length(operation: str, **arrays: Numbers) -> None:
    (first, a), (second, b) = arrays.items()
    if len(a) != len(b):
        raise ArgumentError(
            f"{operation}(): argument '{first}' has {len(a)} values and '{second}' {len(b)}"
        )
