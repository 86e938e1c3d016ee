"""The confusion matrix: which classes a model takes for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from minigrad.errors import ArgumentError
from minigrad.plot.inputs import array_of, label_array, nearest
from minigrad.plot.theme import luminance, mix, number, one_axes, shades, theme_of

__all__ = ["confusion_matrix"]

Numbers = numpy.ndarray[Any, Any]

_SUMS = {"true": 1, "pred": 0, "all": None}


def confusion_matrix(
    y_true: Any,
    y_pred: Any = None,
    *,
    ax: Any = None,
    classes: Sequence[str] | None = None,
    normalize: str | None = None,
) -> Any:
    """How often each true class (a row) is taken for each class (a column).

    `y_true` and `y_pred` are labels (n,); `y_pred` may be scores (n, classes). With `y_true` alone
    it is the matrix of counts, (classes, classes). The cells show counts and are coloured by their
    share of the row, so that rare classes are seen too; with `normalize` "true", "pred" or "all"
    (scikit-learn's names) the cells show shares of the row, the column or of everything, in
    percent. `classes` are the names of the classes. Raises ArgumentError for lengths that differ,
    counts that are negative, and an unknown `normalize`.
    """
    if normalize is not None and normalize not in _SUMS:
        raise ArgumentError(
            f"confusion_matrix(): argument 'normalize' is {normalize!r}; "
            f"{nearest(str(normalize), list(_SUMS))}"
        )
    counts, labels = _counted(y_true, y_pred, classes)
    names = [str(name) for name in (labels if classes is None else classes)]
    size = len(counts)
    shares = _shares(counts, _SUMS[normalize or "true"])
    side = float(numpy.clip(0.46 * size, 2.4, 9.0))
    axes = one_axes("confusion_matrix", ax, size=(side + 1.5, side + 1.0))
    theme = theme_of(axes)
    cells = shades(theme, theme.paper, theme.color(0))
    # The root of the share, so that a mistake of some percent is seen beside all that is right.
    strength = numpy.sqrt(shares / shares.max())
    axes.imshow(strength, cmap=cells, vmin=0, vmax=1, zorder=0)
    points = _text_size(axes, size)
    for row in range(size):
        for column in range(size):
            share = shares[row, column]
            text = f"{100 * share:.0f} %" if normalize else number(counts[row, column])
            under = mix(theme.paper, theme.color(0), float(strength[row, column]))
            ends = (theme.ink, theme.paper)
            color = max(ends, key=lambda end: abs(luminance(end) - luminance(under)))
            if counts[row, column] == 0:
                text, color = "0" if not normalize else "0 %", theme.faint(0.4)
            axes.text(
                column, row, text, ha="center", va="center", color=color, fontsize=points,
                fontweight="bold" if row == column else "normal",
            )  # fmt: skip
    slanted = max(map(len, names)) > 4
    axes.set_xticks(range(size), names, rotation=40 if slanted else 0, ha="right" if slanted else
                    "center", rotation_mode="anchor")  # fmt: skip
    axes.set_yticks(range(size), names)
    axes.set(xlabel="predicted", ylabel="true")
    axes.set_xticks(numpy.arange(size - 1) + 0.5, minor=True)
    axes.set_yticks(numpy.arange(size - 1) + 0.5, minor=True)
    axes.grid(visible=False, which="major")
    axes.grid(visible=True, which="minor", color=theme.paper, linewidth=1.5, linestyle="-")
    axes.tick_params(which="both", length=0)
    for spine in axes.spines.values():
        spine.set(visible=True, color=theme.faint(0.3), linewidth=0.8)
    right = numpy.trace(counts) / counts.sum()
    if not axes.get_title():
        axes.set_title(f"{100 * right:.1f} % of {number(float(counts.sum()))} right")
    return axes


def _counted(y_true: Any, y_pred: Any, classes: Sequence[str] | None) -> tuple[Numbers, Numbers]:
    """The matrix of counts, and the labels of its rows."""
    if y_pred is None:
        counts = array_of("confusion_matrix", "y_true", y_true)
        if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
            raise ArgumentError(
                "confusion_matrix(): without 'y_pred' argument 'y_true' must be the square matrix "
                f"of counts, and has shape {counts.shape}; pass confusion_matrix(y_true, y_pred)"
            )
        if counts.dtype.kind not in "biuf" or not (counts >= 0).all():
            raise ArgumentError("confusion_matrix(): counts must be numbers from 0 up")
        labels = numpy.arange(len(counts))
    else:
        true = label_array("confusion_matrix", "y_true", y_true)
        guess = array_of("confusion_matrix", "y_pred", y_pred)
        if guess.ndim == 2 and guess.shape[1] > 1:
            guess = guess.argmax(axis=1)
        guess = label_array("confusion_matrix", "y_pred", guess)
        if len(true) != len(guess):
            raise ArgumentError(
                f"confusion_matrix(): 'y_true' has {len(true)} labels and 'y_pred' {len(guess)}"
            )
        if (true.dtype.kind in "US") != (guess.dtype.kind in "US"):
            raise ArgumentError(
                f"confusion_matrix(): 'y_true' holds {true.dtype} and 'y_pred' {guess.dtype}; "
                "both must be names or both numbers"
            )
        labels = numpy.unique(numpy.concatenate([true, guess]))
        if classes is not None and labels.dtype.kind in "biu" and labels.min() >= 0:
            # A class that does not occur has its row and column all the same.
            labels = numpy.arange(max(len(classes), int(labels.max()) + 1))
        counts = numpy.zeros((len(labels), len(labels)), numpy.int64)
        places = numpy.searchsorted(labels, true), numpy.searchsorted(labels, guess)
        numpy.add.at(counts, places, 1)
    if classes is not None and len(classes) != len(counts):
        raise ArgumentError(
            f"confusion_matrix(): there are {len(counts)} classes and {len(classes)} names in "
            "argument 'classes'"
        )
    if counts.sum() == 0:
        raise ArgumentError("confusion_matrix(): all counts are zero; there is nothing to draw")
    return counts, labels


def _shares(counts: Numbers, axis: int | None) -> Numbers:
    """Each count divided by the sum of its row, its column or everything; 0 where that is 0."""
    sums = counts.sum(axis=axis, keepdims=True)
    return counts / numpy.where(sums == 0, 1, sums)


def _text_size(axes: Any, size: int) -> float:
    """Points, so that five characters fit into a cell."""
    box = axes.get_window_extent()
    points = 72 * min(box.width, box.height) / axes.figure.dpi / size
    return float(numpy.clip(points / 3.6, 5, 11))
