"""minigrad: automatic differentiation for NumPy and CuPy with PyTorch's API.

The names here are torch's; `minigrad.nn`, `minigrad.optim`, `minigrad.utils` and the other parts
are loaded when they are first used.
"""

from __future__ import annotations

import importlib
import warnings
from typing import Any

from minigrad.absent import missing
from minigrad.backend import device as device
from minigrad.backend.memory import keep_freed_memory
from minigrad.backend.threads import *  # noqa: F403
from minigrad.dtypes import *  # noqa: F403
from minigrad.modes import *  # noqa: F403
from minigrad.printing import set_printoptions as set_printoptions
from minigrad.tensor import *  # noqa: F403
from minigrad.tensor import Tensor as Tensor

# isort: split
# After `minigrad.tensor`, so that the function of that name is what `minigrad.tensor` means.
from minigrad.ops.activation import *  # noqa: F403
from minigrad.ops.attention import *  # noqa: F403
from minigrad.ops.bessel import *  # noqa: F403
from minigrad.ops.compare import *  # noqa: F403
from minigrad.ops.complex_parts import *  # noqa: F403
from minigrad.ops.conv import *  # noqa: F403
from minigrad.ops.count import *  # noqa: F403
from minigrad.ops.covariance import *  # noqa: F403
from minigrad.ops.creation import *  # noqa: F403
from minigrad.ops.data import *  # noqa: F403
from minigrad.ops.definite import *  # noqa: F403
from minigrad.ops.diagonal import *  # noqa: F403
from minigrad.ops.distance import *  # noqa: F403
from minigrad.ops.distinct import *  # noqa: F403
from minigrad.ops.drawn import *  # noqa: F403
from minigrad.ops.dropout import *  # noqa: F403
from minigrad.ops.einsum import *  # noqa: F403
from minigrad.ops.elementwise import *  # noqa: F403
from minigrad.ops.embedding import *  # noqa: F403
from minigrad.ops.error_function import *  # noqa: F403
from minigrad.ops.expand import *  # noqa: F403
from minigrad.ops.exponential import *  # noqa: F403
from minigrad.ops.extremes import *  # noqa: F403
from minigrad.ops.factor import *  # noqa: F403
from minigrad.ops.functions import *  # noqa: F403
from minigrad.ops.fused import *  # noqa: F403
from minigrad.ops.gamma import *  # noqa: F403
from minigrad.ops.gather import *  # noqa: F403
from minigrad.ops.householder import *  # noqa: F403
from minigrad.ops.index import *  # noqa: F403
from minigrad.ops.interpolate import *  # noqa: F403
from minigrad.ops.join import *  # noqa: F403
from minigrad.ops.lengths import *  # noqa: F403
from minigrad.ops.linalg import *  # noqa: F403
from minigrad.ops.lowrank import *  # noqa: F403
from minigrad.ops.lu import *  # noqa: F403
from minigrad.ops.mask import *  # noqa: F403
from minigrad.ops.matmul import *  # noqa: F403
from minigrad.ops.moments import *  # noqa: F403
from minigrad.ops.norm import *  # noqa: F403
from minigrad.ops.norms import *  # noqa: F403
from minigrad.ops.older import *  # noqa: F403
from minigrad.ops.pad import *  # noqa: F403
from minigrad.ops.parts import *  # noqa: F403
from minigrad.ops.piecewise import *  # noqa: F403
from minigrad.ops.pool import *  # noqa: F403
from minigrad.ops.power import *  # noqa: F403
from minigrad.ops.promotion import *  # noqa: F403
from minigrad.ops.quantile import *  # noqa: F403
from minigrad.ops.random import *  # noqa: F403
from minigrad.ops.ranges import *  # noqa: F403
from minigrad.ops.rearrange import *  # noqa: F403
from minigrad.ops.reduce import *  # noqa: F403
from minigrad.ops.replace import *  # noqa: F403
from minigrad.ops.running import *  # noqa: F403
from minigrad.ops.scan import *  # noqa: F403
from minigrad.ops.scatter import *  # noqa: F403
from minigrad.ops.segments import *  # noqa: F403
from minigrad.ops.select import *  # noqa: F403
from minigrad.ops.shape import *  # noqa: F403
from minigrad.ops.short_time import *  # noqa: F403
from minigrad.ops.solve import *  # noqa: F403
from minigrad.ops.sort import *  # noqa: F403
from minigrad.ops.special import *  # noqa: F403
from minigrad.ops.strides import *  # noqa: F403
from minigrad.ops.tuples import *  # noqa: F403
from minigrad.ops.vectors import *  # noqa: F403

__version__ = "0.1.0"

keep_freed_memory()

# torch computes log(0) and 1/0 in silence; so do minigrad's own modules. NumPy code outside
# minigrad keeps its warnings.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"minigrad\.")

_LAZY = {
    "amp",
    "autograd",
    "backends",
    "cli",
    "compat",
    "compiler",
    "cuda",
    "datasets",
    "func",
    "distributions",
    "fft",
    "io",
    "keras",
    "linalg",
    "masked",
    "nn",
    "numpy",
    "optim",
    "plot",
    "random",
    "signal",
    "sklearn",
    "special",
    "training",
    "utils",
}
_ELSEWHERE = {
    "compile": "compiler",
    "vmap": "func",
    **dict.fromkeys(
        (
            "channels_last", "channels_last_3d", "contiguous_format", "e", "finfo", "iinfo", "inf",
            "layout", "memory_format", "nan", "newaxis", "pi", "preserve_format", "strided",
        ),
        "formats",
    ),
    **dict.fromkeys(
        (
            "are_deterministic_algorithms_enabled", "get_default_device",
            "get_deterministic_debug_mode", "get_float32_matmul_precision",
            "is_autocast_enabled", "is_deterministic_algorithms_warn_only_enabled",
            "set_default_device", "set_deterministic_debug_mode",
            "set_float32_matmul_precision", "set_flush_denormal", "typename",
            "use_deterministic_algorithms",
        ),
        "settings",
    ),
    **dict.fromkeys(
        (
            "adaptive_avg_pool1d", "adaptive_max_pool1d", "bilinear", "cosine_similarity",
            "hardshrink", "pairwise_distance",
        ),
        "nn.functional",
    ),
    "load": "io",
    "save": "io",
    **dict.fromkeys(
        (
            "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor",
            "IntTensor", "LongTensor", "ShortTensor",
        ),
        "typed",
    ),
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return importlib.import_module(f"minigrad.{name}")
    if name in _ELSEWHERE:
        value = getattr(importlib.import_module(f"minigrad.{_ELSEWHERE[name]}"), name)
        globals()[name] = value
        return value
    if name.endswith("_") and name[0] != "_" and hasattr(Tensor, name):
        # Methods that change a tensor are functions too: relu_(x).
        return getattr(Tensor, name)
    raise missing("minigrad", name)
