"""Planted rules that no check can catch, because they equal the right rule for every input."""

from __future__ import annotations

_LAST = "a slice that starts so far from the end starts at the same place"
_TWO_GUARDS = (
    "two guards stand before one singular point, one inside the other; where the values are "
    "concerned either is enough"
)

_ONES = "the number 1 for a 0-d tensor of 1"

_POWER = "g * (exponent * _pow(input, where(flat, 0, exponent - 1)))"

EQUIVALENT: dict[str, str] = {
    "cross_entropy_grad.input: input * 0 + 1 -> 1": _ONES,
    "cross_entropy_grad.input: input * 0 -> 0": _ONES,
    "mean_windows.input: len(shape) - len(kernel) -> -len(kernel)": _LAST,
    "mean_windows_grad.input: len(shape) - len(kernel) -> -len(kernel)": _LAST,
    f"_pow.input: where(flat, 0, {_POWER}) -> {_POWER}": _TWO_GUARDS,
    "_pow.input: where(flat, 0, exponent - 1) -> exponent - 1": _TWO_GUARDS,
    "_pow.exponent: where(flat, 0, g * (out * log(where(flat, 1, input)))) -> "
    "g * (out * log(where(flat, 1, input)))": _TWO_GUARDS,
    "_pow.exponent: where(flat, 1, input) -> input": _TWO_GUARDS,
    "_pow.exponent: out * -math.inf -> -math.inf": "there the result is infinite",
    "angle.input: where(input == 0, 1, input) -> input": _TWO_GUARDS,
    "sinc.input: where(near, 1, square) -> square": _TWO_GUARDS,
    "xlogy.input: where(flat, 1, other) -> other": _TWO_GUARDS,
    "xlog1py.input: where(flat, 0, other) -> other": _TWO_GUARDS,
}
"""By the line that `python -m tests.mutants` prints, with the reason."""
