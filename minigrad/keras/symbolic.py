"""KerasTensor: a shape and dtype without data, and the nodes that say how it was computed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy

from minigrad.backend.random import fork_rng
from minigrad.errors import ArgumentError
from minigrad.graph import Traced
from minigrad.keras.naming import snake_case, unique_name
from minigrad.modes import no_grad
from minigrad.ops.creation import zeros

__all__ = [
    "KerasTensor",
    "Node",
    "Operation",
    "flatten",
    "infer",
    "is_symbolic",
    "map_shapes",
    "map_structure",
    "operation",
    "shape_of",
    "symbols",
]

Shape = tuple[int | None, ...]


class KerasTensor:
    """What `Input` gives and a layer makes of it: a place in a graph of layers, without data.

    `shape` holds None where a size is not known yet, first of all for the batch.
    """

    __array_ufunc__ = None

    def __init__(self, shape: Any, dtype: Any = "float32", name: str | None = None) -> None:
        self.shape: Shape = tuple(shape)
        self.dtype = numpy.dtype(dtype)
        self.name = unique_name("keras_tensor") if name is None else name
        self.node: Node | None = None
        self.index = 0

    @property
    def ndim(self) -> int:
        """How many dimensions there are, that of the batch included."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    def _refuse(self, what: str) -> TypeError:
        return TypeError(
            f"{what}: '{self.name}' is a KerasTensor, which has a shape and no numbers; put the "
            "computation into a layer (keras.layers.Lambda, or a subclass of keras.layers.Layer), "
            "or call the finished model on data"
        )

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise self._refuse("conversion to a NumPy array")

    def __bool__(self) -> bool:
        raise self._refuse("if and while")

    def __float__(self) -> float:
        raise self._refuse("float()")

    def __iter__(self) -> Iterator[Any]:
        raise self._refuse("iteration")

    def __len__(self) -> int:
        raise self._refuse("len()")

    def __add__(self, other: Any) -> Any:
        return Operation("add")(self, other)

    def __radd__(self, other: Any) -> Any:
        return Operation("add")(other, self)

    def __sub__(self, other: Any) -> Any:
        return Operation("subtract")(self, other)

    def __rsub__(self, other: Any) -> Any:
        return Operation("subtract")(other, self)

    def __mul__(self, other: Any) -> Any:
        return Operation("multiply")(self, other)

    def __rmul__(self, other: Any) -> Any:
        return Operation("multiply")(other, self)

    def __truediv__(self, other: Any) -> Any:
        return Operation("true_divide")(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return Operation("true_divide")(other, self)

    def __matmul__(self, other: Any) -> Any:
        return Operation("matmul")(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return Operation("matmul")(other, self)

    def __pow__(self, other: Any) -> Any:
        return Operation("power")(self, other)

    def __neg__(self) -> Any:
        return Operation("negative")(self)

    def __abs__(self) -> Any:
        return Operation("absolute")(self)

    def __getitem__(self, key: Any) -> Any:
        return Operation("get_item")(self, key)


# What an operator between KerasTensors, or a function of keras.ops, computes when there are data.
OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "true_divide": lambda a, b: a / b,
    "matmul": lambda a, b: a @ b,
    "power": lambda a, b: a**b,
    "negative": lambda a: -a,
    "absolute": abs,
    "get_item": lambda a, key: a[key],
}


class Operation:
    """An operator or a function of keras.ops in a graph of layers; it has no weights."""

    built = True

    def __init__(self, kind: str, name: str | None = None) -> None:
        if kind not in OPERATIONS:
            raise ArgumentError(f"there is no operation {kind!r} in keras.ops")
        self.kind = kind
        self.name = unique_name(snake_case(kind)) if name is None else name
        self.call = OPERATIONS[kind]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not is_symbolic((args, kwargs)):
            return self.call(*args, **kwargs)
        try:
            outputs = infer(self.call, args, kwargs)
        except (ArgumentError, IndexError, TypeError) as error:
            described = ", ".join(_describe(argument) for argument in args)
            raise ArgumentError(f"{self.kind}({described}): {error}") from None
        Node(self, args, kwargs, outputs)
        return outputs

    def __repr__(self) -> str:
        return f"<Operation name={self.name}>"


def operation(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of tensors that also takes KerasTensors, and is then a node of their graph."""
    name = function.__name__
    OPERATIONS[name] = function

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for given in args:
            kind = type(given)
            if kind is KerasTensor or ((kind is list or kind is tuple) and is_symbolic(given)):
                return Operation(name)(*args, **kwargs)
        if kwargs and is_symbolic(kwargs):
            return Operation(name)(*args, **kwargs)
        return function(*args, **kwargs)

    return call


class Node:
    """One call of a layer or operation on KerasTensors: what went in and what came out."""

    def __init__(
        self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any
    ) -> None:
        self.layer = layer
        self.args = args
        self.kwargs = kwargs
        self.outputs = outputs
        for index, tensor in enumerate(flatten(outputs)):
            tensor.node = self
            tensor.index = index

    @property
    def inputs(self) -> list[KerasTensor]:
        """The KerasTensors among the arguments, in order."""
        leaves = flatten((self.args, self.kwargs))
        return [leaf for leaf in leaves if isinstance(leaf, KerasTensor)]


def flatten(structure: Any) -> list[Any]:
    """The leaves of nested lists, tuples and dicts, in order (of the keys, as inserted)."""
    if isinstance(structure, dict):
        structure = structure.values()
    elif not isinstance(structure, (list, tuple)) or isinstance(structure, Traced):
        return [structure]
    return [leaf for part in structure for leaf in flatten(part)]


def is_symbolic(structure: Any) -> bool:
    """Whether there is a KerasTensor among the leaves of nested lists, tuples and dicts."""
    return any(isinstance(leaf, KerasTensor) for leaf in flatten(structure))


def map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    """The same nested lists, tuples and dicts with `function` applied to every leaf."""
    if isinstance(structure, dict):
        return {key: map_structure(function, part) for key, part in structure.items()}
    if isinstance(structure, list):
        return [map_structure(function, part) for part in structure]
    if isinstance(structure, tuple):
        parts = [map_structure(function, part) for part in structure]
        return type(structure)(*parts) if hasattr(structure, "_fields") else tuple(parts)
    return function(structure)


def shape_of(value: Any) -> Any:
    """The shapes of nested tensors: a tuple for each, in the same nesting."""
    return map_structure(lambda leaf: tuple(getattr(leaf, "shape", ())), value)


def map_shapes(function: Callable[[Any], Any], shapes: Any) -> Any:
    """`function` of every shape, a tuple or list of lengths, in nested lists, tuples and dicts."""
    if isinstance(shapes, dict):
        return {key: map_shapes(function, part) for key, part in shapes.items()}
    if all(length is None or isinstance(length, int) for length in shapes):
        return function(tuple(shapes))
    return type(shapes)(map_shapes(function, part) for part in shapes)


def symbols(shape: Any, dtype: Any) -> Any:
    """KerasTensors of these shapes, in the same nesting."""
    return map_shapes(lambda lengths: KerasTensor(lengths, dtype), shape)


def infer(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """The KerasTensors that `function` would give for these arguments.

    It is run on zeros twice, with two sizes in the place of every None: a dimension of the
    output that changes with them is not known either. Weights that the first run makes have their
    numbers from the default generator; the second leaves it as it was.
    """
    with no_grad():
        first = function(*_stand_ins(args, 2), **_stand_ins(kwargs, 2))
        with fork_rng():
            second = function(*_stand_ins(args, 3), **_stand_ins(kwargs, 3))
    sizes = iter(flatten(second))

    def described(leaf: Any) -> Any:
        other = next(sizes)
        if not isinstance(leaf, Traced):
            raise ArgumentError(f"the output must be a Tensor, got {type(leaf).__name__}")
        pairs = zip(leaf.shape, other.shape)  # type: ignore[attr-defined]
        return KerasTensor((a if a == b else None for a, b in pairs), leaf._array.dtype)

    return map_structure(described, first)


def _stand_ins(structure: Any, size: int) -> Any:
    """The structure with zeros for its KerasTensors, `size` long where a length is not known."""

    def stand_in(leaf: Any) -> Any:
        if not isinstance(leaf, KerasTensor):
            return leaf
        lengths = tuple(size if length is None else length for length in leaf.shape)
        return zeros(lengths, dtype=leaf.dtype)

    return map_structure(stand_in, structure)


def _describe(value: Any) -> str:
    return f"shape {value.shape}" if isinstance(value, KerasTensor) else repr(value)
