"""Checking gradients against finite differences: the full Jacobian, or one random projection.

Complex numbers are treated as pairs of reals throughout: with torch's convention the gradient of
a complex input, for the cotangent c, is the real gradient of Re(conj(c) * output).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy

from minigrad.autograd.backward import grad
from minigrad.backend import backend_of, device_of, to_numpy
from minigrad.errors import ArgumentError
from minigrad.graph import Traced, wrap
from minigrad.modes import enable_grad
from minigrad.tensor import Tensor

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]

Array = numpy.ndarray[Any, Any]


class GradcheckError(RuntimeError):
    """A gradient differs from the finite difference."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    fast_mode: bool = False,
) -> bool:
    """Whether the gradients of `func` at `inputs` equal central differences of step `eps`.

    Checks every entry of the Jacobian, or with `fast_mode` one random projection of it. Inputs
    that require a gradient should be float64 or complex128. A mismatch raises GradcheckError with
    the input, the entry, both numbers and the likeliest cause (or returns False without
    `raise_exception`). ArgumentError if no input requires a gradient.

    >>> import minigrad
    >>> x = minigrad.tensor([0.5, 2.0], dtype=minigrad.float64, requires_grad=True)
    >>> gradcheck(minigrad.sin, x)
    True
    """
    arguments = (inputs,) if isinstance(inputs, Traced) else tuple(inputs)
    check = _Check(func, arguments, eps, atol, rtol)
    try:
        if fast_mode:
            check.projection()
        else:
            check.jacobian()
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    fast_mode: bool = False,
) -> bool:
    """Whether the second derivatives of `func` equal differences of its first.

    Checks the gradients, as functions of the inputs and of the cotangents `grad_outputs` (random
    where none are given), with `gradcheck`.
    """
    arguments = (inputs,) if isinstance(inputs, Traced) else tuple(inputs)
    places = _differentiable(arguments)
    with enable_grad():
        outputs = _outputs(func(*arguments))
    if grad_outputs is None:
        generator = numpy.random.default_rng(0)
        cotangents = [_cotangent(generator, out) for out in outputs]
    else:
        given = (grad_outputs,) if isinstance(grad_outputs, Traced) else tuple(grad_outputs)
        cotangents = [g.detach().requires_grad_() for g in given]
    count = len(arguments)

    def first(*values: Any) -> tuple[Any, ...]:
        point, seeds = values[:count], values[count:]
        with enable_grad():
            results = _outputs(func(*point))
            connected = [(r, s) for r, s in zip(results, seeds, strict=True) if r.requires_grad]
            found = grad(
                [r for r, _ in connected],
                [point[i] for i in places],
                [s for _, s in connected],
                create_graph=True,
                allow_unused=True,
            )
        return tuple(g for g in found if g is not None and g.requires_grad)

    return gradcheck(
        first,
        (*arguments, *cotangents),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        fast_mode=fast_mode,
    )


def _differentiable(arguments: tuple[Any, ...]) -> list[int]:
    places = [i for i, a in enumerate(arguments) if isinstance(a, Traced) and a._node is not None]
    if not places:
        raise ArgumentError(
            "gradcheck(): no input requires a gradient; create one with requires_grad=True"
        )
    return places


def _outputs(results: Any) -> list[Any]:
    """The floating and complex Tensors among what a function returned."""
    if isinstance(results, Traced):
        results = (results,)
    return [r for r in results if isinstance(r, Traced) and r._array.dtype.kind in "fc"]


def _cotangent(generator: numpy.random.Generator, like: Any) -> Any:
    array = like._array
    values = generator.standard_normal(array.shape).astype(array.dtype)
    if array.dtype.kind == "c":
        values = values + 1j * generator.standard_normal(array.shape).astype(array.dtype)
    raw = backend_of(array).from_numpy(numpy.asarray(values), device_of(array))
    return wrap(like, raw).requires_grad_()


def _reals(values: Any) -> Array:
    """The elements as one real vector; a complex element gives two."""
    flat = numpy.ascontiguousarray(to_numpy(values)).reshape(-1)
    if flat.dtype.kind == "c":
        return flat.view(flat.real.dtype).astype(numpy.float64)
    return flat.astype(numpy.float64)


class _Check:
    """One function at one point: its values nearby and its gradients there."""

    def __init__(
        self, func: Callable[..., Any], arguments: tuple[Any, ...], eps: float, atol: float,
        rtol: float,
    ) -> None:  # fmt: skip
        self.func = func
        self.arguments = arguments
        self.places = _differentiable(arguments)
        self.eps, self.atol, self.rtol = eps, atol, rtol
        self.note = ""
        narrow = [i for i in self.places if arguments[i]._array.dtype.itemsize < 8 or
                  arguments[i]._array.dtype == numpy.complex64]  # fmt: skip
        if narrow:
            self.note = (
                f"inputs[{narrow[0]}] is {arguments[narrow[0]]._array.dtype}, too coarse for a "
                f"step of {eps}; use float64 or complex128"
            )

    def evaluate(self, place: int, values: Array) -> Array:
        """All outputs as one real vector, with one input replaced by real-vector values."""
        point = []
        for position, argument in enumerate(self.arguments):
            if isinstance(argument, Traced):
                array = argument._array
                if position == place:
                    array = _from_reals(values, array)
                fresh = wrap(argument, array.copy())
                if position in self.places:
                    fresh.requires_grad_()
                point.append(fresh)
            else:
                point.append(argument)
        with enable_grad():
            outputs = _outputs(self.func(*point))
        if not outputs:
            raise ArgumentError("gradcheck(): the function returned no floating Tensor")
        return numpy.concatenate([_reals(out._array) for out in outputs])

    def analytic(self) -> tuple[list[Any], Callable[[Array], list[Array]]]:
        """The outputs at the point, and the map from a real cotangent to the inputs' gradients."""
        with enable_grad():
            outputs = _outputs(self.func(*self.arguments))
        roots = [out for out in outputs if out.requires_grad]
        inputs = [self.arguments[i] for i in self.places]

        def pull(vector: Array) -> list[Array]:
            seeds, start = [], 0
            for out in outputs:
                width = out._array.size * (2 if out._array.dtype.kind == "c" else 1)
                raw = _from_reals(vector[start : start + width], out._array)
                start += width
                if out.requires_grad:
                    seeds.append(wrap(out, raw))
            found: Sequence[Any] = [None] * len(inputs)
            if roots:
                found = grad(roots, inputs, seeds, retain_graph=True, allow_unused=True)
            return [
                _reals(x._array) * 0 if g is None else _reals(g._array)
                for x, g in zip(inputs, found, strict=True)
            ]

        return outputs, pull

    def jacobian(self) -> None:
        """Compare every entry."""
        outputs, pull = self.analytic()
        total = sum(_reals(out._array).size for out in outputs)
        rows = [pull(row) for row in numpy.eye(total)]
        for order, place in enumerate(self.places):
            point = _reals(self.arguments[place]._array)
            exact = numpy.array([row[order] for row in rows]).reshape(total, point.size)
            for column in range(point.size):
                step = numpy.zeros(point.size)
                step[column] = self.eps
                rise = self.evaluate(place, point + step) - self.evaluate(place, point - step)
                numeric = rise / (2 * self.eps)
                wrong = ~numpy.isclose(
                    exact[:, column], numeric, rtol=self.rtol, atol=self.atol, equal_nan=True
                )
                if wrong.any():
                    row = int(numpy.argmax(wrong))
                    self.fail(place, column, row, numeric[row], exact[row, column], exact)

    def projection(self) -> None:
        """Compare one random projection for each input."""
        outputs, pull = self.analytic()
        generator = numpy.random.default_rng(0)
        total = sum(_reals(out._array).size for out in outputs)
        seed = generator.standard_normal(total)
        for place, exact in zip(self.places, pull(seed), strict=True):
            point = _reals(self.arguments[place]._array)
            direction = generator.standard_normal(point.size)
            step = self.eps * direction
            rise = self.evaluate(place, point + step) - self.evaluate(place, point - step)
            numeric = float(seed @ rise) / (2 * self.eps)
            slope = float(exact @ direction)
            # A sum of many entries carries the sum of their tolerances.
            scale = max(1.0, float(numpy.abs(exact) @ numpy.abs(direction)) ** 0.5)
            if not numpy.isclose(slope, numeric, rtol=self.rtol, atol=self.atol * scale):
                raise GradcheckError(
                    f"gradient of inputs[{place}]: along a random direction the finite difference "
                    f"is {numeric:.8g} and the gradient gives {slope:.8g}; "
                    f"{self.note or 'run gradcheck without fast_mode to see which entry differs'}"
                )

    def fail(
        self, place: int, column: int, row: int, numeric: float, exact: float, jacobian: Array
    ) -> None:
        """Raise with the entry, both numbers and the likeliest cause."""
        array = self.arguments[place]._array
        parts = 2 if array.dtype.kind == "c" else 1
        entry = tuple(int(i) for i in numpy.unravel_index(column // parts, array.shape))
        value = to_numpy(array)[entry]
        part = "" if parts == 1 else (" (real part)", " (imaginary part)")[column % 2]
        raise GradcheckError(
            f"gradient of inputs[{place}]{list(array.shape)} at entry {entry}{part} = {value}: for "
            f"output element {row} the finite difference is {numeric:.8g} and the gradient gives "
            f"{exact:.8g}; likeliest cause: "
            f"{self.note or self.cause(place, column, row, numeric, exact, jacobian)}"
        )

    def cause(
        self, place: int, column: int, row: int, numeric: float, exact: float, jacobian: Array
    ) -> str:
        """The likeliest reason for a wrong entry."""
        point = _reals(self.arguments[place]._array)
        step = numpy.zeros(point.size)
        step[column] = self.eps
        here = self.evaluate(place, point)[row]
        right = (self.evaluate(place, point + step)[row] - here) / self.eps
        left = (here - self.evaluate(place, point - step)[row]) / self.eps
        if abs(right - left) > 10 * (self.atol + self.rtol * abs(numeric)):
            return (
                f"the function has a kink or a jump here (slope {left:.6g} on the left, "
                f"{right:.6g} on the right); move the input away from it"
            )
        if not numpy.isfinite(exact):
            return "the gradient is not finite; the rule divides by zero or overflows"
        if not jacobian.any():
            return "the gradient is zero everywhere; the input was detached inside the function"
        if exact == 0:
            return "a term of the gradient is missing"
        ratio = exact / numeric if numeric else 0.0
        if abs(ratio + 1) < 1e-3:
            return "the gradient has the wrong sign"
        return f"the gradient is {ratio:.6g} times what it should be; a wrong factor or term"


def _from_reals(vector: Array, like: Any) -> Any:
    """The array of `like`'s shape, dtype and device whose real vector this is."""
    dtype = like.dtype
    if dtype.kind == "c":
        values = numpy.ascontiguousarray(vector).view(numpy.complex128)
    else:
        values = vector
    values = values.reshape(like.shape).astype(dtype)
    return backend_of(like).from_numpy(values, device_of(like))
