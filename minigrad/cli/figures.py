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

FORMATS = (".png", ".pdf", ".svg")
TRAIN, TEST, WRONG = "#8a94a6", "#1f5fd1", "#d1342f"
INK, FAINT, GRID = "#1d2433", "#697386", "#e6e9ef"
_STYLE = {
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": FAINT,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlepad": 10,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "ytick.left": False,
    "xtick.bottom": False,
    "svg.fonttype": "none",
}
_ROWS, _COLUMNS = 2, 10


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
    with matplotlib.rc_context(_STYLE):
        figure = require("matplotlib.figure", "--plot").Figure(figsize=(10, 7.8), dpi=160)
        backend.FigureCanvasAgg(figure)
        grid = figure.add_gridspec(
            2, 2, left=0.06, right=0.97, top=0.855, bottom=0.055, height_ratios=(1, 1),
            hspace=0.30, wspace=0.16,
        )  # fmt: skip
        _curves(figure.add_subplot(grid[0, 0]), "Loss", history, "loss", 1)
        _curves(figure.add_subplot(grid[0, 1]), "Accuracy, %", history, "accuracy", 100)
        _title(figure, title, history)
        guesses = probabilities.argmax(axis=1)
        wrong = numpy.flatnonzero(guesses != labels)
        rows = grid[1, :].subgridspec(2, 1, hspace=0.55)
        shown = {
            "The first images of the test set": numpy.arange(min(_COLUMNS, len(labels))),
            _mistakes(len(wrong), len(labels)): wrong[:_COLUMNS],
        }
        for row, (heading, chosen) in enumerate(shown.items()):
            cells = rows[row].subgridspec(1, _COLUMNS, wspace=0.18)
            for column in range(_COLUMNS):
                axes = figure.add_subplot(cells[column])
                if column == 0:
                    _heading(axes, heading)
                if column >= len(chosen):
                    axes.set_axis_off()
                else:
                    i = chosen[column]
                    _image(axes, images[i], labels[i], guesses[i], probabilities[i], classes)
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


def _curves(
    axes: Any, title: str, history: Sequence[dict[str, float]], name: str, scale: float
) -> None:
    """Training and test values by epoch, each line named at its end."""
    axes.set_title(title)
    epochs = numpy.arange(1, len(history) + 1)
    marker = "o" if len(history) < 40 else None
    for prefix, word, color, width in (("", "train", TRAIN, 1.8), ("test_", "test", TEST, 2.2)):
        values = [scale * entry[prefix + name] for entry in history]
        axes.plot(
            epochs, values, color=color, linewidth=width, marker=marker, markersize=3.5, label=word
        )
    axes.legend(
        frameon=False, labelcolor="linecolor", handlelength=1.2,
        loc="upper right" if name == "loss" else "lower right",
    )  # fmt: skip
    if name == "loss":
        axes.set_ylim(0, 1.08 * axes.dataLim.ymax)
    axes.set_xlabel("epoch")
    axes.margins(x=0.02)
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axes.grid(visible=False, axis="x")


def _mistakes(wrong: int, total: int) -> str:
    if wrong == 0:
        return f"It gets none of the {total:,} wrong"
    shown = f", here the first {_COLUMNS}" if wrong > _COLUMNS else ""
    return f"What it gets wrong: {wrong:,} of {total:,}{shown}"


def _heading(axes: Any, text: str) -> None:
    axes.annotate(
        text, (0, 1), xytext=(0, 8), xycoords="axes fraction", textcoords="offset points",
        fontsize=11, fontweight="bold", va="bottom", annotation_clip=False,
    )  # fmt: skip


def _image(
    axes: Any,
    image: numpy.ndarray[Any, Any],
    label: int,
    guess: int,
    probabilities: numpy.ndarray[Any, Any],
    classes: Sequence[str],
) -> None:
    """One image with the answer and how sure it is; a wrong answer in red, with the right one."""
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set(visible=True, color=GRID)
    axes.imshow(image, cmap="gray_r", interpolation="nearest", aspect="equal", vmin=0)
    short = max(len(classes[guess]), len(classes[label])) < 3
    sure = f"{100 * probabilities[guess]:.0f} %"
    below, color = sure, INK
    if guess != label:
        # A long name and the percentage do not fit side by side.
        below = f"{sure}, is {classes[label]}" if short else f"is {classes[label]}"
        color = WRONG
    place = {"transform": axes.transAxes, "va": "top"}
    axes.text(
        0, -0.08, classes[guess], **place, fontweight="bold", fontsize=12 if short else 9,
        color=color,
    )  # fmt: skip
    axes.text(0, -0.29, below, **place, fontsize=8, color=FAINT)
