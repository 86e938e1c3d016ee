"""Which of minigrad's own functions may run while a call is recorded, and how.

A recording is right only if all work on values went through it. So whatever looks at the values
of a Tensor in another way is refused, unless it stands in one of these lists:

- `atomic`: functions on raw arrays that are replayed as they are, by calling them again;
- `live`: functions on parameters, gradients and optimizers, called again with the same objects;
- `opaque`: functions of Tensors whose results need no gradient, called again on Tensors;
- `makers`: functions that make a new tensor from plain arguments;
- `predicates`: questions about inputs on whose answer the recorded path depends;
- `known`: functions that touch a Tensor's array without looking at its values.
"""

from __future__ import annotations

import dis
import functools
import inspect
import itertools
import sys
import sysconfig
from pathlib import Path
from types import CodeType
from typing import Any

import numpy

from minigrad import engine, inplace, mutation
from minigrad.backend import Backend
from minigrad.backend.random import Generator
from minigrad.graph import Traced, wrap
from minigrad.nn import utils as clipping
from minigrad.nn.functional import activation, classification, loss, margin
from minigrad.nn.module import Module
from minigrad.ops import (
    adaptive,
    attend,
    attention,
    creation,
    dropout,
    einsum,
    embedding,
    embedding_bag,
    extremes,
    gather,
    index,
    join,
    mask,
    norm,
    promotion,
    random,
    ranges,
    rearrange,
    reduce,
    select,
    shape,
    sort,
    windows,
)  # fmt: skip
from minigrad.ops import data as making
from minigrad.ops.dims import shape_of
from minigrad.optim.lr_scheduler import (
    ChainedScheduler,
    CosineAnnealingWarmRestarts,
    LRScheduler,
    ReduceLROnPlateau,
    SequentialLR,
)  # fmt: skip
from minigrad.optim.optimizer import Optimizer
from minigrad.tensor import Tensor

HOME = str(Path(__file__).resolve().parent.parent)
_SERVANTS = (str(Path(numpy.__file__).parent), sysconfig.get_path("stdlib"), "<frozen ")

_PARTS = (
    "__init__.py", "autograd/__init__.py", "autograd/backward.py", "backend", "compiler",
    "dtypes.py", "engine.py", "errors.py", "fft", "graph.py", "inplace.py", "keras", "kernels",
    "linalg", "methods", "modes.py", "mutation.py", "nn", "numpy", "ops", "optim/optimizer.py",
    "signal", "special", "specialise.py", "tensor.py", "training/batch.py", "training/nested.py",
    "training/replayed.py",
)  # fmt: skip
_ABOUT = frozenset(
    {"shape", "dtype", "ndim", "size", "strides", "flags", "nbytes", "itemsize", "__class__"}
)


def _by_code(*functions: Any) -> dict[CodeType, Any]:
    return {inspect.unwrap(function).__code__: function for function in functions}


atomic = _by_code(
    activation.corrections, activation.log_waiting_times, adaptive._adaptive_winners,
    attention._earlier, attention._hiding, attention._seeing, classification.check_probabilities,
    classification.class_numbers, classification.divisor_of, classification.shares_of,
    dropout.random_mask,
    embedding._limit_norms, embedding_bag.bag_sizes, embedding_bag.bags_by_offsets,
    embedding_bag.bags_by_rows, embedding_bag.check_offsets, embedding_bag.which_count,
    extremes.places,
    inplace.copied, gather._grid, gather.check_positions, loss.check_labels,
    loss.check_probabilities, loss.check_variances, margin.listed_labels, margin.wrong_classes,
    norm.move_by_samples, norm.move_statistics, norm.running_scale, random.check_deviations,
    sort._first, sort._middle, sort.positions_in_order, sort._place,
)  # fmt: skip
opaque = _by_code(
    mask.one_hot, random.multinomial, random.normal, random.rand_like,
    random.randint_like, random.randn_like, sort.searchsorted,
)  # fmt: skip
steps = (LRScheduler.step, ChainedScheduler.step, CosineAnnealingWarmRestarts.step,
         ReduceLROnPlateau.step, SequentialLR.step)  # fmt: skip
live = _by_code(
    Optimizer.step, Optimizer.zero_grad, Module.zero_grad, *steps,
    clipping.clip_norm, clipping.clip_values,
)  # fmt: skip
makers = _by_code(
    creation.zeros, creation.ones, creation.full, creation.empty, creation.eye, making.tensor,
    random.rand, random.randn, random.randint, random.randperm, ranges.arange, ranges.linspace,
)  # fmt: skip
# Makers whose values are drawn anew at each call.
drawing = {random.rand, random.randn, random.randint, random.randperm, creation.empty}

# What fails for no values, or only for those that predicates exclude: functions of the lists above,
# and operations, by their files. Before anything else a plan saves what it has changed by then.
sure = frozenset(
    {
        mutation.touch, Optimizer.step, Optimizer.zero_grad, Module.zero_grad, *steps,
        dropout.random_mask, extremes.places, norm.move_by_samples, norm.move_statistics,
        norm.running_scale,
    }
)  # fmt: skip
SURE_OPERATIONS = frozenset(
    {
        "activation", "attend", "bessel", "compare", "complex_parts", "convolution", "creation",
        "diagonal", "dropout", "einsum", "elementwise", "embedding", "error_function",
        "extremes", "fourier", "functions", "fused", "gamma", "join", "lengths", "loss", "lstm",
        "mask", "matmul", "moments", "normalise", "norms", "pad", "parts", "piecewise",
        "polynomials", "pool", "power", "probabilities", "promotion", "rearrange", "recurrent",
        "reduce", "resample", "running", "scan", "select", "shape", "short_time", "sliding",
        "special",
    }
)  # fmt: skip

# Functions that may run unless this argument holds a tensor, which they would look at.
unless = {
    einsum.tensordot.__code__: "dims",
    index.narrow.__code__: "start",
    join.tensor_split.__code__: "indices_or_sections",
}
dependent = _by_code(mask.masked_scatter, mask.masked_select, mask.nonzero, sort.unique)
predicates = _by_code(attention.all_see, classification.classes_exist, embedding.rows_exist)
constants = _by_code(index._array_of, promotion.number, rearrange._windows)

known = frozenset(
    {
        engine.seed.__code__,
        inplace.update.__code__,
        inplace.reattach.__code__,
        inplace.assign.__code__,
        mutation.link.__code__,
        gather.raw_of.__code__,
        index._item.__code__,
        index._positions.__code__,
        index.index_put.__code__,
        index.normalise.__code__,
        index.take.__code__,
        mask.masked_fill.__code__,
        random.bernoulli.__code__,
        rearrange._like.__code__,
        rearrange.unfold.__code__,
        gather.scatter_parts.__code__,
        sort._like.__code__,
        sort._raw.__code__,
        promotion.agree.__code__,
        reduce.dimensions.__code__,
        select.clamp.__code__,
        select.where.__code__,
        select._scalar.__code__,
        shape.contiguous.__code__,
        shape.view.__code__,
        shape_of.__code__,
        wrap.__code__,
        Tensor.detach.__code__,
        Tensor.data.fget.__code__,  # type: ignore[attr-defined]
        Tensor.__len__.__code__,
        Tensor.__iter__.__code__,
        Tensor.device.fget.__code__,  # type: ignore[attr-defined]
        Tensor.__getitem__.__code__,
        Tensor.__setitem__.__code__,
        inplace.in_place(len).__code__,
        *(c for c in join._sequence.__code__.co_consts if isinstance(c, CodeType)),
    }
)
# Functions that take the arrays of Tensors for their shapes and dtypes, and to hand them on.
raw_callers = frozenset(
    inspect.unwrap(function).__code__
    for function in (
        adaptive._adaptive_max, attend._grad_rule, attention._mask,
        attention.scaled_dot_product_attention, classification._general,
        classification._of_probabilities, classification.cross_entropy, dropout.check_probability,
        embedding.embedding, embedding_bag.embedding_bag, norm._by_running, norm.rms_norm,
    )
)  # fmt: skip

# The frames of comprehensions hold an iterator in place of the tensors that they go over.
_HIDING = frozenset({"<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>", "<lambda>"})

_looks: dict[CodeType, bool] = {}


def ours(code: CodeType) -> bool:
    """Whether a code object belongs to minigrad."""
    name = code.co_filename
    return name.startswith((HOME, "<minigrad primitive"))


def serves(frame: Any) -> bool:
    """Whether a frame runs code of NumPy or the standard library."""
    name = frame.f_code.co_filename
    if name == "<string>":
        return str(frame.f_globals.get("__name__")).startswith("namedtuple_")
    served = name.startswith(_SERVANTS) and (
        "site-packages" not in name or name.startswith(_SERVANTS[0])
    )
    return served or name.startswith(_arrays_homes(tuple(Backend.by_type)))


@functools.cache
def _arrays_homes(kinds: tuple[type, ...]) -> tuple[str, ...]:
    """Where the code of the array libraries is: the folder of a package, or the file."""
    files = [str(sys.modules[kind.__module__].__file__) for kind in kinds]
    return tuple(file.removesuffix("__init__.py") for file in files)


def looks(code: CodeType) -> bool:
    """Whether a function takes a Tensor's array for more than its shape, dtype and layout."""
    found = _looks.get(code)
    if found is None:
        found = _looks[code] = _takes_array(code)
    return found


def _takes_array(code: CodeType) -> bool:
    if "_array" in code.co_consts:
        return True
    if "_array" not in code.co_names:
        return False
    instructions = list(dis.get_instructions(code))
    return any(
        here.argval == "_array"
        and not (
            here.opname.startswith("LOAD_ATTR")
            and after.opname.startswith("LOAD_ATTR")
            and after.argval in _ABOUT
        )
        for here, after in itertools.pairwise(instructions)
    )


def refusal(code: CodeType, caller: CodeType | None, given: dict[str, Any]) -> str | None:
    """Why a function of minigrad may not run while recording; None if it may."""
    if caller is not None and caller.co_filename.startswith("<minigrad primitive"):
        return None
    place = code.co_filename[len(HOME) + 1 :]
    if not place.startswith(_PARTS):
        return f"{code.co_qualname}() cannot be recorded"
    if place in ("specialise.py", "compiler/__init__.py"):
        return None
    if code is windows.raw.__code__:
        if caller in raw_callers or not isinstance(given.get("value"), Traced):
            return None
        return f"{caller.co_qualname if caller else 'it'}() looks at values"
    if code in dependent:
        return f"how much {code.co_name}() gives depends on values"
    if code in unless and not _holds_tensor(given[unless[code]]):
        return None
    if code in known or not looks(code):
        return None
    if code.co_name not in _HIDING and not any(map(_holds_tensor, given.values())):
        return None
    return f"{code.co_qualname}() looks at the values of a tensor"


def _holds_tensor(value: Any) -> bool:
    if isinstance(value, Traced):
        return True
    if isinstance(value, (tuple, list)):
        return any(map(_holds_tensor, value))
    if isinstance(value, dict):
        return any(map(_holds_tensor, value.values()))
    return False


def is_generator(value: Any) -> bool:
    """Whether a value is a random generator, which is read live."""
    return isinstance(value, Generator)
