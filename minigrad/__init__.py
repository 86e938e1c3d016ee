"""minigrad: automatic differentiation for NumPy and CuPy with PyTorch's API.

The names here are torch's; `minigrad.nn`, `minigrad.optim`, `minigrad.utils` and the other parts
are loaded when they are first used.
"""

from __future__ import annotations

import importlib
import pathlib
import warnings
from typing import Any

from minigrad.backend import device
from minigrad.dtypes import *  # noqa: F403
from minigrad.modes import *  # noqa: F403

from minigrad.printing import set_printoptions
from minigrad.tensor import Size, Tensor, is_tensor

for _path in sorted(pathlib.Path(__file__).parent.joinpath("ops").glob("*.py")):
    _module = importlib.import_module("minigrad.ops." + _path.stem)
    globals().update({n: getattr(_module, n) for n in getattr(_module, "__all__", ())})

__version__ = "0.1.0"

# torch computes log(0) and 1/0 in silence; so do minigrad's own modules. NumPy code outside
# minigrad keeps its warnings.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"minigrad\.")

_LAZY = {
    "autograd", "cli", "datasets", "fft", "io", "linalg", "nn", "optim", "random", "special",
    "utils",
}  # fmt: skip
_FROM_IO = {"load", "save"}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return importlib.import_module(f"minigrad.{name}")
    if name in _FROM_IO:
        value = getattr(importlib.import_module("minigrad.io"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'minigrad' has no attribute '{name}'")
