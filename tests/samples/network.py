"""Rows of what networks are made of: convolution, pooling, normalisation, softmax, dropout."""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.graph import registry
from tests.samples.row import Row, Sample, function_of, sample, torch
from tests.samples.source import Source

# Sizes, kernel, stride, padding, dilation, groups; every one differs somewhere from its neighbour.
CONVOLUTIONS = (
    ((4, 3), (2, 2), (1, 1), (0, 0), (1, 1), 1),
    ((4, 4), (3, 2), (2, 1), (1, 0), (1, 2), 1),
    ((4, 3), (2, 2), (1, 2), (1, 1), (1, 1), 2),
    ((5,), (2,), (2,), (1,), (2,), 1),
    ((3, 3, 2), (2, 1, 2), (1, 2, 1), (0, 0, 1), (1, 1, 1), 1),
    ((3, 3), (1, 1), (1, 1), (0, 0), (1, 1), 1),
)


def count_of(sizes: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    return tuple(
        (n + 2 * p - d * (k - 1) - 1) // t + 1
        for n, k, t, p, d in zip(sizes, kernel, stride, padding, dilation)
    )


def convolved(s: Source) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
    """Shapes of images, filters and results, sizes, and constants."""
    sizes, kernel, stride, padding, dilation, groups = s.pick(CONVOLUTIONS)
    count = count_of(sizes, kernel, stride, padding, dilation)
    constants = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    images, filters = (1, 2, *sizes), (2, 2 // groups, *kernel)
    return images, filters, (1, 2, *count), sizes, constants


def convolution(s: Source) -> Sample:
    images, filters, result, _, constants = convolved(s)
    bias = s.pick((True, False))
    bias = s.floats((2,)) if bias else None
    return sample(s.floats(images), s.floats(filters), bias, count=result[2:], **constants)


def convolve(x: Any, w: Any, b: Any, count: Any, **constants: Any) -> Any:
    return getattr(torch, f"conv{x.ndim - 2}d")(x, w, b, **constants)


def convolution_input_grad(s: Source) -> Sample:
    images, filters, result, _, constants = convolved(s)
    bias = s.pick((True, False))
    bias = s.floats((2,)) if bias else None
    return sample(s.floats(result), s.floats(filters), bias, size=images[2:], **constants)


def transpose_convolve(x: Any, w: Any, b: Any, size: Any, **constants: Any) -> Any:
    least = [
        (n - 1) * t - 2 * p + d * (k - 1) + 1
        for n, k, t, p, d in zip(
            x.shape[2:], w.shape[2:], *(constants[n] for n in ("stride", "padding", "dilation"))
        )
    ]
    more = tuple(n - m for n, m in zip(size, least))
    call = getattr(torch, f"conv_transpose{x.ndim - 2}d")
    return call(x, w, b, output_padding=more, **constants)


def convolution_weight_grad(s: Source) -> Sample:
    images, filters, result, _, constants = convolved(s)
    return sample(s.floats(result), s.floats(images), size=filters[2:], **constants)


def weight_gradient(g: Any, x: Any, size: Any, groups: int, **constants: Any) -> Any:
    """The weight's gradient; of conjugated images, since here it is linear in them."""
    channels = x.shape[1] // groups
    zero = torch.zeros((g.shape[1], channels, *size), dtype=x.dtype, requires_grad=True)
    out = convolve(x.conj(), zero, None, None, groups=groups, **constants)
    return torch.autograd.grad(out, zero, g, create_graph=True)[0]


def channels(s: Source) -> Sample:
    return sample(s.floats(s.pick(((2, 3), (2, 3, 2), (2, 2, 3, 2), (0, 3)))))


def spread(s: Source) -> Sample:
    return sample(s.floats((3,)), size=s.pick(((2, 3), (2, 3, 2), (2, 3, 1, 2))))


def sum_channels(x: Any) -> Any:
    return x.sum([d for d in range(x.ndim) if d != 1])


def spread_channels(x: Any, size: Any) -> Any:
    return x.reshape(-1, *(1,) * (len(size) - 2)).expand(size)


POOLS = (
    ((4, 4), (2, 2), (2, 2), (0, 0), (1, 1)),
    ((4, 3), (3, 2), (1, 2), (1, 1), (1, 1)),
    ((5,), (2,), (2,), (0,), (2,)),
    ((3, 2, 4), (2, 1, 2), (1, 1, 2), (0, 0, 1), (1, 1, 1)),
)


def pooled(s: Source) -> tuple[Any, dict[str, Any], Any]:
    sizes, kernel, stride, padding, dilation = s.pick(POOLS)
    constants = {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    return s.distinct((2, 1, *sizes)), constants, count_of(sizes, kernel, stride, padding, dilation)


def max_pool(s: Source) -> Sample:
    values, constants, count = pooled(s)
    return sample(values, **constants, count=count)


def tied_pool(s: Source) -> Sample:
    values, constants, count = pooled(s)
    return sample(s.rng.integers(0, 2, values.shape) * 1.0, **constants, count=count)


def torch_max_pool(x: Any, indices: bool = False, **c: Any) -> Any:
    call = getattr(torch.nn.functional, f"max_pool{x.ndim - 2}d")
    return call(x, c["kernel"], c["stride"], c["padding"], c["dilation"], return_indices=indices)


def numpy_pool(values: Any, constants: Any) -> tuple[Any, Any]:
    """Each window's largest element and its position in the flattened plane."""
    import torch as real

    out, index = torch_max_pool(real.tensor(numpy.array(values)), indices=True, **constants)
    return out.numpy(), index.numpy()


def winners(s: Source) -> Sample:
    values, constants, _ = pooled(s)
    return sample(values, numpy_pool(values, constants)[0], **constants)


def max_pool_grad(s: Source) -> Sample:
    values, constants, _ = pooled(s)
    best = numpy_pool(values, constants)[0]
    return sample(s.floats(best.shape), values, best, **constants)


def max_pool_grad_reference(g: Any, x: Any, values: Any, **constants: Any) -> Any:
    index = torch_max_pool(x.detach(), indices=True, **constants)[1]
    lead = x.shape[:2]
    flat = torch.zeros((*lead, x[0, 0].numel()), dtype=g.dtype)
    return flat.scatter_add(2, index.reshape(*lead, -1), g.reshape(*lead, -1)).reshape(x.shape)


def drawn_windows(s: Source) -> Sample:
    sizes, kernel, wanted = s.pick((
        ((5, 4), (2, 3), (3, 2)), ((4, 4), (2, 2), (1, 3)), ((4, 5, 4), (2, 1, 2), (2, 3, 2)),
    ))  # fmt: skip
    draws = s.floats((2, 1, len(sizes)), 0.0, 0.99)
    return sample(s.distinct((2, 1, *sizes)), draws, kernel=kernel, wanted=wanted)


def fractional_winners(x: Any, draws: Any, kernel: Any, wanted: Any) -> Any:
    call = getattr(torch.nn.functional, f"fractional_max_pool{len(kernel)}d")
    return call(x, kernel, wanted, return_indices=True, _random_samples=draws)[1]


def picked(s: Source) -> Sample:
    return sample(s.floats((2, 2, 3)), s.integers((2, 4), 0, 5), dims=2)


def unpicked(s: Source) -> Sample:
    return sample(s.floats((2, 4)), s.integers((2, 4), 0, 5), size=(2, 2, 3), dims=2)


def pick(x: Any, index: Any, dims: int) -> Any:
    return torch.gather(x.reshape(2, -1), 1, index)


def unpick(x: Any, index: Any, size: Any, dims: int) -> Any:
    return torch.zeros((2, 6), dtype=x.dtype).scatter_add(1, index, x).reshape(size)


def avg_pool(s: Source) -> Sample:
    sizes, kernel, stride, padding, _ = s.pick(POOLS[:2] + POOLS[3:])
    count = count_of(sizes, kernel, stride, padding, (1,) * len(sizes))
    divisor = s.pick((int(numpy.prod(kernel)), 3, "counts"))
    if divisor == "counts":
        divisor = tuple(
            tuple(min(i * t - p + k, n) - max(i * t - p, 0) for i in range(c))
            for n, k, t, p, c in zip(sizes, kernel, stride, padding, count)
        )
    constants = {"kernel": kernel, "stride": stride, "padding": padding, "divisor": divisor}
    return sample(s.floats((2, 1, *sizes)), count=count, **constants)


def torch_avg_pool(x: Any, kernel: Any, stride: Any, padding: Any, count: Any, divisor: Any) -> Any:
    call = getattr(torch.nn.functional, f"avg_pool{x.ndim - 2}d")
    if isinstance(divisor, tuple):
        return call(x, kernel, stride, padding, count_include_pad=False)
    return call(x, kernel, stride, padding, divisor_override=divisor)


def avg_pool_grad(s: Source) -> Sample:
    drawn = avg_pool(s)
    constants = dict(drawn.constants)
    size, count = drawn.inputs[0].shape[2:], constants.pop("count")
    return sample(s.floats((2, 1, *count)), size=size, **constants)


def avg_pool_grad_reference(g: Any, size: Any, **constants: Any) -> Any:
    zero = torch.zeros((*g.shape[:2], *size), dtype=g.dtype, requires_grad=True)
    out = torch_avg_pool(zero, count=None, **constants)
    return torch.autograd.grad(out, zero, g, create_graph=True)[0]


def along(s: Source) -> Sample:
    shape = s.shape(1)
    return sample(s.floats(shape), dim=s.dim(shape))


def softmax_grad(s: Source) -> Sample:
    shape = s.shape(1)
    return sample(s.floats(shape), s.floats(shape, 0.1, 0.9), dim=s.dim(shape))


def softmax_grad_reference(g: Any, y: Any, dim: int) -> Any:
    return y * (g - (g * y).sum(dim, keepdim=True))


def log_softmax_grad_reference(g: Any, y: Any, dim: int) -> Any:
    return g - y.exp() * g.sum(dim, keepdim=True)


def classes(s: Source) -> Sample:
    shape = s.pick(((3, 4), (2, 3), (1, 2)))
    target = s.integers(shape[:1], 0, shape[1] - 1)
    return sample(s.floats(shape), target, mean=s.pick((True, False)), saved=[])


def cross_entropy(x: Any, target: Any, mean: bool, saved: Any) -> Any:
    kind = "mean" if mean else "sum"
    return torch.nn.functional.cross_entropy(x, target, reduction=kind)


def classes_grad(s: Source) -> Sample:
    drawn = classes(s)
    return sample(s.floats(()), *drawn.inputs, **drawn.constants)


def cross_entropy_grad(g: Any, x: Any, target: Any, mean: bool, saved: Any) -> Any:
    chosen = torch.nn.functional.one_hot(target, x.shape[1])
    return g * (torch.softmax(x, 1) - chosen) / (len(x) if mean else 1)


def call_cross_entropy_grad(op: Any, g: Any, x: Any, target: Any, mean: bool, saved: Any) -> Any:
    """The forward leaves in `saved` what its gradient needs."""
    forward = function_of(registry["cross_entropy_of_classes"])
    forward(x.detach()._array, target._array, mean=mean, saved=saved)
    return op(g, x, target, mean=mean, saved=saved)


def picked_classes(s: Source) -> Sample:
    return sample(s.floats((2, 3, 2)), s.integers((2, 2), 0, 2))


def placed_classes(s: Source) -> Sample:
    return sample(s.floats((2, 2)), s.integers((2, 2), 0, 2), size=(2, 3, 2))


def pick_classes(x: Any, index: Any) -> Any:
    return torch.gather(x, 1, index[:, None])[:, 0]


def place_classes(x: Any, index: Any, size: Any) -> Any:
    return torch.zeros(size, dtype=x.dtype).scatter(1, index[:, None], x[:, None])


def normalised(s: Source) -> Sample:
    """Layer, batch and group norm, with and without weight and bias."""
    shape, axes, affine, parameters = s.pick((
        ((2, 3), (1,), (3,), (3,)),
        ((3, 2, 2), (0, 2), (1, 2, 1), (2,)),
        ((2, 2, 2, 3), (2, 3), (1, 2, 2, 1), (4,)),
    ))  # fmt: skip
    weight, bias = s.pick(((True, True), (True, False), (False, False)))
    return sample(
        s.floats(shape),
        s.floats(parameters, 0.5, 1.5) if weight else None,
        s.floats(parameters) if bias else None,
        axes=axes, affine=affine if weight or bias else (), eps=s.pick((1e-5, 0.3)),
        centred=s.pick((True, False)), saved=[],
    )  # fmt: skip


def standard(x: Any, axes: Any, eps: float, centred: bool) -> tuple[Any, Any]:
    """The input without its mean, over its spread; and one over the spread."""
    if centred:
        x = x - x.mean(axes, keepdim=True)
    inverse = ((x * x).mean(axes, keepdim=True) + eps) ** -0.5
    return x * inverse, inverse


def normalise(
    x: Any, weight: Any, bias: Any, axes: Any, affine: Any, eps: float, centred: bool, saved: Any
) -> Any:
    out = standard(x, axes, eps, centred)[0]
    out = out if weight is None else out * weight.reshape(affine)
    return out if bias is None else out + bias.reshape(affine)


def normalised_grad(s: Source) -> Sample:
    drawn = normalised(s)
    kept = {name: drawn.constants[name] for name in ("axes", "eps", "centred", "saved")}
    return sample(s.floats(drawn.inputs[0].shape), drawn.inputs[0], **kept)


def normalise_grad(g: Any, x: Any, axes: Any, eps: float, centred: bool, saved: Any) -> Any:
    y, inverse = standard(x, axes, eps, centred)
    inner = g - y * (g * y).mean(axes, keepdim=True)
    return inverse * (inner - g.mean(axes, keepdim=True) if centred else inner)


def call_normalise_grad(op: Any, g: Any, x: Any, *weight: Any, **constants: Any) -> Any:
    """The forward leaves in `saved` what its gradient needs."""
    forward = function_of(registry["normalise"])
    forward(x.detach()._array, **{**constants, "affine": ()})
    return op(g, x, *weight, **constants)


def normalised_grads(s: Source) -> Sample:
    drawn = normalised(s)
    while not drawn.constants["affine"]:
        drawn = normalised(s)
    array, weight, _ = drawn.inputs
    return sample(s.floats(array.shape), array, weight, **drawn.constants)


def normalise_grads(
    g: Any, x: Any, weight: Any, axes: Any, affine: Any, eps: float, centred: bool, saved: Any
) -> Any:
    y, _ = standard(x, axes, eps, centred)
    slope = g if weight is None else g * weight.reshape(affine)
    out = normalise_grad(slope, x, axes, eps, centred, saved)
    return out, (g * y).sum_to_size(affine), g.sum_to_size(affine)


def inverse_spread(s: Source) -> Sample:
    drawn = normalised(s)
    kept = {name: drawn.constants[name] for name in ("axes", "eps", "centred")}
    return sample(drawn.inputs[0], **kept)


def masked(s: Source) -> Sample:
    shape = s.shape()
    return sample(s.floats(shape), mask=s.bools(shape), scale=1.25)


def alpha_masked(s: Source) -> Sample:
    shape = s.shape()
    return sample(s.floats(shape), mask=s.bools(shape), scale=1.25, dropped=-0.7, shift=0.3)


def table(s: Source) -> Any:
    from minigrad.ops.resample import Table

    few = Table((((0, 0.5), (1, 0.25)), ((2, 1.0),), ((1, 0.3), (2, -0.7))), 3)
    many = Table((tuple((i % 3, 0.1 * (i + 1)) for i in range(6)), ((0, 1.0),)), 3)
    return s.pick((few, many))


def resampled(s: Source) -> Sample:
    shape, dim = s.pick((((2, 3), 1), ((3, 2), 0), ((2, 3, 2), 1)))
    return sample(s.floats(shape), table=table(s), dim=dim)


def resample(x: Any, table: Any, dim: int) -> Any:
    matrix = torch.zeros((table.size, len(table.rows)), dtype=x.dtype)
    for place, row in enumerate(table.rows):
        for source, weight in row:
            matrix[source, place] += weight
    return torch.movedim(torch.movedim(x, dim, -1) @ matrix, -1, dim)


def resampled_bytes(s: Source) -> Sample:
    from minigrad.ops.resample import Table

    halves = Table((((0, 0.5), (1, 0.5)), ((1, 0.25), (2, 0.75))), 3)
    return sample(s.rng.integers(0, 256, (2, 3)).astype(s.dtype), table=halves, dim=1)


def resample_bytes(x: Any, table: Any, dim: int) -> Any:
    values = resample(x.to(torch.float64), table, dim)
    return torch.floor(values + 0.5).clamp(0, 255).to(torch.uint8)


def padded(s: Source) -> Sample:
    shape, widths = s.pick((
        ((2, 3), ((0, 1), (2, 0))), ((2, 3), ((0, 0), (-1, 1))), ((3,), ((1, 1),)), ((), ()),
        ((2, 0), ((1, 0), (1, 1))),
    ))  # fmt: skip
    return sample(s.floats(shape), widths=widths, value=s.pick((0, 2)))


def pad(x: Any, widths: Any, value: Any) -> Any:
    flat = [n for pair in reversed(widths) for n in pair]
    return torch.nn.functional.pad(x, flat, value=value)


def measured(s: Source) -> Sample:
    shape = s.pick(((2, 3), (4,), (2, 1, 3)))
    return sample(s.floats(shape, away=(0,)), dim=s.dim(shape))


def powered(s: Source) -> Sample:
    drawn = measured(s)
    return sample(*drawn.inputs, p=s.pick((3.0, 1.5)), **drawn.constants)


def zero_length(s: Source) -> Sample:
    return sample(numpy.array([[0.0, 0.0], [3.0, 4.0]], s.dtype), dim=1)


def zero_power(s: Source) -> Sample:
    return sample(*zero_length(s).inputs, p=3.0, dim=1)


def norm_of(x: Any, dim: int, p: float = 2.0) -> Any:
    return torch.linalg.vector_norm(x, p, dim, True)


ROWS = {
    "sum_channels": Row(channels, sum_channels, "fc"),
    "spread_channels": Row(spread, spread_channels, "fc"),
    "convolution": Row(convolution, convolve, "fc", count=7),
    "convolution_input_grad": Row(convolution_input_grad, transpose_convolve, "fc", count=7),
    "convolution_weight_grad": Row(convolution_weight_grad, weight_gradient, "fc", count=7),
    "_max_pool": Row(
        max_pool, lambda x, count, **c: torch_max_pool(x, **c), "f", kinks=tied_pool
    ),
    "_max_pool_grad": Row(max_pool_grad, max_pool_grad_reference, "f"),
    "max_pool_winners": Row(
        winners, lambda x, values, **c: torch_max_pool(x, True, **c)[1], "f", 0
    ),
    "drawn_winners": Row(drawn_windows, fractional_winners, "f", 0),
    "pick": Row(picked, pick, "fc"),
    "unpick": Row(unpicked, unpick, "fc"),
    "mean_windows": Row(avg_pool, torch_avg_pool, "f", count=9),
    "mean_windows_grad": Row(avg_pool_grad, avg_pool_grad_reference, "f", count=9),
    "_softmax": Row(along, lambda x, dim: torch.softmax(x, dim)),
    "softmax_grad": Row(softmax_grad, softmax_grad_reference),
    "_log_softmax": Row(along, lambda x, dim: torch.log_softmax(x, dim)),
    "log_softmax_grad": Row(softmax_grad, log_softmax_grad_reference),
    "cross_entropy_of_classes": Row(classes, cross_entropy),
    "cross_entropy_grad": Row(classes_grad, cross_entropy_grad, call=call_cross_entropy_grad),
    "pick_classes": Row(picked_classes, pick_classes, "fc"),
    "place_classes": Row(placed_classes, place_classes, "fc"),
    "normalise": Row(normalised, normalise, count=12),
    "normalise_grad": Row(normalised_grad, normalise_grad, call=call_normalise_grad),
    "normalise_grads": Row(normalised_grads, normalise_grads, count=12, call=call_normalise_grad),
    "inverse_spread": Row(
        inverse_spread, lambda x, axes, eps, centred: standard(x, axes, eps, centred)[1]
    ),
    "masked": Row(masked, lambda x, mask, scale: x * mask * scale, "fc"),
    "alpha_masked": Row(
        alpha_masked,
        lambda x, mask, scale, dropped, shift: torch.where(mask, x * scale, dropped) + shift,
        "f",
    ),
    "resample": Row(resampled, resample, "f"),
    "resample_bytes": Row(resampled_bytes, resample_bytes, "u", 0),
    "pad_constant": Row(padded, pad, "fci", count=10),
    "_euclidean": Row(measured, norm_of, "fc", kinks=zero_length),
    "_powered": Row(powered, norm_of, "fc", kinks=zero_power),
}  # fmt: skip
