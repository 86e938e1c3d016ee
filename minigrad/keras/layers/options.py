"""The initializer, regularizer and constraint that a layer takes for each of its weights."""

from __future__ import annotations

from typing import Any

from minigrad.keras import constraints, initializers, regularizers

__all__: list[str] = []


def keep(layer: Any, weight: str, initializer: Any, regularizer: Any, constraint: Any) -> None:
    """Keep what was given for a weight as `kernel_initializer` and so on, made into objects."""
    setattr(layer, f"{weight}_initializer", initializers.get(initializer))
    setattr(layer, f"{weight}_regularizer", regularizers.get(regularizer))
    setattr(layer, f"{weight}_constraint", constraints.get(constraint))


def options(layer: Any, weight: str) -> dict[str, Any]:
    """What was kept, as `Layer.track` and `add_weight` take it."""
    return {
        "initializer": getattr(layer, f"{weight}_initializer"),
        "regularizer": getattr(layer, f"{weight}_regularizer"),
        "constraint": getattr(layer, f"{weight}_constraint"),
    }
