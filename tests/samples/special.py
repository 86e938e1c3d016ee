"""Rows of the special functions, and of numbers taken apart."""

from __future__ import annotations

import math
from typing import Any

import numpy

from tests.samples.elementwise import REAL, Reference, binary, unary
from tests.samples.row import Row, Sample, sample, torch
from tests.samples.source import Source

POSITIVE = "fiu"
POLES = (-2.0, -1.0, 0.0)

FAMILIES = {
    **{f"{shifted}{kind}": f"{shifted.replace(' ', '_')}chebyshev_polynomial_{kind}"
       for shifted in ("", "shifted ") for kind in "tuvw"},
    "h": "hermite_polynomial_h", "he": "hermite_polynomial_he", "l": "laguerre_polynomial_l",
    "p": "legendre_polynomial_p",
}  # fmt: skip


def polynomial_sample(s: Source) -> Sample:
    """Degrees off the whole numbers, where the cut jumps; one may be a number."""
    first, second = s.pair()
    constants = {"family": s.pick(tuple(FAMILIES)), "order": 0}
    x = s.floats(first, 0, 2) if s.dtype.kind == "u" else s.floats(first)
    number = s.pick((None, 0, 1, 3, 4.5))
    if number is not None:
        return sample(x, number if s.dtype.kind == "f" else int(number), **constants)
    n = s.rng.integers(-1 if s.dtype.kind != "u" else 0, 6, second)
    return sample(x, numpy.asarray(n + 0.3 if s.dtype.kind == "f" else n, s.dtype), **constants)


def polynomial(x: Any, n: Any, family: str, order: int) -> Any:
    return getattr(torch.special, FAMILIES[family])(x, n)


def polygamma(x: Any, n: int) -> Any:
    """By the zeta function; torch's own has nine digits for n = 1."""
    if n == 0:
        return torch.digamma(x)
    sign = (-1) ** (n + 1)
    return torch.special.zeta(float(n + 1), x) * (sign * math.factorial(n))


def exact(name: str, output: int | None = None) -> Reference:
    """SciPy's function: torch's own Bessel and Airy functions have seven digits in places.

    Torch has no gradients of these; finite differences judge them.
    """

    def function(x: Any) -> Any:
        from scipy import special

        dtype = x.dtype if x.is_floating_point() else torch.get_default_dtype()
        found = getattr(special, name)(x.numpy(force=True).astype("float64"))
        return torch.as_tensor(found if output is None else found[output]).to(dtype)

    return function


ROWS = {
    "lgamma": unary(lambda x: torch.lgamma(x), away=POLES, kinds=REAL),
    "digamma": unary(lambda x: torch.digamma(x), away=POLES, kinds=POSITIVE),
    "_polygamma": unary(
        polygamma, 0.3, 4.0, constants=tuple({"n": n} for n in (1, 0, 2, 3)), kinds=POSITIVE
    ),
    "zeta": binary(
        lambda x, y: torch.special.zeta(x, y), 1.2, 4.0, other_low=0.3, numbers=(1.5, 2),
        kinds=POSITIVE,
    ),
    "igamma": binary(lambda x, y: torch.igamma(x, y), 0.3, 4.0, kinds="f"),
    "igammac": binary(lambda x, y: torch.igammac(x, y), 0.3, 4.0, kinds="f"),
    "erfcx": unary(lambda x: torch.special.erfcx(x), kinds=REAL),
    "log_ndtr": unary(lambda x: torch.special.log_ndtr(x), -4.0, 4.0, kinds=REAL),
    "ndtri": unary(lambda x: torch.special.ndtri(x), 0.05, 0.95, kinds="f"),
    "i0": unary(lambda x: torch.i0(x), kinds=REAL),
    "i0e": unary(lambda x: torch.special.i0e(x), away=(0,), kinds=REAL, at=(0.0, 1.0)),
    "i1": unary(lambda x: torch.special.i1(x), kinds=REAL, at=(0.0, 1.0)),
    "i1e": unary(lambda x: torch.special.i1e(x), away=(0,), kinds=REAL, at=(0.0, 1.0)),
    "modified_bessel_k0": unary(exact("k0"), 0.3, 4.0, kinds=POSITIVE),
    "modified_bessel_k1": unary(exact("k1"), 0.3, 4.0, kinds=POSITIVE),
    "scaled_modified_bessel_k0": unary(exact("k0e"), 0.3, 4.0, kinds=POSITIVE),
    "scaled_modified_bessel_k1": unary(exact("k1e"), 0.3, 4.0, kinds=POSITIVE),
    "bessel_j0": unary(exact("j0"), -10.0, 10.0, kinds=REAL),
    "bessel_j1": unary(exact("j1"), -10.0, 10.0, kinds=REAL),
    "bessel_y0": unary(exact("y0"), 0.3, 10.0, kinds=POSITIVE),
    "bessel_y1": unary(exact("y1"), 0.3, 10.0, kinds=POSITIVE),
    "spherical_bessel_j0": unary(
        lambda x: torch.special.spherical_bessel_j0(x), -4.0, 4.0, kinds=REAL
    ),
    "airy_ai": unary(exact("airy", 0), -7.0, 4.0, kinds=REAL),
    "_airy_ai_slope": unary(exact("airy", 1), -7.0, 4.0, kinds="f"),
    "_polynomial": Row(polynomial_sample, polynomial, POSITIVE, count=24),
    "_frexp": unary(lambda x: torch.frexp(x), 0.3, 1.9, away=(0.5, 1.0), kinds="f"),
    "nextafter": binary(lambda x, y: torch.nextafter(x, y), apart=True, kinds="f"),
    "gcd": binary(lambda x, y: torch.gcd(x, y), -9, 9, kinds="iu", order=0),
    "lcm": binary(lambda x, y: torch.lcm(x, y), -9, 9, kinds="iu", order=0),
}  # fmt: skip
