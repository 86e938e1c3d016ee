"""The table that `model.summary()` prints: layers, shapes, parameters, and what feeds what."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import numpy

from minigrad.errors import ArgumentError
from minigrad.graph import Traced
from minigrad.keras.symbolic import Operation, flatten, map_shapes, shape_of
from minigrad.training.progress import write

__all__ = ["print_summary", "readable_size", "summary_lines"]

_WIDTH = 76
# How the width is shared out between the columns.
_PLAIN = {"Layer (type)": 33, "Output Shape": 24, "Param #": 15}
_CONNECTED = {"Layer (type)": 21, "Output Shape": 19, "Param #": 12, "Connected to": 19}
_TRAINABLE = 14
_ON_THE_RIGHT = ("Param #",)


def print_summary(model: Any, print_fn: Callable[[str], Any] | None = None, **options: Any) -> None:
    """Print the summary, or give it to `print_fn` as one text."""
    show = write if print_fn is None else print_fn
    show("\n".join(summary_lines(model, **options)))


def summary_lines(
    model: Any,
    line_length: int | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> list[str]:
    """The lines of the table and of the totals below it."""
    connected = _sources(model)
    columns = dict(_PLAIN if connected is None else _CONNECTED)
    if show_trainable:
        columns["Trainable"] = _TRAINABLE
    widths = _shared_out(columns, line_length or _WIDTH)
    rows = []
    for layer, depth in _listed(model, connected, expand_nested, layer_range):
        row = [_title(layer, depth), _shape(layer, model), _count(layer)]
        if connected is not None:
            row.append(", ".join(connected.get(id(layer), ())) or "-")
        if show_trainable:
            trainable = getattr(layer, "trainable", None)
            has_weights = bool(getattr(layer, "weights", ()))
            row.append(("Y" if trainable else "N") if has_weights else "-")
        rows.append(row)
    lines = [f'Model: "{model.name}"']
    lines += _table(list(columns), rows, widths)
    return lines + _totals(model)


def _shared_out(columns: dict[str, int], width: int) -> list[int]:
    inner = width - len(columns) - 1
    whole = sum(columns.values())
    widths = [max(8, share * inner // whole) for share in columns.values()]
    widths[0] += max(0, inner - sum(widths))
    return widths


def _sources(model: Any) -> dict[int, list[str]] | None:
    """What each layer takes, as layer[call][result]; None where layers just follow each other."""
    graph = model._graph
    if graph is None:
        return None
    straight = all(len(node.inputs) == 1 for node in graph.nodes)
    if straight and len(graph.given) == 1 and len(graph.nodes) + 1 == len(graph.operations):
        users = [id(node.inputs[0]) for node in graph.nodes]
        if len(set(users)) == len(users):
            return None
    calls: dict[int, list[Any]] = {}
    for node in [*(tensor.node for tensor in graph.given), *graph.nodes]:
        calls.setdefault(id(node.layer), []).append(node)
    sources: dict[int, list[str]] = {}
    for node in graph.nodes:
        for tensor in node.inputs:
            made = tensor.node
            number = calls.get(id(made.layer), [made]).index(made)
            source = f"{made.layer.name}[{number}][{tensor.index}]"
            sources.setdefault(id(node.layer), []).append(source)
    return sources


def _listed(
    model: Any,
    connected: Any,
    expand_nested: bool,
    layer_range: Sequence[str] | None,
    depth: int = 0,
) -> list[tuple[Any, int]]:
    """The layers, and with `expand_nested` those inside them, with how deep each lies."""
    layers = model.layers if model._graph is None else model._graph.operations
    if layer_range is not None:
        names = [layer.name for layer in layers]
        for name in layer_range:
            if name not in names:
                raise ArgumentError(
                    f"summary(): layer_range names {name!r}, which is none of {names}"
                )
        first, last = (names.index(name) for name in layer_range)
        layers = layers[first : last + 1]
    found = []
    for layer in layers:
        found.append((layer, depth))
        if expand_nested and hasattr(layer, "_graph"):
            found += _listed(layer, connected, True, None, depth + 1)
    return found


def _title(layer: Any, depth: int) -> str:
    kind = type(layer).__name__
    return f"{'└ ' * depth}{layer.name} ({kind})"


def _shape(layer: Any, model: Any) -> str:
    """The shapes of what the layer gives where it is first called; "?" where none is known."""
    if isinstance(layer, Operation):
        outputs = [node.outputs for node in model._graph.nodes if node.layer is layer]
        shape = shape_of(outputs[0])
    else:
        shape = layer.output_shape if layer.built else None
    if shape is None:
        return "?"
    found: list[str] = []
    map_shapes(lambda lengths: found.append(str(lengths)), shape)
    return ", ".join(found)


def _count(layer: Any) -> str:
    if not hasattr(layer, "count_params"):
        return "0"
    return f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"


def _table(titles: list[str], rows: list[list[str]], widths: list[int]) -> list[str]:
    lines = [_rule("┏━┳┓", widths)]
    lines += _cells(titles, widths, titles, "┃")
    lines.append(_rule("┡━╇┩", widths))
    for number, row in enumerate(rows):
        if number:
            lines.append(_rule("├─┼┤", widths))
        lines += _cells(row, widths, titles, "│")
    lines.append(_rule("└─┴┘", widths))
    return lines


def _rule(marks: str, widths: list[int]) -> str:
    left, line, middle, right = tuple(marks)
    return left + middle.join(line * width for width in widths) + right


def _cells(row: list[str], widths: list[int], titles: list[str], bar: str) -> list[str]:
    """One row, on several lines where a text is wider than its column."""
    wrapped = [textwrap.wrap(text, width - 2) or [""] for text, width in zip(row, widths)]
    lines = []
    for number in range(max(map(len, wrapped))):
        parts = []
        for texts, width, title in zip(wrapped, widths, titles):
            text = texts[number] if number < len(texts) else ""
            side = ">" if title in _ON_THE_RIGHT else "<"
            parts.append(f" {text:{side}{width - 2}} ")
        lines.append(bar + bar.join(parts) + bar)
    return lines


def _totals(model: Any) -> list[str]:
    trained, other, kept = 0, 0, 0
    sizes = [0, 0, 0]
    for weight in model.weights:
        count = math.prod(weight.shape)
        size = count * numpy.dtype(weight.tensor._array.dtype).itemsize
        if weight.trainable:
            trained, sizes[0] = trained + count, sizes[0] + size
        else:
            other, sizes[1] = other + count, sizes[1] + size
    if model.optimizer is not None and model.optimizer.built:
        # Keras counts the rate and the number of steps among the optimizer's numbers.
        kept, sizes[2] = 2, 8
        for leaf in flatten(model.optimizer.state_dict()["state"]):
            if isinstance(leaf, Traced):
                array = leaf._array
                kept, sizes[2] = kept + int(array.size), sizes[2] + int(array.nbytes)
    lines = [
        f" Total params: {trained + other + kept:,} ({readable_size(sum(sizes))})",
        f" Trainable params: {trained:,} ({readable_size(sizes[0])})",
        f" Non-trainable params: {other:,} ({readable_size(sizes[1])})",
    ]
    if kept:
        lines.append(f" Optimizer params: {kept:,} ({readable_size(sizes[2])})")
    return lines


def readable_size(count: float) -> str:
    """A number of bytes as people write it.

    >>> readable_size(407080)
    '397.54 KB'
    """
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1024:
            return f"{count:.2f} {unit}"
        count /= 1024
    return f"{count:.2f} TB"
