"""keras.random: draws with a seed, with a SeedGenerator, or from minigrad's own generator."""

from __future__ import annotations

from typing import Any

import minigrad
from minigrad import dtypes
from minigrad.errors import ArgumentError
from minigrad.keras.config import floatx
from minigrad.keras.ops.translate import tensor
from minigrad.nn import init
from minigrad.random import Generator

__all__ = [
    "SeedGenerator", "categorical", "dropout", "normal", "randint", "shuffle", "truncated_normal",
    "uniform",
]  # fmt: skip


class SeedGenerator:
    """A source of draws that goes on from one call to the next; without a seed minigrad's own."""

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        self.name = name or "seed_generator"
        self.initial_seed = seed
        self.generator = None if seed is None else Generator().manual_seed(seed)

    def __repr__(self) -> str:
        return f"SeedGenerator(seed={self.initial_seed})"


def _generator(seed: Any) -> Any:
    """The generator to draw from: that of the seed at its start, or minigrad's own for None."""
    if isinstance(seed, SeedGenerator):
        return seed.generator
    if seed is None:
        return None
    if not isinstance(seed, int):
        raise ArgumentError(
            f"keras.random: seed must be an integer, a SeedGenerator or None, got {seed!r}"
        )
    return Generator().manual_seed(seed)


def _empty(shape: Any, dtype: Any) -> Any:
    kind = dtypes.as_dtype(floatx() if dtype is None else dtype, "keras.random")
    return minigrad.empty(tuple(shape), dtype=kind)


def normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Normal numbers.

    >>> normal((2, 3), seed=1).shape
    minigrad.Size([2, 3])
    """
    return init.normal_(_empty(shape, dtype), mean, stddev, generator=_generator(seed))


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Normal numbers, those further than two standard deviations from the mean drawn again."""
    reach = 2 * stddev
    return init.trunc_normal_(
        _empty(shape, dtype), mean, stddev, mean - reach, mean + reach, generator=_generator(seed)
    )


def uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Numbers drawn evenly from [minval, maxval)."""
    return init.uniform_(_empty(shape, dtype), minval, maxval, generator=_generator(seed))


def randint(shape: Any, minval: int, maxval: int, dtype: Any = "int32", seed: Any = None) -> Any:
    """Whole numbers drawn evenly from `minval` up to, and without, `maxval`."""
    kind = dtypes.as_dtype(dtype, "keras.random.randint()")
    drawn = minigrad.randint(minval, maxval, tuple(shape), generator=_generator(seed))
    return drawn.to(kind)


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """Each element zero with probability `rate`, the others times 1 / (1 - rate)."""
    if not 0 <= rate <= 1:
        raise ArgumentError(f"keras.random.dropout(): rate must lie in [0, 1], got {rate}")
    inputs = tensor(inputs)
    lengths = tuple(inputs.shape) if noise_shape is None else noise_shape
    lengths = [own if length is None else length for length, own in zip(lengths, inputs.shape)]
    kept = minigrad.full(tuple(lengths), 1.0 - rate, device=inputs.device)
    mask = minigrad.bernoulli(kept, generator=_generator(seed)).to(inputs.dtype)
    return inputs * mask / (1 - rate) if rate < 1 else inputs * mask


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Any:
    """The entries of x along the axis in a random order."""
    x = tensor(x)
    order = minigrad.randperm(x.shape[axis], generator=_generator(seed)).to(x.device)
    return minigrad.index_select(x, axis, order)


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Any:
    """Class numbers drawn by the probabilities that the logits of each row stand for."""
    shares = minigrad.softmax(tensor(logits), -1)
    drawn = minigrad.multinomial(shares, num_samples, True, generator=_generator(seed))
    return drawn.to(dtypes.as_dtype(dtype, "keras.random.categorical()"))
