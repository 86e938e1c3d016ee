"""NumPy's own functions called on a Tensor: they come here, so that no gradient is dropped.

What an operator stands for (`array * tensor` calls `numpy.multiply`) does what the Tensor's
operator does; any other function is this face's of the same name. Given plain Tensors the results
are plain Tensors, given an array of this face they are such arrays.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy

from minigrad.backend import to_numpy
from minigrad.graph import Traced
from minigrad.methods.operators import OPERATORS
from minigrad.numpy.absent import ABSENT
from minigrad.numpy.base import Base
from minigrad.numpy.ufuncs import ufunc as Ufunc
from minigrad.tensor import Tensor


def _holds(value: Any, kind: type[Any]) -> bool:
    """Whether an object of a kind is among nested arguments."""
    if isinstance(value, (tuple, list)):
        return any(_holds(part, kind) for part in value)
    if isinstance(value, dict):
        return any(_holds(part, kind) for part in value.values())
    return isinstance(value, kind)


def _recorded(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return any(map(_recorded, value))
    if isinstance(value, dict):
        return any(map(_recorded, value.values()))
    return isinstance(value, Traced) and value._node is not None


def _on_host(value: Any) -> Any:
    """Nested arguments with NumPy's arrays for Tensors."""
    if isinstance(value, (tuple, list)):
        return type(value)(map(_on_host, value))
    if isinstance(value, dict):
        return {name: _on_host(part) for name, part in value.items()}
    return to_numpy(value._array) if isinstance(value, Traced) else value


def _plain(result: Any) -> Any:
    """Results of this face as plain Tensors."""
    if isinstance(result, tuple):
        parts = map(_plain, result)
        return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
    if isinstance(result, list):
        return [_plain(part) for part in result]
    if isinstance(result, Base):
        tensor: Any = result
        tensor.__class__ = Tensor
    return result


def _called(function: Any, args: Any, kwargs: Any) -> Any:
    face = _holds(args, Base) or _holds(kwargs, Base)
    result = function(*args, **kwargs)
    out = kwargs.get("out")
    return result if face or out is not None else _plain(result)


def universal(function: Any, method: str, inputs: Any, kwargs: dict[str, Any]) -> Any:
    """What `numpy.ufunc(...)` gives for Tensors.

    Raises TypeError where minigrad has no such function and a gradient would be dropped.
    """
    operator = OPERATORS.get(function)
    if method == "__call__" and not kwargs and operator and not _holds(inputs, Base):
        return operator(*(numpy.asarray(i) if isinstance(i, list) else i for i in inputs))
    found = getattr(sys.modules["minigrad.numpy"], function.__name__, None)
    if (isinstance(found, Ufunc) and found.source is function) or function is numpy.matmul:
        call = found if method == "__call__" else getattr(found, method)
        return _called(call, inputs, kwargs)
    ours = found is not None and getattr(numpy, function.__name__, None) is function
    if ours and method == "__call__":
        return _called(found, inputs, kwargs)
    special = sys.modules["minigrad.numpy"].special
    known = getattr(special, function.__name__, None) if method == "__call__" else None
    if known is not None:
        return _called(known, inputs, kwargs)
    return _as_numpy(getattr(function, method), function.__name__, inputs, kwargs)


def function(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """What a function of NumPy gives for Tensors.

    Raises TypeError where minigrad has no such function and a gradient would be dropped.
    """
    module = func.__module__ or "numpy"
    space = sys.modules["minigrad.numpy"]
    part = module.removeprefix("numpy").strip(".").split(".")[0]
    if part in ("linalg", "fft", "random"):
        space = getattr(space, part)
    found = None if func.__name__ in ABSENT else getattr(space, func.__name__, None)
    if found is not None:
        return _called(found, args, kwargs)
    return _as_numpy(func, f"{module}.{func.__name__}", args, kwargs)


def _as_numpy(func: Any, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
    """NumPy's own result, for Tensors that need no gradient."""
    if _recorded(args) or _recorded(kwargs):
        reason = ABSENT.get(name.rpartition(".")[2], "minigrad.numpy has no such function")
        raise TypeError(
            f"{name}() was called on a tensor that requires a gradient, which it would drop: "
            f"{reason}; or pass x.detach()"
        )
    return func(*_on_host(args), **_on_host(kwargs))
