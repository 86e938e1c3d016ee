"""Where the modules and names of torch are in minigrad."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType
from typing import Any

__all__ = ["find", "module_for"]

# Files of torch whose names minigrad has in the package above them, or elsewhere.
_MOVED = {
    "amp.grad_scaler": "amp",
    "autograd.variable": "autograd",
    "cuda.amp": "amp",
    "cuda.random": "cuda",
    "functional": "",
    "nn.parameter": "nn",
    "nn.modules": "nn",
    "nn.modules.module": "nn",
    "nn.utils.clip_grad": "nn.utils",
    "nn.utils.convert_parameters": "nn.utils",
    "types": "",
    "utils.data.dataloader": "utils.data",
    "utils.data.dataset": "utils.data",
    "utils.data.sampler": "utils.data",
    "utils.data._utils.collate": "utils.data",
}


def module_for(path: str) -> ModuleType | None:
    """The module that stands for torch's module of this path ("nn.modules.conv"), or None."""
    if path.startswith("nn.modules."):
        path = "nn"
    path = _MOVED.get(path, path)
    name = f"minigrad.{path}" if path else "minigrad"
    parent = name.rpartition(".")[0]
    try:
        if parent not in ("", "minigrad") and module_for(parent.partition(".")[2]) is None:
            return None
        found = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None
    if found is None:
        return None
    importlib.import_module(parent or name)
    above = getattr(importlib.import_module(parent), path.rpartition(".")[2], None) if (
        parent
    ) else None  # fmt: skip
    module = importlib.import_module(name)
    if above is not None and not isinstance(above, ModuleType):
        # `autograd.gradcheck` is the function; importing its file has put the module in its place.
        setattr(importlib.import_module(parent), path.rpartition(".")[2], above)
    return module


def find(dotted: str) -> Any:
    """The object of minigrad for a name of torch such as "torch.nn.functional.relu".

    Raises AttributeError, which explains, where there is none.
    """
    parts = dotted.split(".")[1:]
    found: Any = importlib.import_module("minigrad")
    for depth, part in enumerate(parts):
        if isinstance(found, ModuleType):
            try:
                found = getattr(found, part)
            except AttributeError:
                module = module_for(".".join(parts[: depth + 1]))
                if module is None:
                    raise
                found = module
        elif isinstance(found, type):
            found = getattr(found, part)
        else:
            break
    return found
