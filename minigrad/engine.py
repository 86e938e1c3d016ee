"""The backward walk: newest node first, each node once, cotangents summed where paths meet.

Inside the walk cotangents are linear (see `minigrad.graph`); seeds and results of complex dtype
are conjugated here, which is torch's convention: the gradient points where a real loss rises.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush, heappushpop
from typing import Any

import numpy

from minigrad import mutation
from minigrad.backend import as_array, namespace, ndarray
from minigrad.backend.owned import alone
from minigrad.backend.wide import WIDE, duplicate, wide
from minigrad.errors import ArgumentError, GraphError
from minigrad.graph import (
    WALKING,
    Edge,
    Leaf,
    Node,
    Primitive,
    Traced,
    grad_mode,
    output_node,
    primitive,
    wrap,
)
from minigrad.mutation import Clock
from minigrad.ops.elementwise import add, conj
from minigrad.ops.promotion import convert
from minigrad.ops.reduce import sum_to


def walk(
    seeds: Sequence[tuple[Node, Any]],
    *,
    keep: bool,
    like: Traced | None = None,
    only: set[Node] | None = None,
    wanted: set[Node] | None = None,
    beyond: bool = True,
) -> dict[Node, Any]:
    """The cotangents of the leaves, or of the `wanted` nodes, given those of the roots.

    `keep` leaves the graph in place for another walk; with `like`, a Tensor, the rules run on
    Tensors of its kind and are recorded. `only` limits the walk to the nodes it holds;
    without `beyond` it stops at the wanted ones.

    Raises GraphError where the graph was freed or a kept value was changed.
    """
    cotangents: dict[Node, Any] = {}
    found: dict[Node, Any] = {}
    queue: list[tuple[float, Any]] = []
    for node, g in seeds:
        if node in cotangents:
            cotangents[node] = cotangents[node] + g
        else:
            cotangents[node] = g
            if node.order:
                heappush(queue, (node.order, node))
    # A node that has the queue to itself, as in a chain, is not put there.
    ahead: Any = None
    while ahead is not None or queue:
        if ahead is None:
            node = heappop(queue)[1]
        elif queue:
            node = heappushpop(queue, (ahead.order, ahead))[1]
        else:
            node = ahead
        ahead = None
        g = cotangents.pop(node)
        if wanted is not None and node in wanted:
            found[node] = g
            if not beyond:
                continue
        edges = node.edges
        if edges is None:
            raise GraphError(_FREED.format(node.op.name))
        if node.order > Clock.latest:
            mutation.check(node)
        for parent, rule, kept, shape in edges if like is None else recall(node, edges, like):
            if only is not None and parent not in only:
                continue
            contribution = rule(g, *kept)
            if contribution is None:
                continue
            if shape is not None and contribution.shape != shape:
                contribution = sum_to(contribution, size=shape)
            if parent in cotangents:
                other, cotangents[parent] = cotangents[parent], None
                small = getattr(contribution, "nbytes", 0) < WIDE
                cotangents[parent] = other + contribution if small else _sum(other, contribution)
            else:
                cotangents[parent] = contribution
                if parent.order:
                    if ahead is not None:
                        heappush(queue, (ahead.order, ahead))
                    ahead = parent
        if not keep:
            node.edges = None
            edges = ()
    if wanted is None:
        return cotangents
    cotangents.update(found)
    return {node: g for node, g in cotangents.items() if node in wanted}


def _sum(one: Any, other: Any) -> Any:
    """The sum of two large cotangents; raw ones are added to where nobody else holds one of them.

    They are this function's to keep, and its caller's.
    """
    raw = one.__class__ is other.__class__ is ndarray
    if raw and one.shape == other.shape and one.dtype == other.dtype:
        into = other if alone(other) else one if alone(one) else None
        return wide(numpy.add, one, other, out=into)
    return add(one, other)


_FREED = (
    "backward through {}() a second time: the values kept for its gradient were freed by the "
    "first; call backward(retain_graph=True) the first time, or compute the result again"
)


def recall(node: Node, edges: tuple[Edge, ...], like: Traced) -> Iterable[Edge]:
    """The edges with what they keep as Tensors that are attached to the graph where they were."""
    op = node.op
    needs, input_of = op.needs, op.input_of
    below = edges[0][0].edges if op.joint is not None and edges[0][1] is op.joint else edges
    parents = {input_of.get(edge[1]): edge[0] for edge in below or ()}
    found = []
    for edge in edges:
        parent, rule, kept, shape = edge
        names = needs.get(rule) if kept else None
        if names:
            values: list[Any] = []
            for name, value in zip(names, kept):
                if name in parents and (value.__class__ is ndarray or hasattr(value, "dtype")):
                    value = wrap(like, value, parents[name])
                elif name == "out":
                    value = _attach_out(node, value, like)
                elif name == op.variadic:
                    value = _attach_all(node, below or (), value, like)
                values.append(value)
            edge = (parent, rule, values, shape)
        found.append(edge)
    return found


def _attach_out(node: Node, value: Any, like: Traced) -> Any:
    """The output of an operation, or its outputs."""
    if not isinstance(value, tuple):
        return wrap(like, value, node)
    count = len(value)
    return tuple(
        wrap(like, array, output_node(node, i, count, array)) for i, array in enumerate(value)
    )


def _attach_all(node: Node, edges: Iterable[Edge], arrays: Any, like: Traced) -> tuple[Any, ...]:
    """The inputs of a variadic operation, each attached to its own parent."""
    needs = node.op.needs
    by_position = {}
    for parent, rule, kept, _ in edges:
        by_position[kept[needs[rule].index("position")]] = parent
    return tuple(wrap(like, array, by_position.get(i)) for i, array in enumerate(arrays))


def reachable(roots: Iterable[Node], targets: set[Node]) -> set[Node] | None:
    """The nodes on some path from the roots to the targets, the targets among them.

    None where those are all nodes below the roots.
    """
    oldest = max((target.order for target in targets), default=0)
    seen = set(roots)
    ends = set()
    stack = list(seen)
    while stack:
        node = stack.pop()
        edges = node.edges
        if not edges:
            ends.add(node)
            continue
        for edge in edges:
            parent = edge[0]
            if parent not in seen and parent.order <= oldest:
                seen.add(parent)
                if parent.order:
                    stack.append(parent)
                else:
                    ends.add(parent)
    if oldest == 0 and ends <= targets:
        return None
    on_path: set[Node] = set()
    for node in sorted(seen, key=lambda node: node.order, reverse=True):
        # Where a freed node led is not known: the walk shall meet it and refuse.
        edges = node.edges
        if edges is None or node in targets or any(edge[0] in on_path for edge in edges):
            on_path.add(node)
    return on_path


def backward(
    tensors: Sequence[Traced],
    gradients: Sequence[Any],
    *,
    retain_graph: bool,
    create_graph: bool,
    inputs: Sequence[Traced] | None,
) -> None:
    """Add the gradients of `tensors`, seeded with raw or Tensor `gradients`, into `.grad`.

    With `inputs` only those tensors accumulate; each must be a leaf or have its node on a path.
    """
    roots = [root(tensor) for tensor in tensors]
    seeds = list(zip(roots, gradients, strict=True))
    like = tensors[0] if create_graph else None
    token = grad_mode.set(create_graph or WALKING)
    try:
        targets: dict[Node, Traced] = {}
        if inputs is None:
            found = walk(seeds, keep=retain_graph, like=like)
        else:
            targets = {target(t): t for t in inputs}
            path = reachable(roots, set(targets))
            found = walk(seeds, keep=retain_graph, like=like, only=path, wanted=set(targets))
        while found:
            node, g = found.popitem()
            tensor = node.tensor() if isinstance(node, Leaf) else targets[node]
            if tensor is not None:
                accumulate(tensor, node, g)
    finally:
        grad_mode.reset(token)


def grad(
    tensors: Sequence[Traced],
    inputs: Sequence[Traced],
    gradients: Sequence[Any],
    *,
    retain_graph: bool,
    create_graph: bool,
) -> list[Any]:
    """The gradients of `tensors` with respect to `inputs`; None for an input that is on no path."""
    roots = [root(tensor) for tensor in tensors]
    targets = [target(tensor) for tensor in inputs]
    wanted = set(targets)
    path = reachable(roots, wanted)
    token = grad_mode.set(create_graph or WALKING)
    try:
        found = walk(
            list(zip(roots, gradients, strict=True)),
            keep=retain_graph,
            like=tensors[0] if create_graph else None,
            only=path,
            wanted=wanted,
        )
        return [
            finish(tensor, node, found[node]) if node in found else None
            for tensor, node in zip(inputs, targets, strict=True)
        ]
    finally:
        grad_mode.reset(token)


def root(tensor: Traced) -> Node:
    """The node where a walk from the tensor starts."""
    node = tensor._node
    if node is None:
        raise GraphError(
            "backward(): the tensor does not require a gradient and was not made from one that "
            "does; create the inputs with requires_grad=True, and check that no_grad() is not on"
        )
    return node


def target(tensor: Traced) -> Node:
    """The node whose cotangent is the tensor's gradient: below its hooks, which change it."""
    node = tensor._node
    if node is None:
        raise GraphError(
            "one of the inputs does not require a gradient; call requires_grad_() on it before "
            "it is used"
        )
    while node.op is HOOK and node.edges is not None:
        node = node.edges[0][0]
    return node


def finish(tensor: Traced, node: Node, g: Any) -> Any:
    """A cotangent as the tensor's gradient: hooks applied, conjugated if complex, a Tensor."""
    hooks = node.hooks if isinstance(node, Leaf) else None
    if g.__class__ is ndarray and g.dtype.kind == "f" and not hooks:
        return wrap(tensor, g)
    traced = isinstance(g, Traced)
    array = g._array if isinstance(g, Traced) else as_array(g)
    if array.dtype.kind == "c":
        g = conj(g)
        array = g._array if traced else g
    if hooks:
        g = g if traced else wrap(tensor, array)
        for hook in list(hooks.values()):
            replaced = hook(g)
            g = g if replaced is None else replaced
        return g
    return g if traced else wrap(tensor, array)


def accumulate(tensor: Any, node: Node, g: Any) -> None:
    """Add a cotangent into `tensor.grad`; the first is copied unless its memory is its own."""
    leaf = node if isinstance(node, Leaf) else None
    if leaf is not None and tensor._node is None:
        # It was frozen with requires_grad_(False) after its use.
        return
    # A hook may keep the gradient that it sees, and what it returns.
    own = not isinstance(g, Traced) and alone(g) and not (leaf and leaf.hooks)
    result = finish(tensor, node, g)
    previous = tensor.grad
    if previous is None:
        if result._node is None and not own:
            result = wrap(tensor, duplicate(result._array))
        tensor.grad = result
    elif result._node is None and previous._node is None:
        previous._array[...] += result._array
        mutation.touch(previous._array, "backward")
    else:
        tensor.grad = add(previous, result)
    if leaf and leaf.accumulated:
        for hook in list(leaf.accumulated.values()):
            hook(tensor)


def hooked(node: Node, rule: Any) -> None:
    """Make `node` pass its cotangent through `rule` first; its work moves to a node below it."""
    below = Node(node.op, node.edges, node.order)
    node.op = HOOK
    node.edges = ((below, rule, (), None),)
    node.order -= 0.5  # between the node's own order and that of the next newer one


def seed(tensor: Any, gradient: Any, create_graph: bool, operation: str) -> Any:
    """The cotangent that a walk starts with: the gradient given for a tensor, or one.

    Raises ArgumentError where none is given for more than one element, or its shape differs.
    """
    array = tensor._array
    if gradient is None:
        if array.size != 1 or array.dtype.kind == "c":
            raise ArgumentError(
                f"{operation}(): only a real tensor of one element has a gradient of its own, "
                f"this one is {array.dtype}{list(array.shape)}; reduce it first, for example "
                f"with .sum() or .mean(), or pass a gradient of that shape"
            )
        if array.__class__ is ndarray and array.ndim == 0:
            g = _ones.get(array.dtype)
            if g is None:
                g = _ones[array.dtype] = namespace(operation, tensor=array).ones((), array.dtype)
        else:
            g = namespace(operation, tensor=array).ones(array.shape, array.dtype)
        return wrap(tensor, g) if create_graph else g
    raw = gradient._array if isinstance(gradient, Traced) else gradient
    if getattr(raw, "shape", None) != array.shape:
        found = list(raw.shape) if hasattr(raw, "shape") else type(raw).__name__
        raise ArgumentError(
            f"{operation}(): the gradient has shape {found}, the tensor has shape "
            f"{list(array.shape)}; they must be equal"
        )
    g = convert(gradient, array.dtype)
    if array.dtype.kind == "c":
        g = conj(g)
    if create_graph:
        return g if isinstance(g, Traced) else wrap(tensor, g)
    return g._array if isinstance(g, Traced) else g


_ones: dict[Any, Any] = {}

HOOK = Primitive(lambda xp: None, {}, primitive)
HOOK.name = "hook"
