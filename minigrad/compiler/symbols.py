"""Symbols stand for NumPy arrays while the work of a plan is written down, call by call.

The forward of a primitive and the rules of its derivative are run once more, on Symbols: what they
do to arrays arrives here as calls of universal functions, reductions and views, and each becomes
one `Instruction` on the `Tape`. A Symbol has the shape, dtype and layout of its array, and knows
no values: whatever asks for them raises `Untraceable`, as does every function that is not known
here, and that part of the plan is then called whole.
"""

from __future__ import annotations

import operator
import threading
from typing import Any

import numpy
from numpy.lib.mixins import NDArrayOperatorsMixin

from minigrad.backend import ndarray
from minigrad.kernels import matrix_product

LARGEST_CONSTANT = 1 << 16
"""Bytes of the largest array that is held as a constant of a plan."""

SMALL_PRODUCT = 1 << 22
"""Multiplications in a product of matrices beyond which the cost of the call is nothing."""


class Untraceable(Exception):
    """Something was done that only the values of an array can answer."""


class Instruction:
    """One call on arrays: `out` is the Symbol that it defines, `into` the one that it changes.

    `kind` is "ufunc", "dot", "product", "reduce", "view", "call" (a new array), "change", or "step"
    and "list" for what is not traced.
    """

    __slots__ = ("args", "function", "into", "kind", "named", "out", "step")

    def __init__(
        self, kind: str, function: Any, args: Any, named: Any, out: Any, into: Any
    ) -> None:
        self.kind = kind
        self.function = function
        self.args = args
        self.named = named
        self.out = out
        self.into = into
        self.step: Any = None

    def label(self) -> str:
        """What is called, in a word."""
        if self.kind == "step":
            return "called whole"
        if isinstance(self.function, operator.attrgetter):
            return str(self.function.__reduce__()[1][0])
        name = str(getattr(self.function, "__name__", self.kind))
        return f"{name}.reduce" if self.kind == "reduce" else name


class Tape:
    """The instructions written down so far."""

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self.symbols: list[Symbol] = []
        self._thread = threading.get_ident()

    def symbol(self, shape: Any, dtype: Any, strides: Any) -> Symbol:
        """A Symbol for an array that comes from elsewhere."""
        return Symbol(self, stand_in(shape, dtype, strides), None)

    def close(self) -> None:
        """Let go of the arrays that stood in."""
        for symbol in self.symbols:
            symbol._value = None

    def emit(
        self, kind: str, function: Any, args: Any, named: Any, result: Any, into: Any = None
    ) -> Any:
        """Note a call; returns the Symbol of its result, or the one that was changed."""
        if threading.get_ident() != self._thread or numpy.geterr() != MARK:
            raise Untraceable
        args = tuple(map(_constant, args))
        if into is not None:
            self.instructions.append(Instruction(kind, function, args, named, None, into))
            return into
        scalar = not isinstance(result, ndarray)
        result = numpy.asarray(result)
        root = None
        if kind == "call" and not scalar:
            source = args[0] if args and isinstance(args[0], Symbol) else None
            if source is not None and _bottom(result) is _bottom(source._value):
                if result is source._value or (source.root.owned and _same(result, source)):
                    return source
                kind, root = "view", source.root
        made = Symbol(self, result, root, scalar)
        made.owned = root is None
        self.instructions.append(Instruction(kind, function, args, named, made, None))
        return made


MARK: Any = {"divide": "call", "over": "call", "under": "call", "invalid": "call"}
"""How floating errors are treated while tracing; code that treats them otherwise is untraceable."""


class Symbol(NDArrayOperatorsMixin):
    """An array of the plan; `root` is the Symbol whose memory it views, itself if it has its own.

    `owned` says that an instruction made the memory; `scalar` that NumPy gives a scalar.
    """

    __slots__ = ("_value", "owned", "root", "scalar", "tape")

    def __init__(self, tape: Tape, value: Any, root: Any, scalar: bool = False) -> None:
        self.tape = tape
        self._value = value
        tape.symbols.append(self)
        self.root: Symbol = self if root is None else root
        self.scalar = scalar
        self.owned = False

    # What can be known without values.

    __class__ = property(lambda self: ndarray)
    __hash__ = object.__hash__
    shape = property(lambda self: self._value.shape)
    dtype = property(lambda self: self._value.dtype)
    ndim = property(lambda self: self._value.ndim)
    size = property(lambda self: self._value.size)
    nbytes = property(lambda self: self._value.nbytes)
    itemsize = property(lambda self: self._value.itemsize)
    strides = property(lambda self: self._value.strides)
    flags = property(lambda self: self._value.flags)

    def __len__(self) -> int:
        return len(self._value)

    def __getattr__(self, name: str) -> Any:
        if name in _METHODS:
            method = getattr(ndarray, name)
            return lambda *args, **named: self._method(method, args, named)
        if name in _ATTRIBUTES:
            return self._method(_ATTRIBUTES[name], (), {})
        if name in _REDUCTIONS:
            function, names = _REDUCTIONS[name]
            return lambda *args, **named: self._reduce(
                function, {**dict(zip(names, args)), **named}
            )
        if hasattr(ndarray, name) or name == "_numba_type_":
            raise Untraceable(name)
        raise AttributeError(name)

    def _untraceable(self, *args: Any, **named: Any) -> Any:
        raise Untraceable

    __array__ = __bool__ = __int__ = __float__ = __complex__ = __index__ = _untraceable
    __contains__ = __iter__ = __copy__ = __deepcopy__ = __reduce__ = _untraceable

    # What is done.

    def _method(self, function: Any, args: Any, named: Any) -> Any:
        if function is ndarray.view and args == (ndarray,):
            return self
        if function is ndarray.astype and self.dtype.kind == "c":
            # It may warn that a part is lost.
            raise Untraceable
        args = (self, *args)
        values = values_of(args)
        result = function(*values, **values_of(named))
        kind = "dot" if function is ndarray.dot and result.ndim == 2 else "call"
        return self.tape.emit(kind, function, args, named, result)

    def _reduce(self, function: Any, named: Any) -> Any:
        if named.pop("out", None) is not None or set(named) - {"axis", "dtype", "keepdims"}:
            raise Untraceable
        named = {name: value for name, value in named.items() if value is not None}
        named.setdefault("axis", None)
        result = function.reduce(self._value, **named)
        return self.tape.emit("reduce", function, (self,), named, result)

    def __array_ufunc__(
        self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **named: Any
    ) -> Any:
        if ufunc.nout != 1 or method not in ("__call__", "reduce"):
            raise Untraceable
        if method == "reduce":
            return inputs[0]._reduce(ufunc, {**dict(zip(("axis", "dtype"), inputs[1:])), **named})
        if named:
            raise Untraceable
        into = None if out is None else out[0]
        if into is None or (type(into) is Symbol and into.scalar):
            values = values_of(inputs)
            result = ufunc(*values)
            if ufunc is numpy.matmul and _dots(values[0], values[1], result):
                return self.tape.emit("dot", ndarray.dot, inputs, {}, result)
            return self.tape.emit(
                "ufunc", ufunc, _converted(ufunc, inputs, result.shape), {}, result
            )
        if type(into) is not Symbol:
            raise Untraceable
        ufunc(*values_of(inputs), out=into._value)
        return self.tape.emit("ufunc", ufunc, _converted(ufunc, inputs, into.shape), {}, None, into)

    def __array_function__(self, function: Any, types: Any, args: Any, named: Any) -> Any:
        if function is matrix_product:
            xp, a, b, _, row = args
            given = (a, b) if row is None else (a, b, row)
            result = matrix_product(xp, *values_of((a, b)), None, values_of(row))
            return self.tape.emit("product", function, given, {}, result)
        if function not in _FUNCTIONS or named.get("out") is not None:
            raise Untraceable(function)
        result = function(*values_of(args), **values_of(named))
        return self.tape.emit("call", function, args, named, result)

    def __pow__(self, other: Any) -> Any:
        # NumPy takes a square or a root for some exponents, which the universal function does not.
        values = values_of((self, other))
        return self.tape.emit("call", operator.pow, (self, other), {}, operator.pow(*values))

    __rpow__ = __ipow__ = _untraceable

    def __getitem__(self, index: Any) -> Any:
        for part in index if type(index) is tuple else (index,):
            if isinstance(part, (bool, list)) or str(getattr(part, "dtype", "")) == "bool":
                raise Untraceable
        result = self._value[values_of(index)]
        return self.tape.emit("call", operator.getitem, (self, index), {}, result)

    def __setitem__(self, index: Any, value: Any) -> None:
        for part in index if type(index) is tuple else (index,):
            if isinstance(part, (bool, list)) or str(getattr(part, "dtype", "")) == "bool":
                raise Untraceable
        self._value[values_of(index)] = values_of(value)
        self.tape.emit("change", operator.setitem, (self, index, value), {}, None, self)


_METHODS = frozenset(
    {
        "astype", "copy", "reshape", "transpose", "swapaxes", "squeeze", "ravel", "flatten",
        "view", "diagonal", "repeat", "clip", "argmax", "argmin", "argsort", "cumsum", "cumprod",
        "round", "conj", "conjugate", "dot",
    }
)  # fmt: skip
_ATTRIBUTES: dict[str, Any] = {
    name: operator.attrgetter(name) for name in ("T", "mT", "real", "imag")
}
_OF_SUM = ("axis", "dtype", "out", "keepdims")
_OF_EXTREMES = ("axis", "out", "keepdims")
_REDUCTIONS = {
    "sum": (numpy.add, _OF_SUM),
    "prod": (numpy.multiply, _OF_SUM),
    "max": (numpy.maximum, _OF_EXTREMES),
    "min": (numpy.minimum, _OF_EXTREMES),
    "all": (numpy.logical_and, _OF_EXTREMES),
    "any": (numpy.logical_or, _OF_EXTREMES),
}
_FUNCTIONS = frozenset(
    {
        numpy.where, numpy.concatenate, numpy.stack, numpy.broadcast_to, numpy.expand_dims,
        numpy.moveaxis, numpy.swapaxes, numpy.transpose, numpy.reshape, numpy.zeros_like,
        numpy.ones_like, numpy.empty_like, numpy.full_like, numpy.squeeze, numpy.flip,
        numpy.roll, numpy.tile, numpy.repeat, numpy.diagonal, numpy.tril, numpy.triu,
        numpy.cumsum, numpy.argmax, numpy.argmin, numpy.argsort, numpy.sort, numpy.real,
        numpy.imag, numpy.ravel, numpy.copy,
    }
)  # fmt: skip


def _converted(ufunc: Any, inputs: Any, shape: Any) -> Any:
    """Numbers, and arrays of one number, as arrays without dimensions: NumPy takes them faster."""
    symbols = [value for value in inputs if type(value) is Symbol]
    dtypes = {value.dtype for value in symbols}
    if ufunc.signature is not None or not any(value.shape == shape for value in symbols):
        return inputs
    found = []
    for value in inputs:
        if type(value) is ndarray and value.size and not any(value.strides):
            value = value[(0,) * value.ndim]
            value = numpy.asarray(value)
        elif type(value) in (int, float) and len(dtypes) == 1 and abs(value) < 1e4:
            (dtype,) = dtypes
            value = numpy.asarray(value, dtype) if dtype.kind == "f" else value
        found.append(value)
    return tuple(found)


def _dots(left: Any, right: Any, result: Any) -> bool:
    """Whether a small product of matrices may be left to `dot`, which starts faster."""
    if not (left.ndim == right.ndim == 2 and left.dtype is right.dtype and left.size):
        return False
    contiguous = all(v.flags.c_contiguous or v.flags.f_contiguous for v in (left, right))
    if not contiguous or left.dtype.char not in "fd" or min(*left.shape, *right.shape) < 2:
        return False
    if left.size * right.shape[1] > SMALL_PRODUCT or not result.flags.c_contiguous:
        return False
    return bool(left.dot(right).tobytes() == result.tobytes())


def values_of(tree: Any) -> Any:
    """The arrays that stand in for the Symbols of a tree."""
    if type(tree) is Symbol:
        return tree._value
    if type(tree) is list or isinstance(tree, tuple):
        return type(tree)(map(values_of, tree))
    if type(tree) is dict:
        return {name: values_of(value) for name, value in tree.items()}
    return tree


def _constant(value: Any) -> Any:
    """An argument as an instruction keeps it: arrays that no Symbol stands for are constants."""
    if type(value) in (tuple, list):
        return type(value)(map(_constant, value))
    if type(value) is ndarray:
        # The copy has the same layout: that of results, and the order of sums, depend on it.
        once = tuple(slice(0, 1) if stride == 0 else slice(None) for stride in value.strides)
        if value[once].nbytes > LARGEST_CONSTANT or min(value.strides, default=0) < 0:
            raise Untraceable
        return numpy.broadcast_to(value[once].copy(order="K"), value.shape)
    return value


def _same(result: Any, source: Symbol) -> bool:
    """Whether a view shows the very array that it was taken of."""
    return (
        result.dtype is source.dtype
        and result.shape == source.shape
        and result.strides == source.strides
        and result.ctypes.data == source._value.ctypes.data
    )


def _bottom(array: Any) -> Any:
    while type(array.base) is ndarray:
        array = array.base
    return array


def stand_in(shape: Any, dtype: Any, strides: Any) -> Any:
    """An array of this shape and layout, with numbers of no meaning that make no trouble."""
    first = last = 0
    for length, stride in zip(shape, strides, strict=True):
        reach = max(length - 1, 0) * stride
        first, last = first + min(reach, 0), last + max(reach, 0)
    count = (last - first) // dtype.itemsize + 1
    numbers = numpy.zeros(count + 1, dtype)
    if dtype.kind in "fc":
        few = numbers[: 1 << 14]
        few[...] = numpy.sin(1 + numpy.arange(len(few)))
    buffer = numbers.view(numpy.uint8)[: (count * dtype.itemsize) or None]
    return ndarray(shape, dtype, buffer, -first, strides)
