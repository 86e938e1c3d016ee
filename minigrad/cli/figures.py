"""The picture of a training run: how loss and accuracy went, and what the network says of images.

Drawn with matplotlib's Agg canvas and no pyplot: no window, no state shared with a program that
calls this.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy

from minigrad.cli.failure import CommandError
from minigrad.extras import require
from minigrad.io.atomic import replacing
from minigrad.plot import digits, theme
from minigrad.plot import history as draw_history

FORMATS = (".png", ".pdf", ".svg")
TRAIN, TEST = theme.LIGHT[:2]
WRONG = theme.WRONG
FAINT = "#697386"
_STYLE = {
    "axes.labelcolor": FAINT,
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.titleweight": "bold",
    "figure.constrained_layout.use": False,
    "svg.fonttype": "none",
}
_COLUMNS = 10


def check_figure(path: str) -> None:
    """Raise MissingExtra where matplotlib is missing, CommandError for a format it is not for."""
    require("matplotlib", "--plot")
    if os.path.splitext(path)[1].lower() not in FORMATS:
        raise CommandError(f"--plot {path}: the name must end in {', '.join(FORMATS)}")


def draw_run(
    path: str,
    title: str,
    history: Sequence[dict[str, float]],
    images: numpy.ndarray[Any, Any],
    labels: numpy.ndarray[Any, Any],
    probabilities: numpy.ndarray[Any, Any],
    classes: Sequence[str],
) -> None:
    """Draw a run to the file `path`.

    `history` has loss, accuracy, test_loss and test_accuracy for each epoch. `images` (n, height,
    width), `labels` (n,) and `probabilities` (n, classes) are the whole test set; the first images
    are shown in a row, and the first that the network gets wrong in another.
    """
    matplotlib = require("matplotlib", "--plot")
    backend = require("matplotlib.backends.backend_agg", "--plot")
    with theme.style("light"), matplotlib.rc_context(_STYLE):
        figure = require("matplotlib.figure", "--plot").Figure(figsize=(10, 7.8), dpi=160)
        backend.FigureCanvasAgg(figure)
        grid = figure.add_gridspec(
            2, 2, left=0.06, right=0.97, top=0.855, bottom=0.055, height_ratios=(1, 1.12),
            hspace=0.30, wspace=0.16,
        )  # fmt: skip
        _curves([figure.add_subplot(grid[0, column]) for column in range(2)], history)
        _title(figure, title, history)
        guesses = probabilities.argmax(axis=1)
        wrong = numpy.flatnonzero(guesses != labels)
        rows = grid[1, :].subgridspec(2, 1, hspace=0.28)
        shown = {
            "The first images of the test set": numpy.arange(min(_COLUMNS, len(labels))),
            _mistakes(len(wrong), len(labels)): wrong[:_COLUMNS],
        }
        for row, (heading, chosen) in enumerate(shown.items()):
            axes = figure.add_subplot(rows[row], anchor="NW")
            axes.set_axis_off()
            if len(chosen):
                digits(
                    images[chosen], labels[chosen], probabilities[chosen], ax=axes,
                    classes=classes, columns=_COLUMNS,
                )  # fmt: skip
            axes.set_title(heading)
        with replacing(path) as temporary:
            figure.savefig(temporary, format=os.path.splitext(path)[1][1:].lower())


def _title(figure: Any, title: str, history: Sequence[dict[str, float]]) -> None:
    figure.text(0.06, 0.945, title, fontsize=15, fontweight="bold", va="center")
    reached = figure.text(
        0.97, 0.945, f"{100 * history[-1]['test_accuracy']:.2f} %", fontsize=20,
        fontweight="bold", color=TEST, ha="right", va="center",
    )  # fmt: skip
    figure.axes[0].annotate(
        "test accuracy", (0, 0.5), xytext=(-10, 0), xycoords=reached, textcoords="offset points",
        fontsize=10, color=FAINT, ha="right", va="center", annotation_clip=False,
    )  # fmt: skip


def _curves(panels: list[Any], history: Sequence[dict[str, float]]) -> None:
    """Training and test values by epoch: loss from zero up, and accuracy."""
    draw_history(history, ["loss", "accuracy"], ax=panels)
    for axes, title in zip(panels, ("Loss", "Accuracy")):
        axes.set(title=title, ylabel="")
    panels[0].set_ylim(0, 1.08 * panels[0].dataLim.ymax)


def _mistakes(wrong: int, total: int) -> str:
    if wrong == 0:
        return f"It gets none of the {total:,} wrong"
    shown = f", here the first {_COLUMNS}" if wrong > _COLUMNS else ""
    return f"What it gets wrong: {wrong:,} of {total:,}{shown}"
