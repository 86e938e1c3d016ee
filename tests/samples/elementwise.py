"""Rows of the operations on elements: arithmetic, functions, choices, activations, comparisons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy

from tests.samples.row import Row, Sample, sample, torch
from tests.samples.source import Source

Reference = Callable[..., Any]


def unary(
    reference: Reference, low: float = -2.0, high: float = 2.0, *, away: Any = (),
    kinds: str = "fciub", constants: Any = ({},), at: Any = (), order: int = 2,
) -> Row:  # fmt: skip
    """A row for a function of one tensor, between `low` and `high` and off its kinks `away`.

    `constants` are the sets of constants to try; `at` are kinks where torch has a gradient.
    """

    def draw(s: Source) -> Sample:
        return sample(s.floats(s.shape(), low, high, away), **s.pick(constants))

    def kinks(s: Source) -> Sample:
        values = s.rng.choice(numpy.asarray(at, s.dtype), (2, 3))
        return sample(values, **s.pick(constants))

    count = max(6, len(constants) * 3)
    return Row(draw, reference, kinds, order, count, kinks if len(at) else None)


def binary(
    reference: Reference, low: float = -2.0, high: float = 2.0, *, away: Any = (),
    other_low: float | None = None, other_away: Any = (), kinds: str = "fc", numbers: Any = (),
    constants: Any = ({},), apart: bool = False, order: int = 2, ties: Any = (),
    edge: float | None = None,
) -> Row:  # fmt: skip
    """A row for a function of two tensors, or of a tensor and one of `numbers`.

    `apart` keeps the operands unequal; `ties` are pairs of numbers where torch has a gradient,
    `edge` a number that may stand for the second.
    """
    lowest = low if other_low is None else other_low

    def draw(s: Source) -> Sample:
        first, second = s.pair()
        a = s.floats(first, low, high, away)
        number = s.pick((None, None, *numbers)) if len(numbers) else None
        if number is not None:
            # Bools and integers beside floats would be promoted; the row's kinds hold for both.
            number = number if s.dtype.kind in "fc" else int(number) or 1
            return sample(a, number, **s.pick(constants))
        b = s.floats(second, lowest, high, other_away)
        if apart and s.dtype.kind in "fc":
            b = numpy.asarray(b + 0.01 * numpy.sign(numpy.sin(9.0 * b.real)), b.dtype)
        return sample(a, b, **s.pick(constants))

    def equal(s: Source) -> Sample:
        a, b = numpy.array(ties, s.dtype).T
        number = s.pick((None, edge))
        return sample(a, b if number is None else number, **s.pick(constants))

    return Row(draw, reference, kinds, order, 10, equal if len(ties) else None)


def predicate(reference: Reference, kinds: str = "fciub") -> Row:
    """A row for a function whose result has no gradient, drawn with special numbers."""

    def draw(s: Source) -> Sample:
        values = numpy.array(s.floats(s.shape()))
        if s.dtype.kind in "fc" and values.size:
            special = numpy.array([numpy.nan, numpy.inf, -numpy.inf, 0.0, 1.5], s.dtype)
            values = s.rng.choice(special, values.shape)
        return sample(values)

    return Row(draw, reference, kinds, 0)


def comparison(reference: Reference, kinds: str = "fiub", constants: Any = ({},)) -> Row:
    """A row for a function of two tensors, often equal, whose result has no gradient."""

    def draw(s: Source) -> Sample:
        first, second = s.pair()
        if s.dtype.kind in "fc":
            a, b = (s.rng.integers(-1, 2, shape).astype(s.dtype) for shape in (first, second))
        else:
            a, b = s.floats(first, 0, 3), s.floats(second, 0, 3)
        return sample(a, b, **s.pick(constants))

    return Row(draw, reference, kinds, 0, 9)


def where_sample(s: Source) -> Sample:
    first, second = s.pair()
    shape = numpy.broadcast_shapes(first, second)
    return sample(s.floats(first), s.floats(second), condition=s.bools(shape))


def lerp_sample(s: Source) -> Sample:
    first, second = s.pair()
    weight = s.pick((None, 0.3, 0.8))
    if weight is None:
        weight = s.floats(s.pick((second, ())), 0.0, 1.0, (0.5,))
    return sample(s.floats(first), s.floats(second), weight)


def pow_sample(s: Source) -> Sample:
    """Powers of positive numbers, and integer powers of any."""
    first, second = s.pair()
    form = s.pick(("tensors", "number", "square", "base", "zeroth", "complex"))
    if s.dtype.kind not in "fc":
        return sample(s.floats(first, 0, 3), s.floats(second, 0, 3))
    if form == "tensors":
        return sample(s.floats(first, 0.3, 2.0), s.floats(second, -2.0, 2.0, (0.0,)))
    if form == "base":
        return sample(s.pick((1.7, 2)), s.floats(second))
    if form == "complex" and s.dtype.kind == "c":
        return sample(s.floats(first, 0.3, 2.0), s.pick((1.5 - 0.5j, 2j)))
    exponents = {"square": (2, 2.0), "zeroth": (0, 1), "complex": (3,)}
    exponent = s.pick(exponents.get(form, (-2, 3, 0.5, -0.5, 1.7, -1)))
    return sample(s.floats(first, 0.3, 2.0), exponent)


def pow_kinks(s: Source) -> Sample:
    """Zeros and ones as base and as exponent."""
    base = numpy.array([0.0, 0.0, 0.0, 1.0, 2.0])
    exponent = numpy.array([0.0, 2.0, 0.5, 0.0, 0.0])
    falling = numpy.array([-1.0, 2.0, -2.0, 0.0, -1.0, -0.5])
    return s.pick((
        sample(base, exponent), sample(0, exponent), sample(base, 2), sample(base, 0),
        sample(0, falling), sample(0.0, falling),
    ))  # fmt: skip


def nan_to_num_sample(s: Source) -> Sample:
    values = numpy.array(s.floats(s.shape()))
    return sample(values, nan=0.0, posinf=None, neginf=None)


def nan_to_num_kinks(s: Source) -> Sample:
    values = numpy.array([numpy.nan, numpy.inf, -numpy.inf, 1.0])
    return sample(values, nan=s.pick((0.0, 2.0)), posinf=s.pick((None, 5.0)), neginf=None)


def dtype_of(to: Any) -> Any:
    return getattr(torch, str(numpy.dtype(to)))


def cast_reference(x: Any, to: Any) -> Any:
    return (x.real if x.is_complex() and numpy.dtype(to).kind != "c" else x).to(dtype_of(to))


def divide(rounding: str | None) -> Reference:
    return lambda x, y: torch.div(x, y, rounding_mode=rounding)


def share(x: Any, y: Any) -> Any:
    return (x > y).to(x.dtype) + (x == y).to(x.dtype) / 2


def elu(x: Any, alpha: float, scale: float, rate: float) -> Any:
    return scale * torch.where(x > 0, x, alpha * torch.expm1(x.clamp(max=0) * rate))


def elu_slope(x: Any, alpha: float, scale: float, rate: float) -> Any:
    inside = alpha * scale * rate * torch.exp(x.clamp(max=0) * rate)
    return torch.where(x > 0, torch.full_like(x, scale), inside)


def softplus_slope(x: Any, beta: float, threshold: float) -> Any:
    return torch.where(x * beta > threshold, torch.ones_like(x), torch.sigmoid(x * beta))


def silu_slope(x: Any) -> Any:
    gate = torch.sigmoid(x)
    return gate * (1 + x * (1 - gate))


def gelu_slope(x: Any) -> Any:
    return torch.special.ndtr(x) + x * torch.exp(-x * x / 2) / (2 * torch.pi) ** 0.5


def gelu_tanh_slope(x: Any) -> Any:
    steep = (2 / torch.pi) ** 0.5
    bend = torch.tanh(steep * (x + 0.044715 * x**3))
    return (1 + bend + x * (1 - bend * bend) * steep * (1 + 3 * 0.044715 * x * x)) / 2


def grad_of(slope: Reference) -> Reference:
    """The cotangent of the input of a function whose slope this is."""
    return lambda g, x, **constants: g * slope(x, **constants)


def gradient(slope: Reference, constants: Any = ({},), away: Any = ()) -> Row:
    """A row for the gradient of a function of one tensor, of a cotangent and that tensor."""

    def draw(s: Source) -> Sample:
        shape = s.shape()
        inputs = s.floats(shape, -2.0, 2.0), s.floats(shape, -2.0, 2.0, away)
        return sample(*inputs, **s.pick(constants))

    return Row(draw, grad_of(slope), "f", 2, max(6, 3 * len(constants)))


def hardswish_slope(x: Any) -> Any:
    return torch.where(x >= 3, torch.ones_like(x), torch.where(x > -3, x / 3 + 0.5, x * 0))


def step(condition: Any, x: Any, high: float, low: float) -> Any:
    full = torch.full_like
    return torch.where(condition, full(x, high), full(x, low))


DOUBLES = ({"to": numpy.dtype("float64")}, {"to": numpy.dtype("complex128")})
WHOLE = ({"to": numpy.dtype("int64")}, {"to": numpy.dtype("bool")}, {"to": numpy.dtype("uint8")})
ELU = (
    {"alpha": 1.0, "scale": 1.0, "rate": 1.0}, {"alpha": 1.67, "scale": 1.05, "rate": 1.0},
    {"alpha": 0.7, "scale": 1.0, "rate": 1.6},
)  # fmt: skip
CLAMP = ({"low": -0.5, "high": 1.0}, {"low": None, "high": 1.0}, {"low": -0.5, "high": None})
SOFTPLUS = ({"beta": 1.0, "threshold": 20.0}, {"beta": 2.0, "threshold": 1.0})
HARD = ({"low": -1.0, "high": 1.0}, {"low": -0.4, "high": 1.3})
INSIDE = ({"low": -1.0, "high": 1.0, "slope": 1.0}, {"low": -0.4, "high": 1.3, "slope": 0.5})
REAL = "fiub"
FLOAT = "f"

EQUAL = [(x, y) for x in (-1.0, 0.0, 1.0) for y in (-1.0, 0.0, 1.0)]
BOTH_ZERO = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]
MINUS = [(-numpy.inf, -numpy.inf), (-numpy.inf, 0.5), (0.5, -numpy.inf)]
BESIDE_LOG = [(0.0, 0.0), (0.0, 1.0), (0.0, -1.0), (1.0, 1.0), (0.0, -0.5)]

ARITHMETIC = {
    "_add": binary(lambda x, y: torch.add(x, y), kinds="fciub", numbers=(1.5, 2)),
    "_sub": binary(lambda x, y: torch.sub(x, y), kinds="fciu", numbers=(1.5, 2)),
    "mul": binary(lambda x, y: torch.mul(x, y), kinds="fciub", numbers=(1.5, 2)),
    "_div": binary(lambda x, y: torch.div(x, y), kinds="fciu", other_low=0.5, numbers=(1.5, 2)),
    "floor_divide": binary(divide("floor"), away=(0,), other_low=0.9, kinds="fiu"),
    "_truncate_divide": binary(divide("trunc"), away=(0,), other_low=0.9, kinds="fiu"),
    "remainder": binary(lambda x, y: torch.remainder(x, y), other_low=0.9, kinds="fiu"),
    "fmod": binary(lambda x, y: torch.fmod(x, y), other_low=0.9, kinds="fiu"),
    "neg": unary(lambda x: torch.neg(x), kinds="fciu"),
    "abs": unary(lambda x: torch.abs(x), away=(0,), kinds="fciu", at=(0.0, 1.0)),
    "sign": unary(lambda x: torch.sign(x), away=(0,), kinds=REAL, at=(0.0, 1.0, -1.0)),
    "sgn": unary(lambda x: torch.sgn(x), away=(0,), at=(0.0, 1.0, -1.0)),
    "_conj": unary(lambda x: torch.conj_physical(x), kinds="fc"),
    "_real": unary(lambda x: torch.real(x), kinds="c"),
    "_imag": unary(lambda x: torch.imag(x), kinds="c"),
    "angle": unary(lambda x: torch.angle(x), away=(0,), at=(0.0, 1.0, -1.0)),
    "lerp": Row(lerp_sample, lambda x, y, w: torch.lerp(x, y, w), "fc", count=12),
    "zero": unary(lambda x: torch.zeros_like(x)),
    "cast": unary(cast_reference, constants=DOUBLES, kinds="fc"),
    "discretize": unary(cast_reference, constants=WHOLE, kinds="fiub", low=0, order=0),
    "_pow": Row(pow_sample, lambda x, y: torch.pow(x, y), "fciu", count=20, kinks=pow_kinks),
    "hypot": binary(lambda x, y: torch.hypot(x, y), away=(0,), kinds="f", ties=BOTH_ZERO),
    "atan2": binary(lambda x, y: torch.atan2(x, y), other_low=0.3, kinds="fiu", ties=BOTH_ZERO),
    "copysign": binary(lambda x, y: torch.copysign(x, y), away=(0,), other_away=(0,), kinds="fi"),
    "logaddexp": binary(lambda x, y: torch.logaddexp(x, y), kinds="f", ties=MINUS),
    "logaddexp2": binary(lambda x, y: torch.logaddexp2(x, y), kinds="f", ties=MINUS),
    "xlogy": binary(
        lambda x, y: torch.xlogy(x, y),
        other_low=0.3,
        kinds="fi",
        numbers=(1.5,),
        ties=BESIDE_LOG,
        edge=0.0,
    ),
    "xlog1py": binary(
        lambda x, y: torch.special.xlog1py(x, y),
        other_low=-0.6,
        kinds="fi",
        numbers=(1.5,),
        ties=BESIDE_LOG,
        edge=-1.0,
    ),
}

CHOICES = {
    "_where": Row(
        where_sample, lambda x, y, condition: torch.where(condition, x, y), "fciub", count=9
    ),
    "_share": replace(comparison(share, "f")),
    "maximum": binary(
        lambda x, y: torch.maximum(x, y), apart=True, kinds="fiub", ties=EQUAL
    ),
    "minimum": binary(
        lambda x, y: torch.minimum(x, y), apart=True, kinds="fiub", ties=EQUAL
    ),
    "fmax": binary(lambda x, y: torch.fmax(x, y), apart=True, kinds="fiub", ties=EQUAL),
    "fmin": binary(lambda x, y: torch.fmin(x, y), apart=True, kinds="fiub", ties=EQUAL),
    "clamp_min": binary(
        lambda x, y: torch.clamp_min(x, y), apart=True, kinds="fiu", ties=EQUAL
    ),
    "clamp_max": binary(
        lambda x, y: torch.clamp_max(x, y), apart=True, kinds="fiu", ties=EQUAL
    ),
    "heaviside": binary(lambda x, y: torch.heaviside(x, y), away=(0,), kinds="fi"),
    "_clamp": unary(
        lambda x, low, high: torch.clamp(x, low, high),
        away=(-0.5, 1.0), constants=CLAMP, kinds="f", at=(-0.5, 1.0, 0.0, 2.0),
    ),
    "_within": unary(
        lambda x, low, high: (x >= (-9 if low is None else low))
        & (x <= (9 if high is None else high)),
        constants=CLAMP, kinds="f", order=0,
    ),
    "_nan_to_num": Row(
        nan_to_num_sample,
        lambda x, nan, posinf, neginf: torch.nan_to_num(x, nan, posinf, neginf),
        "f",
        kinks=nan_to_num_kinks,
    ),
}  # fmt: skip

FUNCTIONS = {
    "exp": unary(lambda x: torch.exp(x)),
    "exp2": unary(lambda x: torch.exp2(x)),
    "expm1": unary(lambda x: torch.expm1(x)),
    "log": unary(lambda x: torch.log(x), 0.3, 3.0, kinds="fci"),
    "log2": unary(lambda x: torch.log2(x), 0.3, 3.0, kinds="fci"),
    "log10": unary(lambda x: torch.log10(x), 0.3, 3.0, kinds="fci"),
    "log1p": unary(lambda x: torch.log1p(x), -0.6, 3.0, kinds="fci"),
    "sin": unary(lambda x: torch.sin(x)),
    "cos": unary(lambda x: torch.cos(x)),
    "tan": unary(lambda x: torch.tan(x), -1.0, 1.0),
    "asin": unary(lambda x: torch.asin(x), -0.8, 0.8),
    "acos": unary(lambda x: torch.acos(x), -0.8, 0.8),
    "atan": unary(lambda x: torch.atan(x)),
    "sinh": unary(lambda x: torch.sinh(x)),
    "cosh": unary(lambda x: torch.cosh(x)),
    "tanh": unary(lambda x: torch.tanh(x)),
    "asinh": unary(lambda x: torch.asinh(x)),
    "acosh": unary(lambda x: torch.acosh(x), 1.3, 3.0, kinds="fci"),
    "atanh": unary(lambda x: torch.atanh(x), -0.8, 0.8),
    "sqrt": unary(lambda x: torch.sqrt(x), 0.3, 3.0, kinds="fci"),
    "rsqrt": unary(lambda x: torch.rsqrt(x), 0.3, 3.0, kinds="fci"),
    "reciprocal": unary(lambda x: torch.reciprocal(x), 0.3, 3.0, kinds="fci"),
    "deg2rad": unary(lambda x: torch.deg2rad(x), -90, 90, kinds="fiu"),
    "rad2deg": unary(lambda x: torch.rad2deg(x), kinds="fiu"),
    "floor": unary(lambda x: torch.floor(x), away=(-1, 0, 1), kinds="fiu"),
    "ceil": unary(lambda x: torch.ceil(x), away=(-1, 0, 1), kinds="fiu"),
    "trunc": unary(lambda x: torch.trunc(x), away=(-1, 0, 1), kinds="fiu"),
    "frac": unary(lambda x: torch.frac(x), away=(-1, 0, 1), kinds="f"),
    "_round": unary(
        lambda x, decimals: torch.round(x, decimals=decimals), away=(-1.5, -0.5, 0.5, 1.5),
        constants=({"decimals": 0},), kinds="f", at=(0.5, 1.5, -0.5, 2.5),
    ),
    "erf": unary(lambda x: torch.erf(x), kinds=REAL),
    "erfc": unary(lambda x: torch.erfc(x), kinds=REAL),
    "erfinv": unary(lambda x: torch.erfinv(x), -0.8, 0.8, kinds="f"),
    "sigmoid": unary(lambda x: torch.sigmoid(x), kinds="fciub"),
    "_logit": unary(lambda x: torch.logit(x), 0.2, 0.8, kinds="f"),
    "entr": unary(lambda x: torch.special.entr(x), 0.3, 3.0, kinds="fi"),
    "sinc": unary(lambda x: torch.sinc(x), kinds="fci", at=(0.0, 0.5)),
}  # fmt: skip

ACTIVATIONS = {
    "relu": unary(lambda x: torch.relu(x), away=(0,), kinds="fiu", at=(0.0, 1.0)),
    "_inside": unary(
        lambda x, low, high, slope: step((x > low) & (x < high), x, slope, 0.0), order=0,
        constants=INSIDE, kinds="f",
    ),
    "_leaky_relu": unary(
        lambda x, negative_slope: torch.nn.functional.leaky_relu(x, negative_slope),
        away=(0,), constants=({"negative_slope": 0.1}, {"negative_slope": -0.3}), kinds="f",
        at=(0.0, 1.0),
    ),
    "_elu": unary(elu, away=(0,), constants=ELU, kinds="f", at=(0.0, 1.0, -1.0)),
    "_elu_slope": unary(elu_slope, away=(0,), constants=ELU, kinds="f"),
    "_steps_below": unary(
        lambda x, rate: step(x <= 0, x, rate, 0.0), constants=({"rate": 1.0}, {"rate": 2.0}),
        kinds="f", order=0,
    ),
    "_softplus": unary(
        lambda x, beta, threshold: torch.nn.functional.softplus(x, beta, threshold),
        away=(0.5,), constants=SOFTPLUS, kinds="f",
    ),
    "_softplus_grad": gradient(softplus_slope, SOFTPLUS, away=(0.5,)),
    "logsigmoid": unary(lambda x: torch.nn.functional.logsigmoid(x), away=(0,), kinds="f"),
    "silu": unary(lambda x: torch.nn.functional.silu(x), kinds="f"),
    "_silu_grad": gradient(silu_slope),
    "mish": unary(lambda x: torch.nn.functional.mish(x), kinds="f"),
    "_gelu": unary(lambda x: torch.nn.functional.gelu(x), kinds="f"),
    "_gelu_grad": gradient(gelu_slope),
    "_gelu_tanh_grad": gradient(gelu_tanh_slope),
    "_sigmoid_grad": gradient(lambda y: y * (1 - y)),
    "_tanh_grad": gradient(lambda y: 1 - y * y),
    "_relu_grad": gradient(lambda y: step(y > 0, y, 1.0, 0.0), away=(0,)),
    "_leaky_relu_grad": gradient(
        lambda x, slope: step(x > 0, x, 1.0, slope), away=(0,),
        constants=({"slope": 0.1}, {"slope": -0.3}),
    ),
    "_gelu_tanh": unary(
        lambda x: torch.nn.functional.gelu(x, approximate="tanh"), kinds="f"
    ),
    "_hardtanh": unary(
        lambda x, low, high: torch.nn.functional.hardtanh(x, low, high),
        away=(-1.0, 1.0, -0.4, 1.3), constants=HARD, kinds="f", at=(-1.0, 1.0, 0.0, 2.0),
    ),
    "hardsigmoid": unary(
        lambda x: torch.nn.functional.hardsigmoid(x), -5, 5, away=(-3, 3), kinds="f",
        at=(-3.0, 3.0, 0.0),
    ),
    "_hardswish_slope": unary(hardswish_slope, -5, 5, away=(-3, 3), kinds="f"),
    "hardswish": unary(
        lambda x: torch.nn.functional.hardswish(x), -5, 5, away=(-3, 3), kinds="f",
        at=(-4.0, 4.0, 0.0),
    ),
    "_hardshrink": unary(
        lambda x, lambd: torch.nn.functional.hardshrink(x, lambd), away=(-0.5, 0.5, -1.2, 1.2),
        constants=({"lambd": 0.5}, {"lambd": 1.2}), kinds="f", at=(-0.5, 0.5, 0.0, 1.2),
    ),
    "_softshrink": unary(
        lambda x, lambd: torch.nn.functional.softshrink(x, lambd), away=(-0.5, 0.5, -1.2, 1.2),
        constants=({"lambd": 0.5}, {"lambd": 1.2}), kinds="f", at=(-0.5, 0.5, 0.0, 1.2),
    ),
}  # fmt: skip

COMPARISONS = {
    "eq": comparison(lambda x, y: torch.eq(x, y), "fciub"),
    "ne": comparison(lambda x, y: torch.ne(x, y), "fciub"),
    "lt": comparison(lambda x, y: torch.lt(x, y)),
    "le": comparison(lambda x, y: torch.le(x, y)),
    "gt": comparison(lambda x, y: torch.gt(x, y)),
    "ge": comparison(lambda x, y: torch.ge(x, y)),
    "_isclose": comparison(
        lambda x, y, rtol, atol, equal_nan: torch.isclose(x, y, rtol, atol, equal_nan),
        "fci", ({"rtol": 1e-5, "atol": 1e-8, "equal_nan": False},),
    ),
    "isnan": predicate(lambda x: torch.isnan(x)),
    "isinf": predicate(lambda x: torch.isinf(x)),
    "isfinite": predicate(lambda x: torch.isfinite(x)),
    "isposinf": predicate(lambda x: torch.isposinf(x), REAL),
    "isneginf": predicate(lambda x: torch.isneginf(x), REAL),
    "isreal": predicate(lambda x: torch.isreal(x)),
    "signbit": predicate(lambda x: torch.signbit(x), REAL),
    "logical_not": predicate(lambda x: torch.logical_not(x)),
    "logical_and": comparison(lambda x, y: torch.logical_and(x, y), "fciub"),
    "logical_or": comparison(lambda x, y: torch.logical_or(x, y), "fciub"),
    "logical_xor": comparison(lambda x, y: torch.logical_xor(x, y), "fciub"),
    "bitwise_not": predicate(lambda x: torch.bitwise_not(x), "iub"),
    "bitwise_and": comparison(lambda x, y: torch.bitwise_and(x, y), "iub"),
    "bitwise_or": comparison(lambda x, y: torch.bitwise_or(x, y), "iub"),
    "bitwise_xor": comparison(lambda x, y: torch.bitwise_xor(x, y), "iub"),
    "bitwise_left_shift": comparison(lambda x, y: torch.bitwise_left_shift(x, y), "iu"),
    "bitwise_right_shift": comparison(lambda x, y: torch.bitwise_right_shift(x, y), "iu"),
}  # fmt: skip

ROWS = {**ARITHMETIC, **CHOICES, **FUNCTIONS, **ACTIVATIONS, **COMPARISONS}
