"""Recurrent layers over packed sequences: runs of steps that equally many sequences have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.nn import functional as F
from minigrad.nn.utils.rnn import PackedSequence
from minigrad.ops.creation import zeros
from minigrad.ops.join import cat, stack

States = tuple[Any, ...]
Run = Callable[[Any, States], tuple[Any, States]]


def forward_packed(layer: Any, packed: PackedSequence, hx: Any) -> tuple[PackedSequence, Any]:
    """The outputs of a recurrent layer, packed as its input, and the last states."""
    data, batch_sizes, order, back = packed
    if data.ndim != 2 or data.shape[1] != layer.input_size:
        raise ArgumentError(
            f"{type(layer).__name__}(): the packed data must have shape [steps, "
            f"{layer.input_size}], got {list(data.shape)}"
        )
    sizes = batch_sizes.tolist()
    batch, sides = sizes[0], layer.directions()
    if hx is None:
        given = tuple(
            zeros(layer.num_layers * len(sides), batch, size, dtype=data.dtype, device=data.device)
            for size in layer.state_sizes()
        )
    else:
        given = layer.check_states(data, hx, (batch,))
        if order is not None:
            given = tuple(state.index_select(1, order) for state in given)
    finals: list[States] = []
    for number in range(layer.num_layers):
        if number and layer.dropout:
            data = F.dropout(data, layer.dropout, layer.training)
        outputs = []
        for ending in sides:
            start = tuple(state[len(finals)] for state in given)
            output, final = _side(layer, data, start, sizes, f"_l{number}{ending}", bool(ending))
            outputs.append(output)
            finals.append(final)
        data = outputs[0] if len(outputs) == 1 else cat(outputs, 1)
    last = tuple(stack(parts) for parts in zip(*finals))
    if back is not None:
        last = tuple(state.index_select(1, back) for state in last)
    output = PackedSequence(data, batch_sizes, order, back)
    return output, last if len(last) > 1 else last[0]


def _side(
    layer: Any, data: Any, start: States, sizes: list[int], ending: str, reverse: bool
) -> tuple[Any, States]:
    """One direction of one layer: the outputs, packed, and each sequence's last states."""
    bias = layer.input_bias(ending) if layer.bias else None
    projected = F.linear(data, getattr(layer, f"weight_ih{ending}"), bias)

    def run(part: Any, states: States) -> tuple[Any, States]:
        found: tuple[Any, States] = layer.run_layer(part, states, ending, reverse)
        return found

    return (_backwards if reverse else _forwards)(run, projected, start, list(_runs(sizes)))


def _runs(sizes: list[int]) -> Iterator[tuple[int, int, int]]:
    """Where each run of steps of one batch size begins in the data, its steps, and its size."""
    begin = 0
    for size, group in groupby(sizes):
        steps = len(list(group))
        yield begin, steps, size
        begin += steps * size


def _part(data: Any, begin: int, steps: int, size: int) -> Any:
    return data[begin : begin + steps * size].reshape(steps, size, -1)


def _forwards(
    run: Run, data: Any, states: States, runs: list[tuple[int, int, int]]
) -> tuple[Any, States]:
    """From the first step on: sequences that end leave the batch, the shortest first."""
    outputs, finished = [], []
    following = [size for _, _, size in runs[1:]] + [0]
    for (begin, steps, size), rest in zip(runs, following):
        output, states = run(_part(data, begin, steps, size), states)
        outputs.append(output.reshape(steps * size, -1))
        finished.append(tuple(state[rest:] for state in states))
        states = tuple(state[:rest] for state in states)
    return cat(outputs), tuple(cat(parts) for parts in zip(*finished[::-1]))


def _backwards(
    run: Run, data: Any, states: States, runs: list[tuple[int, int, int]]
) -> tuple[Any, States]:
    """From the last step on: sequences join the batch where they end, the longest first."""
    outputs = []
    present = tuple(state[:0] for state in states)
    there = 0
    for begin, steps, size in runs[::-1]:
        joined = tuple(cat([here, start[there:size]]) for here, start in zip(present, states))
        output, present = run(_part(data, begin, steps, size), joined)
        outputs.append(output.reshape(steps * size, -1))
        there = size
    return cat(outputs[::-1]), present
