"""Random operations: shape, dtype, range and statistics, and exact values where nothing is random.

Another generator draws other numbers, so a sample is checked by what every draw must satisfy, and
a large draw by its statistics, each within five standard errors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.testing._internal.opinfo.core import OpInfo, SampleInput

from tests.opdb.arguments import Arguments
from tests.opdb.calling import function
from tests.opdb.comparison import Tolerances, difference, results_differ
from tests.opdb.libraries import TorchLibrary

DRAWS = 20_000

_DROPS = ("nn.functional.dropout", "nn.functional.dropout2d", "nn.functional.dropout3d")
_ALPHA_DROPS = ("nn.functional.alpha_dropout", "nn.functional.feature_alpha_dropout")
_FRACTIONAL = ("nn.functional.fractional_max_pool2d", "nn.functional.fractional_max_pool3d")
_RANDOM = (
    "bernoulli", "multinomial", "nn.functional.rrelu", "normal", "rand_like", "randint",
    "randint_like", "randn", "randn_like", *_DROPS, *_ALPHA_DROPS,
)  # fmt: skip


def is_random(operation: OpInfo, sample: SampleInput) -> bool:
    """Say whether a sample's values differ from draw to draw."""
    if operation.name == "nn.functional.scaled_dot_product_attention":
        return sample.kwargs.get("dropout_p", 0.0) > 0.0
    if operation.name == "nn.functional.multi_head_attention_forward":
        return sample.args[9] > 0.0
    if operation.name in _ALPHA_DROPS:
        return sample.kwargs.get("training", False)
    if operation.name in _FRACTIONAL:
        return "_random_samples" not in sample.kwargs
    return operation.name in _RANDOM


def sample_differs(library: TorchLibrary, operation: OpInfo, sample: SampleInput) -> str | None:
    """Return how a draw for a sample differs from what torch would draw, or None."""
    theirs = Arguments(TorchLibrary(), sample, True)
    expected = theirs.call(operation.op)
    ours = Arguments(library, sample, True)
    if operation.variant_test_name == "in_place":
        got = ours.call(library.method(operation.name + "_"))
    else:
        got = ours.call(function(library, operation.name))
    tolerances = Tolerances(operation)
    found = results_differ(library, got, expected, tolerances, values=False)
    if found is not None or operation.name not in _SUPPORTS:
        return found
    if isinstance(got, tuple):
        return _winners_differ(sample, *[library.to_torch(part) for part in got])
    drawn = library.to_torch(got)
    found = _SUPPORTS[operation.name](sample, drawn)
    if found is not None or not expected.requires_grad:
        return found
    return _gradient_differs(library, got, ours.leaves, drawn, operation, sample)


def _gradient_differs(
    library: TorchLibrary,
    got: Any,
    leaves: list[Any],
    drawn: torch.Tensor,
    operation: OpInfo,
    sample: SampleInput,
) -> str | None:
    """Check the gradient of the very draw: dropout's mask, and zero through bernoulli."""
    cotangent = torch.linspace(1.0, 2.0, drawn.numel(), dtype=drawn.dtype).reshape(drawn.shape)
    seed = library.tensor(cotangent, {})
    (gradient,) = library.grad([got], leaves, [seed], False)
    wanted = torch.zeros_like(drawn)
    if operation.name in (*_DROPS, "nn.functional.rrelu"):
        wanted = torch.where(drawn != 0, cotangent * drawn / sample.input.detach(), wanted)
    elif operation.name in _ALPHA_DROPS:
        kept, scale, _ = _alpha_parts(sample, drawn)
        wanted = torch.where(kept, cotangent * scale, wanted)
    elif operation.name in _FRACTIONAL:
        # Every window's cotangent goes to one element, so that what is lost shows in the sum.
        ours, wanted = library.to_torch(gradient).sum(), cotangent.sum()
        found = difference(ours, wanted, Tolerances(operation))
        return None if found is None else f"gradient: {found}"
    ours = torch.zeros_like(drawn) if gradient is None else library.to_torch(gradient)
    found = difference(ours, wanted, Tolerances(operation))
    return None if found is None else f"gradient: {found}"


def _bernoulli_support(sample: SampleInput, drawn: torch.Tensor) -> str | None:
    return None if bool(((drawn == 0) | (drawn == 1)).all()) else f"not 0 or 1: {drawn}"


def _multinomial_support(sample: SampleInput, drawn: torch.Tensor) -> str | None:
    weights = sample.input.detach()
    if not bool(((drawn >= 0) & (drawn < weights.shape[-1])).all()):
        return f"not a category: {drawn}"
    if not bool((weights.gather(-1, drawn) > 0).all()):
        return f"a category of weight zero was drawn: {drawn}"
    if not sample.kwargs.get("replacement", False):
        for row in drawn.reshape(-1, drawn.shape[-1]).tolist():
            if len(set(row)) < len(row):
                return f"drawn twice without replacement: {row}"
    return None


def _dropout_support(sample: SampleInput, drawn: torch.Tensor) -> str | None:
    probability = sample.kwargs.get("p", 0.5)
    value = sample.input.detach()
    if not sample.kwargs.get("training", True):
        probability = 0.0
    if probability == 1.0:
        return None if not bool(drawn.any()) else f"p=1 left something: {drawn}"
    kept = value / (1.0 - probability)
    if probability > 0.0:
        kept = torch.where(drawn == 0, torch.zeros_like(kept), kept)
    relative, absolute = torch.testing._comparison.default_tolerances(drawn.dtype)
    if torch.allclose(drawn, kept, rtol=relative, atol=absolute):
        return None
    return f"neither 0 nor x / (1 - p): {drawn} of {value}"


def _channels_support(sample: SampleInput, drawn: torch.Tensor) -> str | None:
    """Check dropout, and that it took whole channels: all but the first one or two dimensions."""
    found = _dropout_support(sample, drawn)
    if found is not None or drawn.ndim < 3 or not drawn.numel():
        return found
    channels = (drawn != 0).flatten(2)
    told = (sample.input.detach() != 0).flatten(2)
    some, every = (channels & told).any(2), (channels | ~told).all(2)
    return None if bool((some == every).all()) else f"dropped parts of channels: {drawn}"


def _alpha_parts(sample: SampleInput, drawn: torch.Tensor) -> tuple[torch.Tensor, float, float]:
    """Return which elements were kept, their scale, and what the others became."""
    probability = sample.kwargs.get("p", 0.5) if sample.kwargs.get("training", False) else 0.0
    # Minus SELU's scale times its alpha, and what keeps mean and variance (Klambauer 2017).
    low, keep = -1.7580993408473766, 1.0 - probability
    scale = (keep + low * low * keep * probability) ** -0.5 if keep else 0.0
    shift = -scale * probability * low
    kept = (drawn - (sample.input.detach() * scale + shift)).abs()
    other = (drawn - (scale * low + shift)).abs()
    return (kept <= other) & (probability < 1.0), scale, scale * low + shift


def _alpha_support(sample: SampleInput, drawn: torch.Tensor) -> str | None:
    kept, scale, dropped = _alpha_parts(sample, drawn)
    shift = dropped + scale * 1.7580993408473766
    value = sample.input.detach().double()
    wanted = torch.where(kept, value * scale + shift, torch.full_like(value, dropped))
    # A product and a sum, each rounded: the sum may be small beside the product.
    allowed = 2 * torch.finfo(drawn.dtype).eps * (value.abs() * scale + abs(shift) + 1.0)
    if bool(((drawn.double() - wanted).abs() <= allowed).all()):
        return None
    return f"neither kept nor {dropped}: {drawn}"


def _rrelu_support(sample: SampleInput, drawn: torch.Tensor) -> str | None:
    value = sample.input.detach()
    low, high = sample.kwargs.get("lower", 1 / 8), sample.kwargs.get("upper", 1 / 3)
    slope = drawn / value
    if not sample.kwargs.get("training", False):
        low = high = (low + high) / 2
    good = torch.where(value >= 0, drawn == value, (slope > low - 1e-3) & (slope < high + 1e-3))
    return None if bool((good | (value == 0)).all()) else f"slopes outside [{low}, {high}]: {drawn}"


def _fractional_support(sample: SampleInput, drawn: torch.Tensor) -> str | None:
    """Check that all come from their own plane, and the largest element of it if all windows do."""
    value = sample.input.detach()
    dims = value.ndim - 2
    planes, found = value.flatten(-dims), drawn.flatten(-dims)
    inside = (found.unsqueeze(-1) == planes.unsqueeze(-2)).any(-1)
    return None if bool(inside.all()) else f"not an element of the plane: {drawn}"


def _winners_differ(sample: SampleInput, drawn: torch.Tensor, winners: torch.Tensor) -> str | None:
    """Check that the indices pick the values."""
    dims = sample.input.ndim - 2
    planes = sample.input.detach().flatten(-dims)
    picked = planes.gather(-1, winners.flatten(-dims)).reshape(drawn.shape)
    return None if torch.equal(picked, drawn) else f"indices pick {picked}, values are {drawn}"


def _randint_support(sample: SampleInput, drawn: torch.Tensor) -> str | None:
    bounds = [sample.input, *(item for item in sample.args if isinstance(item, int))]
    low, high = (0, bounds[0]) if len(bounds) == 1 else bounds
    inside = (drawn >= low) & (drawn < high) & (drawn == drawn.floor())
    return None if bool(inside.all()) else f"outside [{low}, {high}): {drawn}"


def _rand_like_support(sample: SampleInput, drawn: torch.Tensor) -> str | None:
    parts = torch.view_as_real(drawn) if drawn.is_complex() else drawn
    return None if bool(((parts >= 0) & (parts < 1)).all()) else f"outside [0, 1): {drawn}"


def _randint_like_support(sample: SampleInput, drawn: torch.Tensor) -> str | None:
    named = [sample.kwargs[name] for name in ("low", "high") if name in sample.kwargs]
    bounds = [*sample.args, *named]
    low, high = (0, bounds[0]) if len(bounds) == 1 else bounds
    inside = (drawn >= low) & (drawn < high) & (drawn == drawn.floor())
    return None if bool(inside.all()) else f"outside [{low}, {high}): {drawn}"


_SUPPORTS: dict[str, Callable[[SampleInput, torch.Tensor], str | None]] = {
    "bernoulli": _bernoulli_support,
    "multinomial": _multinomial_support,
    "nn.functional.dropout": _dropout_support,
    "nn.functional.dropout2d": _channels_support,
    "nn.functional.dropout3d": _channels_support,
    "nn.functional.rrelu": _rrelu_support,
    "randint": _randint_support,
    **dict.fromkeys(_ALPHA_DROPS, _alpha_support),
    **dict.fromkeys(_FRACTIONAL, _fractional_support),
    "rand_like": _rand_like_support,
    "randint_like": _randint_like_support,
}


def statistics_differ(library: TorchLibrary, operation: OpInfo, dtype: torch.dtype) -> str | None:
    """Return how a large draw's statistics differ from the distribution's, or None."""
    call = function(library, operation.name)
    return STATISTICS[operation.name](library, call, dtype)


def _filled(library: TorchLibrary, values: torch.Tensor) -> Any:
    return library.tensor(values, {})


def _frequency_differs(name: str, hits: torch.Tensor, probability: float) -> str | None:
    """Check a frequency, and the correlation of neighbours, against independent draws."""
    count = hits.numel()
    allowed = 5 * math.sqrt(probability * (1 - probability) / count)
    frequency = hits.double().mean().item()
    if abs(frequency - probability) > allowed:
        return f"{name} came with frequency {frequency}, its probability is {probability}"
    both = (hits[1:] & hits[:-1]).double().mean().item()
    if abs(both - probability**2) > 2 * allowed:
        return f"{name} came twice in a row with frequency {both}, not {probability**2}"
    return None


def _bernoulli_statistics(library: TorchLibrary, call: Any, dtype: torch.dtype) -> str | None:
    for probability in (0.0, 0.3, 1.0):
        drawn = library.to_torch(
            call(_filled(library, torch.full((DRAWS,), probability, dtype=dtype)))
        )
        found = _frequency_differs("one", drawn == 1, probability)
        if found is not None:
            return found
    return None


def _dropout_statistics(library: TorchLibrary, call: Any, dtype: torch.dtype) -> str | None:
    drawn = library.to_torch(call(_filled(library, torch.ones(DRAWS, dtype=dtype)), p=0.3))
    return _frequency_differs("zero", drawn == 0, 0.3)


def _channels_statistics(library: TorchLibrary, call: Any, dtype: torch.dtype) -> str | None:
    ones = torch.ones((DRAWS // 2, 2, 1, 1, 1), dtype=dtype)
    drawn = library.to_torch(call(_filled(library, ones), p=0.3))
    return _frequency_differs("zero", drawn.flatten() == 0, 0.3)


def _alpha_statistics(library: TorchLibrary, call: Any, dtype: torch.dtype) -> str | None:
    if not dtype.is_floating_point:
        return None  # drawn for floats alone, others only pass through
    zeros = torch.zeros((DRAWS // 2, 2), dtype=dtype)
    drawn = library.to_torch(call(_filled(library, zeros), p=0.3, training=True))
    return _frequency_differs("dropped", drawn.flatten() < 0, 0.3)


def _rrelu_statistics(library: TorchLibrary, call: Any, dtype: torch.dtype) -> str | None:
    below = torch.full((DRAWS,), -1.0, dtype=dtype)
    drawn = library.to_torch(call(_filled(library, below), 0.2, 0.6, training=True))
    return _frequency_differs("slope above 0.3", drawn < -0.3, 0.75)


def _multinomial_statistics(library: TorchLibrary, call: Any, dtype: torch.dtype) -> str | None:
    weights = torch.tensor([1.0, 0.0, 3.0, 4.0], dtype=dtype)
    drawn = library.to_torch(call(_filled(library, weights), DRAWS, replacement=True))
    for category, probability in enumerate((0.125, 0.0, 0.375, 0.5)):
        found = _frequency_differs(f"category {category}", drawn == category, probability)
        if found is not None:
            return found
    # Without replacement the second of two draws is 2 where the first was not, by its weight.
    rows = _filled(library, weights.expand(DRAWS, 4).clone())
    pairs = library.to_torch(call(rows, 2, replacement=False))
    second = 0.125 * 3 / 7 + 0.5 * 3 / 4
    return _frequency_differs("category 2 as second", pairs[:, 1] == 2, second)


def _randint_statistics(library: TorchLibrary, call: Any, dtype: torch.dtype) -> str | None:
    drawn = library.to_torch(call(2, 10, (DRAWS,), dtype=library.dtype(dtype)))
    for value in range(2, 10):
        found = _frequency_differs(f"value {value}", drawn == value, 0.125)
        if found is not None:
            return found
    return None


def _normal_differs(drawn: torch.Tensor) -> str | None:
    """Check the first four moments of a standard normal draw; a complex one has variance 1/2."""
    if drawn.is_complex():
        parts = torch.view_as_real(drawn.to(torch.complex128)).reshape(-1) * math.sqrt(2)
    else:
        parts = drawn.double()
    expected = ((1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0))
    for power, mean, variance in expected:
        moment = (parts**power).mean().item()
        if abs(moment - mean) > 5 * math.sqrt(variance / parts.numel()):
            return f"the mean of x**{power} is {moment}, a standard normal has {mean}"
    product = (parts[1:] * parts[:-1]).mean().item()
    if abs(product) > 5 / math.sqrt(parts.numel()):
        return f"neighbours correlate: {product}"
    return None


def _randn_statistics(library: TorchLibrary, call: Any, dtype: torch.dtype) -> str | None:
    return _normal_differs(library.to_torch(call((DRAWS,), dtype=library.dtype(dtype))))


def _randn_like_statistics(library: TorchLibrary, call: Any, dtype: torch.dtype) -> str | None:
    return _normal_differs(
        library.to_torch(call(_filled(library, torch.zeros(DRAWS, dtype=dtype))))
    )


def _normal_statistics(library: TorchLibrary, call: Any, dtype: torch.dtype) -> str | None:
    if dtype.is_complex:
        return None
    means = _filled(library, torch.full((DRAWS,), 3.0, dtype=dtype))
    return _normal_differs((library.to_torch(call(means, 2.0)).double() - 3.0) / 2.0)


def _rand_like_statistics(library: TorchLibrary, call: Any, dtype: torch.dtype) -> str | None:
    drawn = library.to_torch(call(_filled(library, torch.zeros(DRAWS, dtype=dtype))))
    parts = torch.view_as_real(drawn).reshape(-1) if drawn.is_complex() else drawn
    return _frequency_differs("less than 0.3", parts < 0.3, 0.3)


def _randint_like_statistics(library: TorchLibrary, call: Any, dtype: torch.dtype) -> str | None:
    drawn = library.to_torch(call(_filled(library, torch.zeros(DRAWS, dtype=dtype)), 2, 10))
    for value in range(2, 10):
        found = _frequency_differs(f"value {value}", drawn == value, 0.125)
        if found is not None:
            return found
    return None


STATISTICS: dict[str, Callable[[TorchLibrary, Any, torch.dtype], str | None]] = {
    "bernoulli": _bernoulli_statistics,
    "multinomial": _multinomial_statistics,
    "nn.functional.dropout": _dropout_statistics,
    "nn.functional.dropout2d": _channels_statistics,
    "nn.functional.dropout3d": _channels_statistics,
    "nn.functional.rrelu": _rrelu_statistics,
    **dict.fromkeys(_ALPHA_DROPS, _alpha_statistics),
    "normal": _normal_statistics,
    "rand_like": _rand_like_statistics,
    "randint": _randint_statistics,
    "randint_like": _randint_like_statistics,
    "randn": _randn_statistics,
    "randn_like": _randn_like_statistics,
}
