"""SciPy's names of special functions, over minigrad's; integers become float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad import special as torch_like
from minigrad.numpy.base import axes_of, floating, like_kinds
from minigrad.numpy.elementwise import exp as exp
from minigrad.numpy.elementwise import exp2 as exp2
from minigrad.numpy.elementwise import expm1 as expm1
from minigrad.numpy.elementwise import log as log
from minigrad.numpy.elementwise import log1p as log1p
from minigrad.numpy.parts import round as round
from minigrad.numpy.parts import sinc as sinc

_SAME = {
    "erf": "erf", "erfc": "erfc", "erfcx": "erfcx", "erfinv": "erfinv", "expit": "expit",
    "logit": "logit", "entr": "entr", "ndtr": "ndtr", "log_ndtr": "log_ndtr", "ndtri": "ndtri",
    "gammaln": "gammaln", "loggamma": "gammaln", "digamma": "digamma", "psi": "psi", "i0": "i0",
    "i0e": "i0e", "i1": "i1", "i1e": "i1e", "j0": "bessel_j0", "j1": "bessel_j1",
    "y0": "bessel_y0", "y1": "bessel_y1", "k0": "modified_bessel_k0", "k1": "modified_bessel_k1",
    "k0e": "scaled_modified_bessel_k0", "k1e": "scaled_modified_bessel_k1",
    "log_expit": "logsigmoid",
}  # fmt: skip
_PAIRS = {
    "xlogy": "xlogy", "xlog1py": "xlog1py", "zeta": "zeta", "gammainc": "gammainc",
    "gammaincc": "gammaincc",
}  # fmt: skip


def _one(operation: Callable[..., Any], name: str) -> Callable[..., Any]:
    def function(x: Any, /) -> Any:
        return operation(floating(x))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = operation.__doc__
    return function


def _two(operation: Callable[..., Any], name: str) -> Callable[..., Any]:
    def function(x: Any, y: Any, /) -> Any:
        x, y = like_kinds(x, y)
        return operation(floating(x), floating(y))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = operation.__doc__
    return function


def logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """The logarithm of the sum of exponentials over axes, without overflow."""
    if return_sign:
        raise TypeError("logsumexp(): return_sign= is not available; give complex numbers instead")
    a = floating(a)
    if b is not None:
        a = a + log(b)
    return torch_like.logsumexp(a, axes_of(axis, a.ndim) or None, keepdims)


def softmax(x: Any, axis: Any = None) -> Any:
    """Exponentials that add up to 1 over axes."""
    x = floating(x)
    if isinstance(axis, int):
        return torch_like.softmax(x, axis)
    axes = axes_of(axis, x.ndim)
    return exp(x - torch_like.logsumexp(x, axes, True))


def log_softmax(x: Any, axis: Any = None) -> Any:
    """The logarithm of `softmax`."""
    x = floating(x)
    if isinstance(axis, int):
        return torch_like.log_softmax(x, axis)
    return x - torch_like.logsumexp(x, axes_of(axis, x.ndim), True)


def __getattr__(name: str) -> Any:
    """The functions that minigrad.special has, under SciPy's names."""
    if name in _SAME and hasattr(torch_like, _SAME[name]):
        value: Any = _one(getattr(torch_like, _SAME[name]), name)
    elif name in _PAIRS and hasattr(torch_like, _PAIRS[name]):
        value = _two(getattr(torch_like, _PAIRS[name]), name)
    else:
        raise AttributeError(f"minigrad.numpy.special has no {name!r}")
    globals()[name] = value
    return value
