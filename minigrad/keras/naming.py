"""The names that layers, operations and models get when none is given: dense, dense_1, ..."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from minigrad.errors import ArgumentError

_used: Counter[str] = Counter()


def snake_case(name: str) -> str:
    """`max_pooling2d` for `MaxPooling2D`, as Keras writes it.

    >>> snake_case("LeakyReLU")
    'leaky_re_lu'
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def unique_name(prefix: str) -> str:
    """The prefix itself the first time it is asked for, then `prefix_1`, `prefix_2`, ..."""
    count = _used[prefix]
    _used[prefix] += 1
    return f"{prefix}_{count}" if count else prefix


def check_name(name: Any, owner: str) -> str:
    """The name, if it is one. Raises ArgumentError for anything but a non-empty string."""
    if not isinstance(name, str) or not name:
        raise ArgumentError(f"{owner}: name must be a non-empty string, got {name!r}")
    if "/" in name:
        raise ArgumentError(
            f"{owner}: name may hold no '/', which separates the parts of a path, got {name!r}"
        )
    return name


def clear_session(free_memory: bool = True) -> None:
    """Start the numbering of names anew: the next Dense is called "dense" again."""
    _used.clear()
