"""Differentiation: backward, grad, custom functions, gradient checks."""

import importlib
from typing import Any

from minigrad.absent import missing
from minigrad.autograd.backward import backward, grad
from minigrad.autograd.function import Function, once_differentiable
from minigrad.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from minigrad.autograd.variable import Variable
from minigrad.modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)

__all__ = [
    "Function",
    "GradcheckError",
    "Variable",
    "backward",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_grad_enabled",
    "no_grad",
    "once_differentiable",
    "set_grad_enabled",
]


def __getattr__(name: str) -> Any:
    # Transforms are loaded when they are first used.
    if name in ("forward_ad", "functional"):
        return importlib.import_module(f"minigrad.autograd.{name}")
    raise missing("minigrad.autograd", name)
