"""Forward mode: a level whose arrays carry a tangent beside their value.

No operation has a second formula. A rule is linear in the cotangent, so what the transpose of a
rule makes of a tangent is the derivative forward. Two kinds of operation need no transpose: a view
is linear, and the derivative of an operation on real elements is a diagonal matrix, which is its
own transpose.
"""

from __future__ import annotations

from typing import Any

from minigrad import engine
from minigrad.backend.levels import highest
from minigrad.errors import GraphError
from minigrad.func.families import on_elements
from minigrad.func.level import Level, as_tensor, lowered
from minigrad.func.lifted import Array
from minigrad.func.reverse import attached
from minigrad.graph import WALKING, Traced, grad_mode, wrap
from minigrad.inplace import follow, place
from minigrad.ops.creation import zeros, zeros_like
from minigrad.ops.index import getitem
from minigrad.ops.promotion import convert
from minigrad.ops.reduce import broadcast_to
from minigrad.ops.shape import reshape

__all__ = ["Forward"]


class Forward(Level):
    """A level of forward mode: `value` is the primal, `part` the tangent, None for zero."""

    name = "jvp"
    changing: Any = None

    def shape_of(self, array: Array) -> tuple[int, ...]:
        """The shape of an array of this level."""
        return array.value._array.shape  # type: ignore[no-any-return]

    def describe(self, array: Array) -> str:
        """How a tensor of this level prints."""
        return f"DualTensor(level={self.depth}, primal={array.value!r}, tangent={array.part!r})"

    def constant(self, value: Traced) -> Array:
        """A tensor of a level below: its tangent is zero."""
        return Array(self, value, None)

    def dual(self, primal: Any, tangent: Any) -> Any:
        """A Tensor of this level with a tangent."""
        return wrap(primal, Array(self, primal, tangent))

    def split(self, tensor: Any) -> tuple[Any, Any]:
        """The primal and the tangent of a Tensor, None for a tangent that is zero."""
        array = tensor._array
        if isinstance(array, Array) and array.level is self:
            return array.value, array.part
        return tensor, None

    def read(self, array: Array, how: str) -> Any:
        """The raw array whose elements Python asks for."""
        return array.value._array

    def unreadable(self, how: str) -> Exception:
        """The error for what would drop the tangent."""
        return GraphError(
            f"jvp(): a tensor with a tangent cannot be {how}, since the tangent would be lost; "
            f"use minigrad's operations, or detach() where no derivative is wanted"
        )

    def raw(self, function: Any, args: Any, kwargs: Any) -> Any:
        """A function of raw arrays on the primals."""
        return function(*lowered(args, self), **lowered(kwargs, self))

    def run(self, op: Any, call: Any, arrays: tuple[Any, ...], constants: dict[str, Any]) -> Any:
        """The operation on the primals, and what its rules make of the tangents."""
        values = [a.value if isinstance(a, Array) else a for a in arrays]
        tangents = [a.part if isinstance(a, Array) else None for a in arrays]
        given, constants = constants, lowered(constants, self)
        names = op.inputs if not op.variadic else [op.variadic] * len(arrays)
        tangents = [
            t if name in op.rules and t is not None else None for t, name in zip(tangents, names)
        ]
        pushed = None
        with self.underneath():
            if all(t is None for t in tangents):
                outputs = call(*values, **constants)
            elif op.kind.view:
                pushed = call(tangents[0], *values[1:], **constants)
                outputs = call(*values, **constants)
            else:
                outputs, pushed = push(op, call, values, tangents, constants)
        for name, memory in given.items():
            # What a forward leaves in a list for its gradient is a memory; it has no tangent.
            if type(memory) is list and not memory:
                memory[:] = [
                    Array(self, as_tensor(item), None) if hasattr(item, "dtype") else item
                    for item in constants[name]
                ]
        return self._made(op, outputs, pushed, arrays)

    def _made(self, op: Any, outputs: Any, tangents: Any, arrays: tuple[Any, ...]) -> Any:
        if isinstance(outputs, tuple):
            tangents = tangents or (None,) * len(outputs)
            return tuple(
                Array(self, as_tensor(o), t) for o, t in zip(outputs, tangents, strict=True)
            )
        value = as_tensor(outputs)
        array = Array(self, value, tangents)
        if op.kind.view and value._base is not None:
            array.base = arrays[0] if arrays[0].base is None else arrays[0].base
        return array

    def drawn(self, draw: Any, shape: Any) -> Any:
        """Raw random numbers, as outside of this level."""
        with self.underneath():
            return draw(shape)

    def picked(self, draw: Any, xp: Any, weights: Any, *rest: Any) -> Any:
        """A raw draw that depends on an array of weights."""
        with self.underneath():
            return draw(xp, *lowered((weights,), self), *rest)

    # In place.

    def admit(self, tensor: Any, value: Any) -> None:
        """Take note of a tensor that is to be changed in place; it becomes one of this level."""
        base = tensor if tensor._base is None else tensor._base
        if base is not tensor and tensor._view is None:
            raise GraphError(
                "jvp(): this view cannot be changed in place inside of forward mode; clone() it"
            )
        array = base._array
        if not (isinstance(array, Array) and array.level is self):
            base._array = self.constant(wrap(base, array, base._node))
            base._node = None
            self._follow(base)
        self.changing = tensor

    def _follow(self, base: Any) -> None:
        """Let the views of a tensor show its new tangent."""
        source = wrap(base, base._array)
        for view in base._views or ():
            if view._view is not None:
                view._array = follow(source, view._view)._array

    def assign(self, array: Array, index: Any, value: Any) -> None:
        """Write into the primal; the tangent is made anew, and every view follows it."""
        tensor, tangent = self.changing, None
        if tensor is None or tensor._array is not array:
            # A raw array that is written to has no views to be told.
            tensor = as_tensor(array)
        if isinstance(value, Array) and value.level is self:
            value, tangent = value.value, value.part
        base = tensor if tensor._base is None else tensor._base
        whole = index is Ellipsis or index == (Ellipsis,)
        index = lowered(index, self)
        with self.underneath():
            array.value[index] = as_tensor(value) if hasattr(value, "dtype") else value
            held = base._array
            if held.part is None and tangent is None:
                return
            part = zeros_like(held.value) if held.part is None else held.part
            written = 0 if tangent is None else convert(tangent, part._array.dtype)
            chain = lowered(tensor._view or (), self)
            if not whole:
                chain = (*chain, (getitem, (), {"index": index}))
            if chain:
                shape = follow(part, chain)._array.shape
                held.part = place(part, _filled(written, part, shape), chain=chain)
            else:
                held.part = _filled(written, part, part._array.shape)
        self._follow(base)


def _filled(value: Any, like: Any, shape: tuple[int, ...]) -> Any:
    """A tangent, or zero, at the shape of what it is written into."""
    if not isinstance(value, Traced):
        return zeros(shape, dtype=like._array.dtype, device=like.device)
    extra = value._array.ndim - len(shape)
    if extra > 0:
        value = reshape(value, value._array.shape[extra:])
    return broadcast_to(value, size=shape)


def push(
    op: Any, call: Any, values: list[Any], tangents: list[Any], constants: dict[str, Any]
) -> tuple[Any, Any]:
    """An operation's result, and the tangent of it: one for each output, None for zero."""
    recorded = bool(grad_mode.get())
    token = grad_mode.set(True)
    try:
        # The graph is that of the level which the operation runs on.
        level = highest((values, constants))
        if level is not None:
            values = [level.lift(value) for value in values]
        inputs = [v if t is None else attached(v, recorded) for v, t in zip(values, tangents)]
        result = call(*inputs, **constants)
    finally:
        grad_mode.reset(token)
    outputs = result if isinstance(result, tuple) else (result,)
    carried = [(x, t) for x, t in zip(inputs, tangents) if t is not None]
    outward = recorded and any(_leads_out(v) for v in values)
    alive = outward or (recorded and any(t._node is not None for _, t in carried))
    if any(out._node is not None for out in outputs):
        if _is_diagonal(op, inputs, outputs):
            pushed: tuple[Any, ...] = (_along_diagonal(outputs[0], carried, alive),)
        else:
            pushed = _transposed(outputs, carried, alive)
    else:
        pushed = (None,) * len(outputs)
    if not outward:
        outputs = tuple(wrap(out, out._array) for out in outputs)
    return (outputs, pushed) if isinstance(result, tuple) else (outputs[0], pushed[0])


def _leads_out(value: Any) -> bool:
    return isinstance(value, Traced) and value._node is not None


def _is_diagonal(op: Any, inputs: list[Any], outputs: tuple[Any, ...]) -> bool:
    """Whether an output depends on the elements at its own place alone, all of them real."""
    if not on_elements(op):
        return False
    arrays = [x._array for x in inputs if isinstance(x, Traced)]
    out = outputs[0]._array
    if out.dtype.kind != "f" or any(a.dtype.kind == "c" for a in arrays):
        return False
    largest = max((a.ndim for a in arrays), default=0)
    sizes = [1] * largest
    for array in arrays:
        for axis, length in enumerate(reversed(array.shape)):
            if length != 1:
                sizes[largest - 1 - axis] = length
    return bool(tuple(sizes) == out.shape)


def _along_diagonal(out: Any, carried: list[Any], alive: bool) -> Any:
    """The tangent of an operation on real elements: its rules, given tangents for cotangents."""
    node, shape = out._node, out._array.shape
    edges = node.edges
    if alive:
        edges = engine.recall(node, edges, out)
    by_parent: dict[Any, list[Any]] = {}
    for x, t in carried:
        by_parent.setdefault(x._node, []).append(t if alive else t._array)
    total = None
    token = grad_mode.set(alive or WALKING)
    try:
        for parent, rule, kept, _ in edges:
            if parent not in by_parent:
                continue
            t = by_parent[parent].pop(0)
            if t.shape != shape:
                t = broadcast_to(t, size=shape)
            share = rule(t, *kept)
            if share is not None:
                total = share if total is None else total + share
    finally:
        grad_mode.reset(token)
    return total if total is None else as_tensor(total)


def _transposed(outputs: tuple[Any, ...], carried: list[Any], alive: bool) -> tuple[Any, ...]:
    """The tangents of any operation's outputs: the transpose of its rules, given the tangents."""
    nodes = {x._node: t for x, t in carried}
    starts: list[Any] = []
    level = highest(outputs)
    token = grad_mode.set(True)
    try:
        for out in outputs:
            if out._node is None:
                starts.append(None)
                continue
            zero = zeros_like(out)
            starts.append(attached(zero if level is None else level.lift(zero), False))
        seeds = [(out._node, g) for out, g in zip(outputs, starts) if g is not None]
        path = engine.reachable([seed[0] for seed in seeds], set(nodes))
        found = engine.walk(
            seeds, keep=True, like=outputs[0], only=path, wanted=set(nodes), beyond=False
        )
    finally:
        grad_mode.reset(token)
    back = [(c._node, nodes[node]) for node, c in found.items() if c._node is not None]
    wanted = {g._node for g in starts if g is not None}
    if not back:
        return (None,) * len(outputs)
    token = grad_mode.set(alive or WALKING)
    try:
        pushed = engine.walk(
            [(node, t if alive else t._array) for node, t in back],
            keep=alive,
            like=outputs[0] if alive else None,
            only=engine.reachable([node for node, _ in back], wanted),
            wanted=wanted,
            beyond=False,
        )
    finally:
        grad_mode.reset(token)
    tangents = [pushed.get(g._node) if g is not None else None for g in starts]
    return tuple(None if t is None else as_tensor(t) for t in tangents)
