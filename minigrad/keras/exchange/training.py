"""What `compile` was given, as a configuration and back."""

from __future__ import annotations

from typing import Any

from minigrad.keras import losses, metrics, optimizers

__all__ = ["compile_config", "compile_from"]


def compile_config(model: Any) -> dict[str, Any]:
    """The optimizer, losses and metrics that the model was compiled with, ready for JSON."""
    given = model._compiled_with
    return {
        "optimizer": optimizers.serialize(given["optimizer"]),
        "loss": _mapped(losses.serialize, given["loss"]),
        "loss_weights": given["loss_weights"],
        "metrics": _mapped(metrics.serialize, given["metrics"]),
        "weighted_metrics": _mapped(metrics.serialize, given["weighted_metrics"]),
    }


def compile_from(model: Any, config: dict[str, Any]) -> None:
    """Compile the model with what `compile_config` gave."""
    model.compile(
        optimizer=optimizers.deserialize(config["optimizer"]),
        loss=_mapped(losses.deserialize, config.get("loss")),
        loss_weights=config.get("loss_weights"),
        metrics=_mapped(metrics.deserialize, config.get("metrics")),
        weighted_metrics=_mapped(metrics.deserialize, config.get("weighted_metrics")),
    )


def _mapped(function: Any, structure: Any) -> Any:
    if structure is None or isinstance(structure, str):
        return structure
    if isinstance(structure, (list, tuple)):
        return [_mapped(function, part) for part in structure]
    if isinstance(structure, dict) and "class_name" not in structure:
        return {name: _mapped(function, part) for name, part in structure.items()}
    return function(structure)
