"""GradScaler: the loss is multiplied, the gradients divided, and steps with overflow left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy

from minigrad.backend import to_numpy
from minigrad.errors import GraphError
from minigrad.graph import Traced

__all__ = ["GradScaler"]


class GradScaler:
    """Scales losses so that small float16 gradients do not vanish (Micikevicius et al. 2018).

    The scale is multiplied by `backoff_factor` after a step whose gradients were not finite, which
    is left out, and by `growth_factor` after `growth_interval` steps without one. With
    `enabled=False` everything is as without it.

    >>> from minigrad import optim
    >>> weight = minigrad.ones(1, requires_grad=True)
    >>> optimizer = optim.SGD([weight], lr=0.5)
    >>> scaler = GradScaler()
    >>> scaler.scale(weight.sum()).backward()
    >>> scaler.step(optimizer)
    >>> scaler.update()
    >>> weight
    tensor([0.5000], requires_grad=True)
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 65536.0,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._enabled = enabled
        self._scale = init_scale
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._good_steps = 0
        # By the id of an optimizer: whether its gradients were divided, and were finite.
        self._unscaled: dict[int, bool] = {}

    def is_enabled(self) -> bool:
        """Whether anything is scaled."""
        return self._enabled

    def get_scale(self) -> float:
        """What the next loss is multiplied by."""
        return self._scale if self._enabled else 1.0

    def scale(self, outputs: Any) -> Any:
        """The loss, or each of a list of losses, multiplied."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Traced):
            return outputs * self._scale  # type: ignore[operator]
        if isinstance(outputs, Iterable):
            return type(outputs)(map(self.scale, outputs))  # type: ignore[call-arg]
        raise TypeError(f"scale(): outputs are Tensors, not {type(outputs).__name__}")

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of an optimizer's parameters, so that they can be clipped."""
        if not self._enabled:
            return
        if id(optimizer) in self._unscaled:
            raise GraphError(
                "unscale_(): the gradients of this optimizer were divided already since the last "
                "update()"
            )
        finite = True
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.grad = parameter.grad / self._scale
                    finite = finite and bool(numpy.isfinite(to_numpy(parameter.grad._array)).all())
        self._unscaled[id(optimizer)] = finite

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """The optimizer's step, left out where a gradient is not finite."""
        if self._enabled:
            if id(optimizer) not in self._unscaled:
                self.unscale_(optimizer)
            if not self._unscaled[id(optimizer)]:
                return None
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale: float | None = None) -> None:
        """Set the scale for the next step."""
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not all(self._unscaled.values()):
            self._scale *= self._backoff_factor
            self._good_steps = 0
        else:
            self._good_steps += 1
            if self._good_steps == self._growth_interval:
                self._scale *= self._growth_factor
                self._good_steps = 0
        self._unscaled = {}

    def state_dict(self) -> dict[str, Any]:
        """The scale and what moves it, under torch's names."""
        if not self._enabled:
            return {}
        return {
            "scale": self._scale,
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._good_steps,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up a saved state."""
        if not self._enabled:
            return
        self._scale = state_dict["scale"]
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._good_steps = state_dict["_growth_tracker"]
