"""How the plots look: colours for light and dark paper, thin frames, figures of a good size."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from minigrad.errors import ArgumentError
from minigrad.extras import require
from minigrad.plot.inputs import nearest

__all__ = [
    "DASHES", "MARKERS", "Theme", "dress", "legend", "luminance", "mix", "new_axes", "number",
    "one_axes", "plain_numbers", "shades", "style", "theme_of", "whole_numbers",
]  # fmt: skip

# The colours of Okabe and Ito (Color Universal Design, 2008), which people with any kind of colour
# blindness tell apart, without those that the paper swallows: yellow on white, black on black.
# Those for dark paper have the same hues in the same order, lightened.
LIGHT = ("#0072b2", "#d55e00", "#009e73", "#b1558a", "#56b4e9", "#e69f00", "#5c5c66")
DARK = ("#5db7f0", "#ff8f4a", "#2fd1a2", "#eb9ac8", "#a9b4ff", "#f0e442", "#b3b8c4")
WRONG, WRONG_ON_DARK = "#d1342f", "#ff7a70"

# So that curves stay apart in grey print, and marks too.
DASHES: tuple[Any, ...] = (
    "-", (0, (5, 1.6)), (0, (5, 1.4, 1, 1.4)), (0, (1.2, 1.3)), (0, (8, 1.5, 1, 1.2, 1, 1.5)),
    (0, (2.6, 1.4)), (0, (9, 2.5)),
)  # fmt: skip
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "<", ">", "p")

_SHAPE = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 11,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.09,
    "figure.constrained_layout.w_pad": 0.09,
    "font.family": "sans-serif",
    "font.size": 10,
    "grid.linewidth": 0.7,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
}
_INKS = {"light": ("#1d2433", "#ffffff", LIGHT), "dark": ("#e8ebf2", "#14171f", DARK)}


class Theme(NamedTuple):
    """The colours of a plot: they come from the Axes, so a plot fits the paper it is drawn on."""

    ink: str
    paper: str
    palette: tuple[str, ...]
    wrong: str
    dark: bool

    def color(self, position: int) -> str:
        """The colour of the curve or class in this position; after the last comes the first."""
        return self.palette[position % len(self.palette)]

    def faint(self, strength: float) -> str:
        """The ink thinned with the paper: 0 is the paper, 1 is the ink."""
        return mix(self.paper, self.ink, strength)


def mix(start: Any, end: Any, share: float) -> str:
    """The colour that lies `share` of the way from one colour to another."""
    colors = require("matplotlib.colors", "minigrad.plot")
    pairs = zip(colors.to_rgb(start), colors.to_rgb(end))
    return str(colors.to_hex([a + share * (b - a) for a, b in pairs]))


def luminance(color: Any) -> float:
    """How bright a colour looks, from 0 for black to 1 for white (ITU-R BT.709's weights)."""
    red, green, blue = require("matplotlib.colors", "minigrad.plot").to_rgb(color)
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)


def shades(theme: Theme, *stops: str) -> Any:
    """A colour map through these colours; an odd number of shades, so that one is the middle."""
    colors = require("matplotlib.colors", "minigrad.plot")
    return colors.LinearSegmentedColormap.from_list("minigrad", stops, N=511)


@contextlib.contextmanager
def style(name: str = "light") -> Iterator[None]:
    """Draw in minigrad's style, "light" or "dark", within a `with` block; then all is as before.

    The plots of this package follow whatever style is set, matplotlib's `dark_background` too;
    this one sets the colours of the page and the shape of frames, for your own plots as well.
    Raises ArgumentError for another name.
    """
    if name not in _INKS:
        raise ArgumentError(f"style(): there is no style {name!r}; {nearest(name, list(_INKS))}")
    ink, paper, palette = _INKS[name]
    quiet = mix(paper, ink, 0.5)
    settings = {
        **_SHAPE,
        "axes.edgecolor": quiet,
        "axes.facecolor": paper,
        "axes.labelcolor": ink,
        "axes.prop_cycle": require("matplotlib.rcsetup", "minigrad.plot").cycler(color=palette),
        "figure.edgecolor": paper,
        "figure.facecolor": paper,
        "grid.color": mix(paper, ink, 0.13),
        "savefig.edgecolor": "auto",
        "savefig.facecolor": "auto",
        "text.color": ink,
        "xtick.color": quiet,
        "xtick.labelcolor": mix(paper, ink, 0.8),
        "ytick.color": quiet,
        "ytick.labelcolor": mix(paper, ink, 0.8),
    }
    with require("matplotlib", "minigrad.plot").rc_context(settings):
        yield


def theme_of(axes: Any) -> Theme:
    """The colours that are legible on these Axes, whose own text and background decide."""
    colors = require("matplotlib.colors", "minigrad.plot")
    ink = axes.title.get_color()
    below = "#000000" if luminance(ink) > 0.5 else "#ffffff"
    for face in (axes.figure.get_facecolor(), axes.get_facecolor()):
        *_, opacity = colors.to_rgba(face)
        below = mix(below, face, opacity)
    dark = luminance(below) < 0.4
    if abs(luminance(ink) - luminance(below)) < 0.3:
        ink = "#ffffff" if dark else "#000000"
    palette, wrong = (DARK, WRONG_ON_DARK) if dark else (LIGHT, WRONG)
    return Theme(str(colors.to_hex(ink)), below, palette, wrong, dark)


def new_axes(rows: int = 1, columns: int = 1, *, size: tuple[float, float], **options: Any) -> Any:
    """A new figure of pyplot's with an array (rows, columns) of Axes; `size` is one cell's."""
    with require("matplotlib", "minigrad.plot").rc_context(_SHAPE):
        _, axes = require("matplotlib.pyplot", "minigrad.plot").subplots(
            rows, columns, figsize=(size[0] * columns, size[1] * rows), squeeze=False, **options
        )
    return axes


def one_axes(operation: str, ax: Any, *, size: tuple[float, float] = (5.6, 3.8)) -> Any:
    """The Axes that a function draws on: the caller's, or that of a new figure.

    Raises TypeError, saying what to pass, for anything that is not an Axes.
    """
    if ax is None:
        return new_axes(size=size)[0, 0]
    if isinstance(ax, require("matplotlib.axes", "minigrad.plot").Axes):
        return ax
    if isinstance(ax, require("matplotlib.figure", "minigrad.plot").FigureBase):
        help_ = "a figure is not an Axes; pass ax=figure.add_subplot()"
    elif isinstance(ax, (list, tuple)) or hasattr(ax, "flat"):
        help_ = "this plot has one Axes; pass one of them, such as ax=axes[0]"
    else:
        help_ = "make one with: figure, ax = matplotlib.pyplot.subplots()"
    raise TypeError(
        f"{operation}(): argument 'ax' must be a matplotlib Axes, not {type(ax).__name__}: {help_}"
    )


def dress(axes: Any, theme: Theme, *, grid: str = "y") -> None:
    """Give Axes the frame of these plots; `grid` is "x", "y", "both" or "none"."""
    for side, spine in axes.spines.items():
        spine.set(visible=side in ("left", "bottom"), color=theme.faint(0.45), linewidth=0.8)
    axes.tick_params(which="both", color=theme.faint(0.45), width=0.8)
    axes.tick_params(which="major", length=3)
    axes.tick_params(which="minor", length=0)
    axes.set_axisbelow(True)
    axes.grid(visible=False, which="both")
    if grid != "none":
        axes.grid(visible=True, axis=grid, color=theme.faint(0.13), linewidth=0.7, linestyle="-")


def whole_numbers(axis: Any) -> None:
    """Ticks of an axis that counts: whole numbers only, even where there is a single one."""
    ticker = require("matplotlib.ticker", "minigrad.plot")
    axis.set_major_locator(
        ticker.MaxNLocator(nbins="auto", steps=[1, 2, 5, 10], integer=True, min_n_ticks=1)
    )
    axis.set_major_formatter(ticker.FuncFormatter(number))


def plain_numbers(axis: Any) -> None:
    """Ticks written in full, 1,000,000 and not 1 with a factor at the end of the axis."""
    ticker = require("matplotlib.ticker", "minigrad.plot")
    axis.set_major_formatter(ticker.FuncFormatter(number))
    low, high = sorted(axis.get_view_interval())
    if max(abs(low), abs(high)) >= 1e5 and axis.axis_name == "x":
        axis.set_major_locator(ticker.MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]))


def number(value: float, position: int | None = None) -> str:
    """A number as a reader likes it: 1,000,000 and 0.25; `position` is matplotlib's.

    >>> number(60000.0), number(0.25), number(-1500.5)
    ('60,000', '0.25', '−1,500.5')
    """
    text = f"{abs(value):.10g}"
    if "e" not in text and "n" not in text:
        whole, point, rest = text.partition(".")
        text = f"{int(whole):,}{point}{rest}"
    return ("−" if value < 0 else "") + text.replace("e-", "e−")


def legend(axes: Any, theme: Theme, *, outside: bool = False, **options: Any) -> Any:
    """A legend in the colours of the Axes, where there is room, or `outside` to their right."""
    place: dict[str, Any] = {"loc": "best", "fontsize": 9, "handlelength": 2.4}
    if outside:
        place.update(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)
    made = axes.legend(**{**place, **options})
    made.get_frame().set(facecolor=theme.paper, edgecolor="none", alpha=0.8)
    made.set_frame_on(True)
    for text in made.get_texts():
        text.set_color(theme.ink)
    if made.get_title() is not None:
        made.get_title().set_color(theme.ink)
    return made
