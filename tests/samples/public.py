"""Calls of public operations: how to draw the arguments of each, good and bad, for torch and us."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from tests.samples.source import Source

Call = tuple[tuple[Any, ...], dict[str, Any]]


def call(*arguments: Any, **keywords: Any) -> Call:
    """The arguments of one call; arrays stand for tensors."""
    return arguments, keywords


def any_dim(s: Source, shape: Any) -> int:
    """A dimension, at times one past the end."""
    return int(s.pick(range(-len(shape) - 1, len(shape) + 2)))


def one(s: Source) -> Call:
    return call(s.floats(s.shape(), away=(0, 1, -1, 0.5)))


def two(s: Source) -> Call:
    first, second = s.pair()
    return call(s.floats(first, away=(0,)), s.floats(second, away=(0,)))


def like(values: Any, other: Any) -> Any:
    """The values in another array's dtype; complex ones lose their imaginary part."""
    values = values.real if other.dtype.kind != "c" else values
    return values.astype(other.dtype)


def like_shaped(s: Source) -> Call:
    first, second = s.pair()
    a = s.floats(first, away=(0,))
    return call(a, like(s.floats(second), a))


def powers(s: Source) -> Call:
    first, second = s.pair()
    return call(s.floats(first), s.pick((2, 1.5, -3, None)) or s.floats(second, away=(0,)))


def two_or_number(s: Source) -> Call:
    first, second = s.pair()
    return call(s.floats(first), s.pick((2, 1.5, -3, True, None)) or s.floats(second, away=(0,)))


def reduced(s: Source) -> Call:
    shape = s.shape()
    dim = s.pick((None, any_dim(s, shape)))
    return call(s.floats(shape)) if dim is None else call(s.floats(shape), dim, s.flag())


def along(s: Source) -> Call:
    shape = s.shape()
    return call(s.distinct(shape), any_dim(s, shape))


def several_dims(s: Source) -> Call:
    shape = s.shape()
    dims = tuple(any_dim(s, shape) for _ in range(s.pick((1, 2))))
    return call(s.floats(shape), dims)


def two_dims(s: Source) -> Call:
    shape = s.shape()
    return call(s.floats(shape), any_dim(s, shape), any_dim(s, shape))


def square_part(s: Source) -> Call:
    return call(s.floats(s.shape()), s.pick((0, 1, -1, 5)))


def resized(s: Source) -> Call:
    return call(s.floats(s.shape()), s.pick(((-1,), (3, 2), (2, -1), (6,), (), (-1, -1), (1, 0))))


def joined(s: Source) -> Call:
    first, second = s.shape(), s.shape()
    arrays = s.pick(([first, first], [first, second], [first]))
    return call([s.floats(shape) for shape in arrays], any_dim(s, first))


def divided(s: Source) -> Call:
    shape = s.shape()
    return call(s.floats(shape), s.pick((1, 2, 3, 0)), any_dim(s, shape))


def counts(s: Source) -> Call:
    shape = s.shape(1)
    dim = any_dim(s, shape)
    length = shape[dim] if -len(shape) <= dim < len(shape) else 2
    repeats = s.pick((2, s.integers((length,), 0, 3), s.integers((), 0, 3)))
    return call(s.floats(shape), repeats, dim)


def gathered(s: Source) -> Call:
    """Positions, at times out of bounds, along a dimension."""
    shape = s.shape(1)
    dim = s.dim(shape)
    index = s.integers(shape, 0, max(shape[dim] - 1, 0) + s.pick((0, 0, 0, 2)))
    return call(s.floats(shape), dim, index)


def selected(s: Source) -> Call:
    shape = s.shape(1)
    dim = s.dim(shape)
    high = max(shape[dim] - 1, 0) + s.pick((0, 0, 0, 2))
    return call(s.floats(shape), dim, s.integers((s.pick((3, 1, 0)),), 0, high))


def added(s: Source) -> Call:
    arguments, _ = selected(s)
    values, dim, index = arguments
    shape = (*values.shape[:dim], len(index), *values.shape[dim + 1 :])
    return call(values, dim, index, like(s.floats(shape), values))


def scattered(s: Source) -> Call:
    values, dim, index = gathered(s)[0]
    return call(values, dim, index, like(s.floats(index.shape), values))


def taken(s: Source) -> Call:
    values = s.floats(s.shape())
    high = max(values.size - 1, 0) + s.pick((0, 0, 3))
    return call(values, s.integers((3,), -values.size if values.size else 0, high))


def masked(s: Source) -> Call:
    first, second = s.pair()
    return call(s.floats(first), s.bools(second))


def filled(s: Source) -> Call:
    return call(*masked(s)[0], s.pick((0, 1, True)))


def chosen(s: Source) -> Call:
    first, second = s.pair()
    shape = numpy.broadcast_shapes(first, second)
    other = s.pick((None, 2, 1.5))
    return call(s.bools(shape), s.floats(first), s.floats(second) if other is None else other)


def product(s: Source) -> Call:
    shapes = s.pick((
        ((2, 3), (3, 2)), ((3,), (3,)), ((2, 3), (2, 3)), ((), (3,)), ((2, 3), (3,)),
        ((3,), (3, 1)),
        ((2, 2, 3), (3, 2)), ((2, 2, 3), (2, 3, 1)), ((0, 3), (3, 2)), ((2, 0), (0, 2)),
    ))  # fmt: skip
    a = s.floats(shapes[0])
    return call(a, like(s.floats(shapes[1]), s.pick((a, numpy.zeros(0, "float32")))))


def most(s: Source) -> Call:
    shape = s.shape(1)
    return call(s.distinct(shape), s.pick((1, 2, 0, 7)), any_dim(s, shape))


def ranked(s: Source) -> Call:
    shape = s.shape(1)
    return call(s.distinct(shape), s.pick((1, 2, 9)), any_dim(s, shape))


def narrowed(s: Source) -> Call:
    shape = s.shape()
    return call(s.floats(shape), any_dim(s, shape), s.pick((0, 1, -1, 4)), s.pick((1, 0, 2)))


def picked(s: Source) -> Call:
    shape = s.shape()
    return call(s.floats(shape), any_dim(s, shape), s.pick((0, 1, -1, 4)))


def rolled(s: Source) -> Call:
    shape = s.shape()
    return call(s.floats(shape), s.pick((1, -2, 5)), any_dim(s, shape))


def clamped(s: Source) -> Call:
    low, high = s.pick(((None, 1), (-1, None), (-0.5, 0.5), (1, -1), (None, None)))
    values = s.floats(s.shape(), away=(-0.5, 0.5))
    if values.dtype.kind == "u":
        # torch wraps a negative bound around, to a large one.
        low, high = 1, 2
    return call(values, low, high)


def looked_up(s: Source) -> Call:
    table = s.floats((4, 2))
    return call(s.integers(s.pick(((3,), (2, 2), ())), 0, s.pick((3, 3, 9))), table)


def classified(s: Source) -> Call:
    """Logits and labels, at times out of range or too many."""
    rows = s.pick((3, 1))
    labels = s.integers((s.pick((rows, rows, 2)),), 0, s.pick((3, 3, 3, 6)))
    reduction = s.pick(("mean", "sum", "none", "average"))
    return call(s.floats((rows, 4)), labels, reduction=reduction)


def compared(s: Source) -> Call:
    shape = s.shape(empty=False)
    first = s.floats(shape)
    return call(first, like(s.floats(shape), first), reduction=s.pick(("mean", "sum", "none")))


def of(draw: Callable[[Source], Call], names: str, prefix: str = "") -> dict[str, Any]:
    """The same draw for several names."""
    return {prefix + name: draw for name in names.split()}


FUNCTIONAL = "nn.functional."
CALLS: dict[str, Callable[[Source], Call]] = {
    **of(one, "abs acos acosh angle asin asinh atan atanh bitwise_not ceil conj cos cosh deg2rad "
         "erf erfc erfinv exp exp2 expm1 floor frac isfinite isinf isnan isreal log log10 log1p "
         "log2 logical_not logit neg nonzero positive rad2deg real reciprocal relu round rsqrt "
         "sgn sigmoid sign signbit sin sinc sinh sqrt square tan tanh trunc nan_to_num flatten "
         "lgamma i0 frexp "
         "ravel squeeze count_nonzero atleast_1d atleast_2d atleast_3d argwhere clone"),
    **of(one, "elu gelu hardsigmoid hardswish hardtanh leaky_relu logsigmoid mish relu6 selu silu "
         "softplus softsign tanhshrink hardshrink softshrink celu", FUNCTIONAL),
    **of(two, "atan2 fmax fmin hypot logaddexp logaddexp2 maximum minimum xlogy "
         "gcd lcm ldexp logical_and logical_or logical_xor outer kron dot"),
    **of(two_or_number, "add sub mul div true_divide remainder fmod eq ne lt le gt ge "
         "bitwise_and bitwise_or bitwise_xor floor_divide"),
    **of(powers, "pow"),
    **of(like_shaped, "heaviside"),
    **of(reduced, "sum mean std var prod amax amin all any argmax argmin nansum nanmean "
         "count_nonzero"),
    **of(along, "cumsum cumprod softmax log_softmax sort argsort unbind unsqueeze median max min"),
    **of(several_dims, "flip squeeze permute logsumexp sum mean amax std"),
    **of(two_dims, "transpose swapaxes movedim diagonal flatten"),
    **of(square_part, "tril triu diag diag_embed"),
    **of(resized, "reshape"),
    **of(joined, "cat stack"),
    **of(divided, "split chunk tensor_split"),
    **of(counts, "repeat_interleave"),
    **of(gathered, "gather"),
    **of(selected, "index_select"),
    **of(added, "index_add"),
    **of(scattered, "scatter scatter_add"),
    **of(taken, "take"),
    **of(masked, "masked_select"),
    **of(filled, "masked_fill"),
    **of(chosen, "where"),
    **of(product, "matmul mm mv bmm"),
    **of(most, "topk"),
    **of(ranked, "kthvalue"),
    **of(narrowed, "narrow"),
    **of(picked, "select"),
    **of(rolled, "roll"),
    **of(clamped, "clamp"),
    **of(looked_up, "embedding", FUNCTIONAL),
    **of(classified, "cross_entropy nll_loss", FUNCTIONAL),
    **of(compared, "mse_loss l1_loss smooth_l1_loss huber_loss", FUNCTIONAL),
}  # fmt: skip
