"""Functions of elements under NumPy's rules for dtypes, which NumPy itself is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy

from minigrad.graph import Traced
from minigrad.numpy.base import (
    Base,
    delivered,
    dtype_of,
    lift,
    made,
    operand,
    refuse_gradient,
)
from minigrad.ops.promotion import convert

_WEAK = (int, float, complex)


@lru_cache(maxsize=4096)
def loop(function: Any, dtype: Any, *kinds: Any) -> tuple[Any, ...]:
    """The dtypes in which NumPy would compute: those of the operands, then of the results.

    A kind is a dtype, or `int`, `float` or `complex` for a Python number. Raises TypeError where
    NumPy has no such function.
    """
    results = (None,) * function.nout
    options = {}
    if dtype is not None:
        options["signature"] = (*(None,) * function.nin, *(dtype,) * function.nout)
    found = function.resolve_dtypes((*kinds, *results), **options)
    return tuple(dtype_of(one, function.__name__) for one in found)


class ufunc:
    """A function of elements: what `numpy.ufunc` is, over an operation of minigrad.

    `source` is NumPy's own, which says what dtypes go in and come out; `operation` computes, on
    arrays of those dtypes; `weak` that it takes a Python number for one of two operands.
    Without an operation there is no derivative, and NumPy's own function computes.
    """

    def __init__(
        self,
        source: Any,
        operation: Callable[..., Any] | None = None,
        *,
        weak: bool = False,
        compares: bool = False,
        methods: dict[str, Callable[..., Any]] | None = None,
    ) -> None:
        self.source = source
        self.nin: int = source.nin
        self.nout: int = source.nout
        self.nargs: int = source.nargs
        self.identity = source.identity
        self.operation = self._by_numpy if operation is None else operation
        self.weak = weak
        self.compares = compares
        self.methods = methods or {}
        self.__name__ = self.__qualname__ = source.__name__
        self.__doc__ = f"`numpy.{source.__name__}` of arrays that carry gradients."
        # Dtypes that both operands may share so that nothing needs to be converted.
        self.direct: set[Any] = set()

    def __repr__(self) -> str:
        return f"<ufunc '{self.__name__}'>"

    def _by_numpy(self, *arrays: Any) -> Any:
        """NumPy's own function, which has no derivative."""
        floats = any(array._array.dtype.kind in "fc" for array in arrays)
        found = self.source(*(array._array for array in arrays))
        if floats and getattr(found, "dtype", numpy.dtype(bool)).kind in "fc":
            refuse_gradient(self.__name__, *arrays)
        return made(found)

    def _computed(self, values: tuple[Any, ...], dtype: Any) -> Any:
        """The results for operands of any kind."""
        dtype = None if dtype is None else dtype_of(dtype, self.__name__)
        if all(type(value) in _WEAK for value in values):
            values = tuple(map(lift, values))
        values = tuple(v if type(v) in _WEAK else lift(v) for v in values)
        kinds: list[Any] = [v._array.dtype if isinstance(v, Traced) else type(v) for v in values]
        found = loop(self.source, dtype, *kinds)
        like = next(value for value in values if isinstance(value, Traced))
        try:
            operands = [operand(v, d, like, self.weak) for v, d in zip(values, found)]
        except OverflowError:
            if not self.compares:
                raise
            return self._beyond(values)
        result = self.operation(*operands)
        if self.nout > 1:
            return tuple(map(convert, result, found[self.nin :]))
        wanted = found[-1]
        if result._array.dtype is not wanted:
            return convert(result, wanted)
        if dtype is None and set(kinds) == {found[0]} and len(set(found[: self.nin])) == 1:
            self.direct.add(found[0])
        return result

    def _beyond(self, values: tuple[Any, ...]) -> Any:
        """A comparison with an integer beyond the range of the array's dtype."""
        return made(
            self.source(
                *(
                    numpy.zeros(value._array.shape) if isinstance(value, Traced) else
                    math.copysign(math.inf, value)
                    for value in values
                )
            )
        )  # fmt: skip

    def _method(self, name: str) -> Callable[..., Any]:
        found = self.methods.get(name)
        if found is None:
            raise TypeError(
                f"numpy.{self.__name__}.{name}() has no counterpart in minigrad.numpy; known for "
                f"it are: {', '.join(['__call__', 'outer', *self.methods])}"
            )
        return found

    def reduce(self, array: Any, axis: Any = 0, *args: Any, **kwargs: Any) -> Any:
        """The function applied along an axis, such as `sum` for `add`."""
        return self._method("reduce")(array, axis, *args, **kwargs)

    def accumulate(self, array: Any, axis: Any = 0, *args: Any, **kwargs: Any) -> Any:
        """The running results along an axis, such as `cumsum` for `add`."""
        return self._method("accumulate")(array, axis, *args, **kwargs)

    def reduceat(self, *args: Any, **kwargs: Any) -> Any:
        """Raises TypeError: it has no counterpart."""
        return self._method("reduceat")(*args, **kwargs)

    def at(self, *args: Any, **kwargs: Any) -> Any:
        """Raises TypeError: it has no counterpart; write x[index] = ..."""
        return self._method("at")(*args, **kwargs)

    def outer(self, A: Any, B: Any, /, **kwargs: Any) -> Any:
        """The function of every pair of an element of `A` and one of `B`."""
        if self.nin != 2:
            raise ValueError(f"numpy.{self.__name__}.outer() needs a function of two operands")
        A, B = lift(A), lift(B)
        return self(A[(..., *(None,) * B.ndim)], B, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError


class unary(ufunc):
    """A function of the elements of one array."""

    def __call__(
        self, x: Any, /, out: Any = None, *, where: Any = True, dtype: Any = None, **kwargs: Any
    ) -> Any:
        _only_casting(self, kwargs)
        plain = out is None and where is True and dtype is None
        if plain and isinstance(x, Base) and x._array.dtype in self.direct:
            return self.operation(x)
        result = self._computed((x,), dtype)
        return result if plain else delivered(result, out, where, self.__name__)


class binary(ufunc):
    """A function of the elements of two arrays, broadcast against each other."""

    def __call__(
        self,
        x1: Any,
        x2: Any,
        /,
        out: Any = None,
        *,
        where: Any = True,
        dtype: Any = None,
        **kwargs: Any,
    ) -> Any:
        if kwargs:
            _only_casting(self, kwargs)
        plain = out is None and where is True and dtype is None
        if plain and isinstance(x1, Base) and isinstance(x2, Base):
            kind = x1._array.dtype
            if kind is x2._array.dtype and kind in self.direct:
                return self.operation(x1, x2)
        result = self._computed((x1, x2), dtype)
        return result if plain else delivered(result, out, where, self.__name__)


def _only_casting(function: ufunc, given: dict[str, Any]) -> None:
    """Refuse keywords that change what is computed; `order` and `subok` say how it is stored."""
    unknown = set(given) - {"order", "subok"}
    if unknown and given.get("casting", "same_kind") == "same_kind":
        unknown -= {"casting"}
    if unknown:
        raise TypeError(
            f"{function.__name__}(): the keywords {sorted(unknown)} are not available; convert "
            f"with astype() instead"
        )
