"""Comparing what a program printed with what a page says it prints."""

import difflib
import re

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?")


def last_place(number: str) -> float:
    """One unit in the last place that was printed: 0.01 for 3.14, 0 for a whole number."""
    digits, _, exponent = number.partition("e")
    _, dot, decimals = digits.partition(".")
    return 10.0 ** (int(exponent or 0) - len(decimals)) if dot or exponent else 0.0


def same_line(actual: str, expected: str) -> bool:
    """Equal words, and numbers within one unit in the last place: sums round differently on
    different processors.
    """
    if _NUMBER.sub("#", actual).split() != _NUMBER.sub("#", expected).split():
        return False
    pairs = zip(_NUMBER.findall(actual), _NUMBER.findall(expected), strict=True)
    return all(
        abs(float(a) - float(b)) <= 1.001 * max(last_place(a), last_place(b)) for a, b in pairs
    )


def assert_printed(actual: str, expected: str) -> None:
    """Fail with a line-by-line comparison where a program printed something else."""
    got, wanted = actual.rstrip().splitlines(), expected.rstrip().splitlines()
    same = len(got) == len(wanted) and all(map(same_line, got, wanted))
    assert same, "\n" + "\n".join(difflib.unified_diff(wanted, got, "the page", "printed"))
