"""How a layer reads its arguments: sizes, paddings, and where the channels are.

Inputs have their channels last unless a layer's `data_format` is "channels_first". The operations
of nn have them first: `channels_first` and `channels_back` are views, and cost nothing.
"""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError
from minigrad.keras import config
from minigrad.keras.layers.base import InputSpec
from minigrad.keras.lookup import nearest

__all__: list[str] = []

Sizes = tuple[int, ...]
_FORMATS = ("channels_last", "channels_first")
_LAYOUTS = {
    1: ("(batch, steps, channels)", "(batch, channels, steps)"),
    2: ("(batch, height, width, channels)", "(batch, channels, height, width)"),
    3: ("(batch, depth, height, width, channels)", "(batch, channels, depth, height, width)"),
}


def positive(owner: Any, name: str, value: Any) -> int:
    """A whole number of at least 1; raises ArgumentError naming the layer."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
        raise ArgumentError(
            f"{type(owner).__name__}(): {name} must be a positive integer, got {value!r}"
        )
    return int(value)


def fraction(owner: Any, name: str, value: Any) -> float:
    """A probability in [0, 1]; raises ArgumentError naming the layer."""
    if not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ArgumentError(
            f"{type(owner).__name__}(): {name} must be between 0 and 1, got {value!r}"
        )
    return float(value)


def each(owner: Any, name: str, value: Any, dims: int, least: int = 1) -> Sizes:
    """One whole number for each spatial dimension; raises ArgumentError naming the layer."""
    given = (value,) * dims if hasattr(value, "__index__") else tuple(value)
    if len(given) != dims or not all(
        hasattr(size, "__index__") and not isinstance(size, bool) and size >= least
        for size in given
    ):
        kind = "positive" if least == 1 else "not negative"
        wanted = "an integer" if dims == 1 else f"an integer or {dims} integers"
        raise ArgumentError(
            f"{type(owner).__name__}(): {name} must be {wanted}, {kind}, got {value!r}"
        )
    return tuple(int(size) for size in given)


def choice(owner: Any, name: str, value: Any, known: tuple[str, ...]) -> str:
    """One of these words, in any case; raises ArgumentError with the nearest."""
    word = value.lower() if isinstance(value, str) else value
    if word not in known:
        close = nearest(word, list(known), 1) if isinstance(word, str) else []
        meant = f"; did you mean {close[0]!r}?" if close else ""
        options = ", ".join(repr(option) for option in known)
        raise ArgumentError(
            f"{type(owner).__name__}(): {name} must be one of {options}, got {value!r}{meant}"
        )
    return str(word)


def format_of(owner: Any, data_format: str | None) -> str:
    """The layer's data format, the global one if it has none."""
    if data_format is None:
        return config.image_data_format()
    return choice(owner, "data_format", data_format, _FORMATS)


def image_spec(dims: int, data_format: str, channels: int | None = None) -> InputSpec:
    """What a layer over `dims` spatial dimensions takes."""
    axes = {} if channels is None else {channel_axis(data_format): channels}
    return InputSpec(ndim=dims + 2, axes=axes)


def check_image(owner: Any, shape: Any, dims: int, data_format: str) -> None:
    """Raise ArgumentError for a shape that is not a batch with `dims` spatial dimensions."""
    if len(shape) == dims + 2:
        return
    last = data_format == "channels_last"
    layout = _LAYOUTS[dims][0 if last else 1]
    advice = ""
    if len(shape) == dims + 1:
        axis = "x[..., None]" if last else "x[:, None]"
        advice = f"; add a channel axis: {axis}"
        if shape[0] is not None:
            advice += ", or, if this is one sample, a batch axis: x[None]"
    raise ArgumentError(
        f"layer '{owner.name}' ({type(owner).__name__}) expected {dims + 2} dims {layout}, got "
        f"shape {tuple(shape)}{advice}"
    )


def channel_axis(data_format: str) -> int:
    """Where the channels are."""
    return -1 if data_format == "channels_last" else 1


def known_channels(owner: Any, shape: Any, axis: int = -1) -> int:
    """The length of that axis; raises ArgumentError where it is not known."""
    size = shape[axis] if len(shape) > 1 else None
    if size is None:
        where = "last axis" if axis == -1 else f"axis {axis}"
        raise ArgumentError(
            f"layer '{owner.name}' ({type(owner).__name__}) makes weights for the {where} of its "
            f"input, whose length must be known; got shape {tuple(shape)}. Give it where the "
            f"model begins, as in Input(shape=(None, 16))"
        )
    return int(size)


def channels_first(x: Any, data_format: str) -> Any:
    """The input as the operations of nn take it: (batch, channels, ...)."""
    if data_format == "channels_first":
        return x
    return x.permute(0, x.ndim - 1, *range(1, x.ndim - 1))


def channels_back(x: Any, data_format: str) -> Any:
    """The result of an operation of nn as the layer gives it."""
    return x if data_format == "channels_first" else x.permute(0, *range(2, x.ndim), 1)


def spatial(shape: Any, data_format: str) -> tuple[Any, ...]:
    """The spatial sizes in a shape."""
    return tuple(shape[1:-1] if data_format == "channels_last" else shape[2:])


def with_spatial(shape: Any, sizes: Any, channels: Any, data_format: str) -> tuple[Any, ...]:
    """The shape of a batch with these spatial sizes and channels."""
    if data_format == "channels_last":
        return (shape[0], *sizes, channels)
    return (shape[0], channels, *sizes)


def reach(kernel: int, dilation: int) -> int:
    """How many cells a dilated kernel spans."""
    return (kernel - 1) * dilation + 1


def same_pads(sizes: Any, kernel: Sizes, stride: Sizes, dilation: Sizes) -> list[tuple[int, int]]:
    """The cells before and behind each dimension for padding "same", TensorFlow's.

    The output has size ceil(size / stride); the odd cell goes behind.

    >>> same_pads((5, 6), (3, 3), (2, 2), (1, 1))
    [(1, 1), (0, 1)]
    """
    pads = []
    for size, span, step, gap in zip(sizes, kernel, stride, dilation):
        count = -(-size // step)
        total = max((count - 1) * step + reach(span, gap) - size, 0)
        pads.append((total // 2, total - total // 2))
    return pads


def window_sizes(
    owner: Any, sizes: Any, kernel: Sizes, stride: Sizes, dilation: Sizes, padding: str
) -> tuple[Any, ...]:
    """How many windows there are along each dimension; None where the size is not known."""
    counts: list[int | None] = []
    for size, span, step, gap in zip(sizes, kernel, stride, dilation):
        if size is None:
            counts.append(None)
        elif padding in ("same", "causal"):
            counts.append(-(-size // step))
        else:
            count = (size - reach(span, gap)) // step + 1
            if count < 1:
                raise ArgumentError(
                    f"layer '{owner.name}' ({type(owner).__name__}): a window of "
                    f"{reach(span, gap)} does not fit into {size} cells; use padding='same', a "
                    "smaller window, or fewer layers that shrink the input"
                )
            counts.append(count)
    return tuple(counts)


def flat_pads(pads: list[tuple[int, int]]) -> list[int]:
    """The pads as `F.pad` takes them, the last dimension first."""
    return [cells for pair in reversed(pads) for cells in pair]
