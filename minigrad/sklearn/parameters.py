"""Checks of an estimator's parameters at `fit`: the errors name the parameter and its range."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

from minigrad.errors import ArgumentError


def refuse(estimator: Any, name: str, wanted: str, hint: str = "") -> None:
    """Raise ArgumentError for the parameter of this name, which must be `wanted`."""
    found = getattr(estimator, name)
    raise ArgumentError(
        f"The {name!r} parameter of {type(estimator).__name__} must be {wanted}. "
        f"Got {found!r} instead.{hint}"
    )


def check_whole(estimator: Any, name: str, low: int = 1) -> None:
    """An integer of at least `low`."""
    value = getattr(estimator, name)
    if isinstance(value, bool) or not isinstance(value, Integral) or value < low:
        refuse(estimator, name, f"an integer of at least {low}")


def check_number(
    estimator: Any,
    name: str,
    low: float,
    high: float = math.inf,
    *,
    open_low: bool = False,
    open_high: bool = True,
) -> None:
    """A number in the range from `low` to `high`; an end that is open is not in it."""
    value: Any = getattr(estimator, name)
    is_flag: Any = isinstance(value, bool)
    if not is_flag and isinstance(value, Real):
        number = float(value)
        above = number > low if open_low else number >= low
        below = number < high if open_high else number <= high
        if above and below:
            return
    left, right = "(" if open_low else "[", ")" if open_high else "]"
    refuse(estimator, name, f"a number in the range {left}{low:g}, {high:g}{right}")


def check_verbose(estimator: Any) -> None:
    """A number of at least 0, or True as scikit-learn's own estimators take it."""
    if not isinstance(estimator.verbose, bool):
        check_whole(estimator, "verbose", low=0)


def check_flag(estimator: Any, name: str) -> None:
    """True or False, or a NumPy bool."""
    value = getattr(estimator, name)
    if not (isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")):
        refuse(estimator, name, "True or False")


def check_choice(estimator: Any, name: str, choices: Iterable[Any]) -> None:
    """One of the choices; the error names the nearest of them."""
    known = list(choices)
    value = getattr(estimator, name)
    if not any(value is choice or (isinstance(value, str) and value == choice) for choice in known):
        refuse(estimator, name, "one of " + ", ".join(map(repr, known)), nearest_hint(value, known))


def lookup(estimator: Any, name: str, known: Mapping[str, Any]) -> Any:
    """What the string stands for, whatever its case; the error names the nearest known one."""
    value = getattr(estimator, name)
    if isinstance(value, str):
        for key, found in known.items():
            if key.lower() == value.lower():
                return found
    refuse(estimator, name, "one of " + ", ".join(map(repr, known)), nearest_hint(value, known))
    return None


def nearest_hint(value: Any, known: Iterable[Any]) -> str:
    """' Did you mean …?', where one of the names is near."""
    names = {name.lower(): name for name in known if isinstance(name, str)}
    near = difflib.get_close_matches(str(value).lower(), names, n=1)
    return f" Did you mean {names[near[0]]!r}?" if near else ""


def refuse_unknown(
    kind: type[Any], parameters: Iterable[str], otherwise: Mapping[str, str]
) -> None:
    """Raise TypeError for a parameter that the estimator has not, with what to write instead."""
    known = kind._get_param_names()
    for name in parameters:
        if name not in known:
            hint = f" Write {otherwise[name]}." if name in otherwise else nearest_hint(name, known)
            raise TypeError(
                f"{kind.__name__}() has no parameter {name!r}.{hint} "
                f"Its parameters are {', '.join(known)}"
            )
