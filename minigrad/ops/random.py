"""Random tensors, drawn from a generator: the same numbers for a seed on every device."""

from __future__ import annotations

import math
from typing import Any

from minigrad import dtypes
from minigrad.backend import backend_of
from minigrad.backend import random as generators
from minigrad.backend.random import Generator, initial_seed, manual_seed, seed
from minigrad.dtypes import as_dtype, get_default_dtype
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Traced, primitive, wrap
from minigrad.ops.creation import backend_at, made
from minigrad.ops.dims import sizes
from minigrad.ops.expand import broadcast_shapes
from minigrad.ops.select import zero

__all__ = [
    "Generator", "bernoulli", "get_rng_state", "initial_seed", "manual_seed", "multinomial",
    "normal", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm",
    "seed", "set_rng_state",
]  # fmt: skip

_MANTISSA = {"float16": 11, "float32": 24, "float64": 53}


def generator_or_default(generator: Any) -> Generator:
    """The generator that was given, or the one that all draws share."""
    if generator is None:
        return generators.default_generator
    if not isinstance(generator, Generator):
        raise TypeError(
            f"argument 'generator' must be a minigrad.Generator, not {type(generator).__name__}"
        )
    return generator


def _size(operation: str, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[int, ...]:
    """The sizes of a tensor to draw; torch's arguments about memory layout change no values."""
    if "size" in named:
        given = (named.pop("size"),)
    for name in ("layout", "memory_format", "pin_memory"):
        named.pop(name, None)
    if named:
        raise TypeError(f"{operation}(): unexpected arguments {sorted(named)}")
    wanted = sizes(operation, given)
    if any(length < 0 for length in wanted):
        raise ArgumentError(
            f"{operation}(): argument 'size' is {list(wanted)}; a size cannot be below zero"
        )
    return wanted


def _floating(operation: str, dtype: Any) -> Any:
    kind = get_default_dtype() if dtype is None else as_dtype(dtype, operation)
    if kind.kind not in "fc":
        raise DtypeError(
            f"{operation}(): argument 'dtype' must be floating or complex, not {kind}; for "
            f"integers use randint()"
        )
    return kind


def rand(
    *size: Any,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **named: Any,
) -> Any:
    """Uniform random numbers in [0, 1).

    >>> import minigrad
    >>> minigrad.rand(2, 3).shape
    minigrad.Size([2, 3])
    """
    wanted, kind = _size("rand", size, named), _floating("rand", dtype)
    array = generator_or_default(generator).uniform(backend_at(device).xp, wanted, kind)
    return made(array, device, requires_grad)


def randn(
    *size: Any,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **named: Any,
) -> Any:
    """Normal random numbers of mean 0 and variance 1."""
    wanted, kind = _size("randn", size, named), _floating("randn", dtype)
    array = generator_or_default(generator).normal(backend_at(device).xp, wanted, kind)
    return made(array, device, requires_grad)


def randint(
    low: Any,
    high: Any = None,
    size: Any = None,
    *,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **named: Any,
) -> Any:
    """Uniform random integers in [low, high), or [0, high) where one bound is given.

    `randint(10, (2, 3))`, `randint(-5, 5, (2, 3))`. int64 unless another dtype is given.
    """
    if isinstance(high, (tuple, list)):
        high, size = None, high
    if high is None:
        low, high = 0, low
    if size is None:
        raise TypeError("randint(): argument 'size' is missing; for example randint(10, (2, 3))")
    wanted = _size("randint", (size,), named)
    kind = dtypes.int64 if dtype is None else as_dtype(dtype, "randint")
    array = _integers("randint", generator, backend_at(device).xp, low, high, wanted, kind)
    return made(array, device, requires_grad)


def _integers(
    operation: str, generator: Any, xp: Any, low: Any, high: Any, size: tuple[int, ...], dtype: Any
) -> Any:
    low, high = (getattr(value, "_array", value) for value in (low, high))
    low, high = int(low), int(high)
    if low >= high:
        raise ArgumentError(
            f"{operation}(): argument 'low' is {low}, which is not below 'high' {high}"
        )
    return generator_or_default(generator).integers(xp, low, high, size, dtype)


def randperm(
    n: int,
    *,
    generator: Any = None,
    dtype: Any = "int64",
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """The integers from 0 to n - 1 in random order."""
    if n < 0:
        raise ArgumentError(f"randperm(): argument 'n' is {n}; it cannot be below zero")
    array = generator_or_default(generator).permutation(backend_at(device).xp, n)
    return made(array.astype(as_dtype(dtype, "randperm"), copy=False), device, requires_grad)


def _like(operation: str, input: Any, dtype: Any, device: Any) -> tuple[Any, tuple[int, ...], Any]:
    """The array module, shape and place of a tensor that is to be like another."""
    raw = input._array if isinstance(input, Traced) else input
    if not hasattr(raw, "dtype"):
        raise TypeError(
            f"{operation}(): argument 'input' must be a Tensor, not {type(input).__name__}"
        )
    backend = backend_of(raw) if device is None else backend_at(device)
    place = str(backend.device_of(raw)) if device is None else device
    return backend.xp, tuple(raw.shape), place


def rand_like(
    input: Any,
    *,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """Uniform random numbers in [0, 1), in the input's shape, dtype and device."""
    xp, size, place = _like("rand_like", input, dtype, device)
    kind = _floating("rand_like", input.dtype if dtype is None else dtype)
    return made(generator_or_default(generator).uniform(xp, size, kind), place, requires_grad)


def randn_like(
    input: Any,
    *,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """Normal random numbers of mean 0 and variance 1, in the input's shape, dtype and device."""
    xp, size, place = _like("randn_like", input, dtype, device)
    kind = _floating("randn_like", input.dtype if dtype is None else dtype)
    return made(generator_or_default(generator).normal(xp, size, kind), place, requires_grad)


def randint_like(
    input: Any,
    low: Any = None,
    high: Any = None,
    *,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """Uniform random integers in [low, high), or [0, high), in the input's shape and dtype."""
    low, high = (0, low if high is None else high) if low is None or high is None else (low, high)
    xp, size, place = _like("randint_like", input, dtype, device)
    kind = input.dtype if dtype is None else as_dtype(dtype, "randint_like")
    array = _integers("randint_like", generator, xp, low, high, size, kind)
    return made(array, place, requires_grad)


@primitive(input=lambda g: zero(g))
def _bernoulli(xp: Any, input: Any, *, generator: Any, p: Any) -> Any:
    probability = input if p is None else p
    return generator.bernoulli(xp, probability, input.shape, input.dtype)


def bernoulli(input: Any, p: Any = None, *, generator: Any = None) -> Any:
    """Ones with the probabilities that the input holds, or with `p`, and zeros elsewhere.

    Raises ArgumentError for a probability outside [0, 1].
    """
    if p is None and input.dtype.kind != "f":
        raise DtypeError(
            f"bernoulli(): argument 'input' has dtype {input.dtype}; probabilities must be "
            f"floating, for example input.float()"
        )
    probability = p._array if isinstance(p, Traced) else p
    return _bernoulli(input, generator=generator_or_default(generator), p=probability)


def multinomial(
    input: Any, num_samples: int, replacement: bool = False, *, generator: Any = None
) -> Any:
    """Categories drawn with the weights in each row: int64 [num_samples] or [rows, num_samples].

    Raises ArgumentError for weights that are negative, not finite or all zero, and where fewer
    than `num_samples` can be drawn without replacement.
    """
    raw = input._array if isinstance(input, Traced) else input
    xp = backend_of(raw).xp
    drawn = generator_or_default(generator).multinomial(xp, raw, num_samples, replacement)
    return wrap(input, drawn) if isinstance(input, Traced) else drawn


@primitive(mean=lambda g: zero(g), std=lambda g: zero(g))
def _normal(xp: Any, mean: Any, std: Any, *, generator: Any, size: tuple[int, ...], to: Any) -> Any:
    values = generator.normal(xp, size, to)
    values *= std
    values += mean
    return values


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Normal random numbers: of one mean and deviation in a given size, or of those in tensors.

    Raises ArgumentError for a deviation below zero.
    """
    tensors = [value for value in (mean, std) if isinstance(value, Traced)]
    if not tensors:
        if size is None:
            raise TypeError("normal(): argument 'size' is missing; or give tensors 'mean' or 'std'")
        wanted, kind = _size("normal", (size,), {}), _floating("normal", dtype)
        xp = backend_at(device).xp
        array = generator_or_default(generator).normal(xp, wanted, kind, mean, std)
        return made(array, device, requires_grad)
    deviation = std._array if isinstance(std, Traced) else std
    if not isinstance(deviation, (int, float)) and deviation.dtype.kind == "c":
        raise DtypeError("normal(): argument 'std' must be real, it is complex")
    if isinstance(std, Traced):
        check_deviations(deviation)
    shape = broadcast_shapes(*(tensor._array.shape for tensor in tensors))
    return _normal(
        mean, std, generator=generator_or_default(generator), size=shape, to=tensors[0]._array.dtype
    )


def check_deviations(deviation: Any) -> None:
    """Raise ArgumentError for raw standard deviations below zero."""
    if bool((deviation < 0).any()):
        raise ArgumentError("normal(): argument 'std' holds a number below zero")


@primitive(input=lambda g: zero(g))
def _drawn(xp: Any, input: Any, *, draw: Any) -> Any:
    """Random numbers in place of the input's elements; no gradient goes to them."""
    return draw(xp, input.shape, input.dtype)


def normal_like(input: Any, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Any:
    """Normal random numbers in the input's shape and dtype."""
    if std < 0:
        raise ArgumentError(f"normal_(): argument 'std' is {std}, below zero")
    source = generator_or_default(generator)
    return _drawn(input, draw=lambda xp, shape, dtype: source.normal(xp, shape, dtype, mean, std))


def uniform_like(input: Any, low: float = 0.0, high: float = 1.0, *, generator: Any = None) -> Any:
    """Uniform random numbers in [low, high), in the input's shape and dtype."""
    source = generator_or_default(generator)
    return _drawn(input, draw=lambda xp, shape, dtype: source.uniform(xp, shape, dtype, low, high))


def exponential_like(input: Any, lambd: float = 1.0, *, generator: Any = None) -> Any:
    """Exponential random numbers of rate `lambd`, in the input's shape and dtype."""
    source = generator_or_default(generator)
    return _drawn(input, draw=lambda xp, shape, dtype: source.exponential(xp, shape, dtype, lambd))


def cauchy_like(
    input: Any, median: float = 0.0, sigma: float = 1.0, *, generator: Any = None
) -> Any:
    """Random numbers of the Cauchy distribution, in the input's shape and dtype."""
    if sigma <= 0:
        raise ArgumentError(f"cauchy_(): argument 'sigma' is {sigma}; it must be above zero")
    source = generator_or_default(generator)

    def draw(xp: Any, shape: Any, dtype: Any) -> Any:
        # Between the quantiles 0 and 1, both of which are infinite.
        turns = source.uniform(xp, shape, "float64", 2.0**-60, 1.0)
        return (median + sigma * xp.tan(math.pi * (turns - 0.5))).astype(dtype)

    return _drawn(input, draw=draw)


def bernoulli_like(input: Any, p: Any = 0.5, *, generator: Any = None) -> Any:
    """Ones with probability `p`, a number or a tensor, else zeros, in the input's shape."""
    return bernoulli(input, p, generator=generator)


def random_like(input: Any, low: Any = None, high: Any = None, *, generator: Any = None) -> Any:
    """Random integers in [low, high), or in [0, low); without bounds all that the dtype holds."""
    dtype = input.dtype
    if low is not None and high is None:
        low, high = 0, low
    if low is None:
        if dtype.kind == "f":
            high = 2 ** _MANTISSA[dtype.name]
        else:
            high = 2 if dtype.kind == "b" else 2 ** (8 * dtype.itemsize - (dtype.kind == "i"))
        low = 0
    return _drawn(
        input,
        draw=lambda xp, shape, kind: _integers("random_", generator, xp, low, high, shape, kind),
    )


def log_normal_like(
    input: Any, mean: float = 1.0, std: float = 2.0, *, generator: Any = None
) -> Any:
    """The exponentials of normal random numbers, in the input's shape and dtype."""
    source = generator_or_default(generator)
    return _drawn(
        input, draw=lambda xp, shape, dtype: xp.exp(source.normal(xp, shape, dtype, mean, std))
    )


def geometric_like(input: Any, p: float, *, generator: Any = None) -> Any:
    """The number of trials of probability `p` up to the first success, in the input's shape."""
    if not 0 < p < 1:
        raise ArgumentError(f"geometric_(): argument 'p' is {p}; it must be between 0 and 1")
    source = generator_or_default(generator)
    rate = -math.log1p(-p)
    return _drawn(
        input,
        draw=lambda xp, shape, dtype: xp.ceil(
            source.exponential(xp, shape, "float64", rate)
        ).astype(dtype),
    )


def get_rng_state() -> Any:
    """The default generator's seed and place in its sequence, as a uint8 Tensor."""
    return made(generators.get_rng_state())


def set_rng_state(new_state: Any) -> None:
    """Bring the default generator to a place that `get_rng_state` gave."""
    raw = new_state._array if isinstance(new_state, Traced) else new_state
    generators.set_rng_state(raw)
