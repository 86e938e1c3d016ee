"""The kernel seam: the fused functions, which of them run compiled, and how to override that.

A function runs compiled by Numba where Numba is installed (the extra `numba`), the arrays are
NumPy's in float32 or float64, and the first of them has enough elements; on other arrays, without
Numba, and until its compiled twin is there, its plain reference runs. Numba is loaded when it is
first needed; `minigrad.kernels.ready` says when twins are compiled.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

import numpy

from minigrad.backend import wide
from minigrad.errors import ArgumentError
from minigrad.kernels import (
    attention,
    convolution,
    pooling,
    products,
    ready,
    reference,
    softmaxes,
    updates,
)
from minigrad.kernels.convolution import fold, unfold
from minigrad.kernels.exponentials import exponentials, sums
from minigrad.kernels.pooling import max_pool_winners, place, window_spread, window_sum
from minigrad.kernels.ready import get_compile_mode, set_compile_mode
from minigrad.kernels.windows import in_single, output_sizes

__all__ = [
    "active",
    "adam_update",
    "attend",
    "attend_grad",
    "class_losses",
    "class_losses_grad",
    "compile_ahead",
    "convolve",
    "convolve_input_grad",
    "convolve_weight_grad",
    "exponentials",
    "fill",
    "fold",
    "get_compile_mode",
    "in_single",
    "log_softmax",
    "log_softmax_grad",
    "matrix_product",
    "max_pool",
    "max_pool_grad",
    "max_pool_winners",
    "normalise",
    "normalise_grads",
    "output_sizes",
    "place",
    "rmsprop_update",
    "run_chain",
    "set_compile_mode",
    "sgd_update",
    "softmax",
    "softmax_grad",
    "sum_rows",
    "sums",
    "take_rows",
    "twin",
    "unfold",
    "use",
    "window_spread",
    "window_sum",
]

_PLAIN = (
    exponentials,
    fold,
    max_pool_winners,
    unfold,
    window_spread,
    window_sum,
)


class Kernel:
    """A function with a plain reference and a compiled twin, chosen at each call.

    `least` is the number of elements of the first array from which the twin is faster; `chosen` is
    "reference" or "numba" where the user has decided. The twin is the function of the same name
    in the file `family` of `minigrad.kernels.compiled`, which is loaded when it is first needed. A
    twin whose results are equal bit for bit may take over smaller arrays, from `loaded` elements,
    once it is there.
    """

    def __init__(
        self, plain: Callable[..., Any], family: str, least: int, loaded: int | None = None
    ) -> None:
        self.name = plain.__name__
        self.plain = plain
        self.family = family
        self.least = least
        self.loaded = least if loaded is None else loaded
        self.chosen: str | None = None
        self._twins: dict[str, Callable[..., Any]] = {}

    def __call__(self, xp: Any, array: Any, *arguments: Any) -> Any:
        if array.size < self.least and self.chosen is None:
            return self.plain(xp, array, *arguments)
        char = array.dtype.char
        if xp is not numpy or char not in "fd" or not self.compiles():
            return self.plain(xp, array, *arguments)
        twin = self._twins.get(char)
        if twin is None:
            family = ready.twins(self.family, char, wait=self.chosen is not None)
            if family is None:
                return self.plain(xp, array, *arguments)
            twin = self._twins[char] = getattr(family, self.name)
            self.least = self.loaded
        result = twin(xp, array, *arguments)
        return self.plain(xp, array, *arguments) if result is None else result

    def compiles(self) -> bool:
        """Whether large arrays run compiled, now or as soon as the twin is there."""
        if self.chosen is None:
            return get_compile_mode() != "off" and ready.installed()
        return self.chosen == "numba" and ready.installed()


def twin(family: str, name: str, least: int) -> Callable[[Callable[..., Any]], Kernel]:
    """Declares that a plain function of raw arrays has a compiled twin: `name` in a family's file.

    For functions that live beside their operation.
    """

    def declare(plain: Callable[..., Any]) -> Kernel:
        kernel = Kernel(plain, family, least)
        kernel.name = name
        _COMPILED[name] = kernel
        return kernel

    return declare


attend = Kernel(attention.attend, "attention", least=1 << 12)
attend_grad = Kernel(attention.attend_grad, "attention", least=1 << 12)
matrix_product = Kernel(products.matrix_product, "products", least=1 << 10)
sum_rows = Kernel(reference.sum_rows, "rows", least=1 << 14)
take_rows = Kernel(reference.take_rows, "rows", least=1 << 14)
normalise = Kernel(reference.normalise, "normalise", least=1 << 14)
normalise_grads = Kernel(reference.normalise_grads, "normalise", least=1 << 14)
max_pool = Kernel(pooling.max_pool, "pooling", least=1 << 15)
max_pool_grad = Kernel(pooling.max_pool_grad, "pooling", least=1 << 13)
adam_update = Kernel(updates.adam_update, "updates", least=1 << 14, loaded=512)
sgd_update = Kernel(updates.sgd_update, "updates", least=1 << 14, loaded=4096)
rmsprop_update = Kernel(updates.rmsprop_update, "updates", least=1 << 14, loaded=512)
softmax = Kernel(softmaxes.softmax, "softmax", least=1 << 14)
softmax_grad = Kernel(softmaxes.softmax_grad, "softmax", least=1 << 14)
log_softmax = Kernel(softmaxes.log_softmax, "softmax", least=1 << 14)
log_softmax_grad = Kernel(softmaxes.log_softmax_grad, "softmax", least=1 << 14)
class_losses = Kernel(softmaxes.class_losses, "softmax", least=1 << 14)
class_losses_grad = Kernel(softmaxes.class_losses_grad, "softmax", least=1 << 14)
run_chain = Kernel(reference.run_chain, "chains", least=1 << 16)
fill = Kernel(wide.fill, "functions", least=1 << 16)
wide.fill_with(fill)
convolve = Kernel(convolution.convolve, "convolution", least=1 << 12)
convolve_input_grad = Kernel(convolution.convolve_input_grad, "convolution", least=1 << 12)
convolve_weight_grad = Kernel(convolution.convolve_weight_grad, "convolution", least=1 << 12)

_COMPILED = {
    kernel.name: kernel
    for kernel in (
        adam_update,
        attend,
        attend_grad,
        class_losses,
        class_losses_grad,
        convolve,
        convolve_input_grad,
        convolve_weight_grad,
        fill,
        log_softmax,
        log_softmax_grad,
        matrix_product,
        max_pool,
        max_pool_grad,
        normalise,
        normalise_grads,
        rmsprop_update,
        run_chain,
        sgd_update,
        softmax,
        softmax_grad,
        sum_rows,
        take_rows,
    )
}


def active() -> dict[str, str]:
    """Which implementation each fused function has on NumPy arrays: "reference" or "numba".

    >>> active()["unfold"]
    'reference'
    """
    found = {function.__name__: "reference" for function in _PLAIN}
    for name, kernel in _COMPILED.items():
        compiles = kernel.compiles() and not ready.is_refused(kernel.family)
        found[name] = "numba" if compiles else "reference"
    return dict(sorted(found.items()))


def compile_ahead(dtypes: Iterable[str] = ("float32", "float64")) -> None:
    """Compile all kernels for these dtypes now, or load them where Numba has kept them.

    Takes about a minute on a machine that has never done it, and below a second later. Raises
    ArgumentError without Numba and for another dtype; `python -m minigrad compile-kernels` does
    the same.
    """
    chars = [numpy.dtype(name).char for name in dtypes]
    if not set(chars) <= set("fd"):
        raise ArgumentError(
            f"compile_ahead(): kernels are compiled for float32 and float64, got "
            f"{', '.join(map(str, dtypes))}"
        )
    if not ready.installed():
        raise ArgumentError(
            "compile_ahead(): needs Numba; install it with pip install 'minigrad-engine[numba]'"
        )
    for family in families():
        for char in chars:
            ready.load((family, char))


def families() -> tuple[str, ...]:
    """The names of the files that hold compiled twins."""
    found: tuple[str, ...] = importlib.import_module("minigrad.kernels.compiled.samples").FAMILIES
    return found


class use:
    """Choose an implementation, from now on or in a `with` block: "reference", "numba" or "auto".

    "numba" takes the compiled twin for arrays of any size that an operation hands to the function,
    and waits until it is compiled; "auto" takes it where it is faster and there, as
    `set_compile_mode` says. Names limit the choice to those functions; without any it holds for
    all.

    Raises ArgumentError for an implementation or a function that is not there.

    >>> with use("reference"):
    ...     active()["normalise"]
    'reference'
    """

    def __init__(self, implementation: str, *names: str) -> None:
        if implementation not in ("auto", "reference", "numba"):
            raise ArgumentError(
                f"use(): argument 'implementation' must be 'auto', 'reference' or 'numba', got "
                f"{implementation!r}"
            )
        if implementation == "numba" and not ready.installed():
            raise ArgumentError(
                "use(): implementation 'numba' needs Numba; install it with "
                "pip install 'minigrad-engine[numba]'"
            )
        unknown = [name for name in names if name not in _COMPILED]
        if unknown:
            raise ArgumentError(
                f"use(): {unknown[0]!r} has no compiled implementation; these have: "
                f"{', '.join(sorted(_COMPILED))}"
            )
        kernels = [_COMPILED[name] for name in names or _COMPILED]
        self._before = [(kernel, kernel.chosen) for kernel in kernels]
        for kernel in kernels:
            kernel.chosen = None if implementation == "auto" else implementation

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for kernel, chosen in self._before:
            kernel.chosen = chosen
