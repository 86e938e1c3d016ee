"""Comparing what a program printed with what a page says it prints."""

import difflib
import re

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?%?")


def read(number: str) -> tuple[float, float]:
    """A number and one unit in the last place that was printed: 0.01 for 3.14, 1 for 96%.

    A whole number is a count, and has none.
    """
    digits, _, exponent = number.rstrip("%").partition("e")
    _, dot, decimals = digits.partition(".")
    rounded = dot or exponent or number.endswith("%")
    unit = 10.0 ** (int(exponent or 0) - len(decimals)) if rounded else 0.0
    return float(number.rstrip("%")), unit


def same_line(actual: str, expected: str) -> bool:
    """Equal words, and numbers within one unit in the last place: sums round differently on
    different processors.
    """
    if _NUMBER.sub("#", actual).split() != _NUMBER.sub("#", expected).split():
        return False
    pairs = zip(_NUMBER.findall(actual), _NUMBER.findall(expected), strict=True)
    for (a, unit), (b, other) in (map(read, pair) for pair in pairs):
        if abs(a - b) > 1.001 * max(unit, other):
            return False
    return True


def assert_printed(actual: str, expected: str) -> None:
    """Fail with a line-by-line comparison where a program printed something else."""
    got, wanted = actual.rstrip().splitlines(), expected.rstrip().splitlines()
    same = len(got) == len(wanted) and all(map(same_line, got, wanted))
    assert same, "\n" + "\n".join(difflib.unified_diff(wanted, got, "the page", "printed"))
