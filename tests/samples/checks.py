"""The checks of one sample of one primitive: forward, derivatives, and both against torch."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy

import minigrad
from minigrad.autograd import grad, gradcheck, gradgradcheck
from minigrad.backend import backend_for, backend_of
from minigrad.graph import Primitive, Traced
from minigrad.tensor import Tensor
from tests.samples.row import DTYPES, Row, Sample, function_of

FORWARD = {"float64": 1e-10, "complex128": 1e-10, "float32": 2e-5, "complex64": 2e-5}
"""Relative tolerance of a forward: some hundred roundings of the dtype."""


class CheckError(AssertionError):
    """A check failed."""


def tensor_of(array: Any, requires_grad: bool = False) -> Any:
    """A Tensor that holds this very array, strides and all."""
    tensor = object.__new__(Tensor)
    tensor._array = array
    tensor._node = None
    return tensor.requires_grad_() if requires_grad else tensor


def is_array(value: Any) -> bool:
    return hasattr(value, "dtype") and hasattr(value, "ndim")


def refuses(rule: Any) -> bool:
    """Whether a rule is there to say that there is no derivative."""
    return bool(rule.__code__.co_qualname.startswith("refused."))


def ruled(op: Primitive, sample: Sample) -> list[int]:
    """The places of the inputs that can have a gradient."""
    names = [op.variadic] * len(sample.inputs) if op.variadic else op.inputs
    return [
        place
        for place, (name, value) in enumerate(zip(names, sample.inputs))
        if name in op.rules
        and is_array(value)
        and value.dtype.kind in "fc"
        and not refuses(op.rules[name])
    ]


def arguments(op: Primitive, sample: Sample, differentiable: bool) -> tuple[Any, ...]:
    """The sample's arrays as Tensors; those with a rule require a gradient."""
    places = ruled(op, sample) if differentiable else []
    return tuple(
        tensor_of(value, place in places) if is_array(value) else value
        for place, value in enumerate(sample.inputs)
    )


def outputs(result: Any) -> tuple[Any, ...]:
    return tuple(result) if isinstance(result, tuple) else (result,)


def to_torch(value: Any, requires_grad: bool = False) -> Any:
    """Arrays as torch tensors, alone or in tuples; slices and numbers as they are."""
    import torch

    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(to_torch(part) for part in value)
    if not isinstance(value, (numpy.ndarray, numpy.generic)):
        return value
    tensor = torch.from_numpy(numpy.array(value))
    return tensor.requires_grad_() if requires_grad else tensor


def same(what: str, found: Any, expected: Any, rtol: float, atol: float) -> None:
    """Raise CheckError unless two arrays agree in dtype, shape and values."""
    if found.dtype != expected.dtype or found.shape != expected.shape:
        raise CheckError(
            f"{what}: {found.dtype}{list(found.shape)}, expected "
            f"{expected.dtype}{list(expected.shape)}"
        )
    if found.dtype.kind not in "fc":
        rtol = atol = 0
    if not numpy.allclose(found, expected, rtol=rtol, atol=atol, equal_nan=True):
        raise CheckError(f"{what}:\n{found}\nexpected\n{expected}")


def check_forward(op: Primitive, row: Row, sample: Sample) -> None:
    """Values, shape and dtype against the reference; Tensors and raw arrays give the same."""
    function = function_of(op)
    before = [value.copy() if is_array(value) else value for value in sample.inputs]
    result = outputs(row.run(function, arguments(op, sample, False), sample.constants))
    for old, value in zip(before, sample.inputs):
        if is_array(value):
            same(f"{op.name}: an input after the call", value, old, 0, 0)
    assert row.reference is not None
    converted = {n: to_torch(v) for n, v in sample.constants.items()}
    expected = outputs(row.reference(*map(to_torch, sample.inputs), **converted))
    if len(result) != len(expected):
        raise CheckError(f"{op.name}: {len(result)} outputs, expected {len(expected)}")
    for found, wanted in zip(result, expected):
        if not isinstance(found, Traced):
            raise CheckError(f"{op.name}: the result is {type(found).__name__}, not a Tensor")
        values = wanted.numpy(force=True)
        rtol = FORWARD.get(str(values.dtype), 0)
        same(op.name, found._array, values, rtol, rtol)


def check_derivatives(
    op: Primitive, row: Row, sample: Sample, order: int, full: bool = True
) -> None:
    """Derivatives against finite differences: every entry, or without `full` a projection."""
    if not ruled(op, sample) or not row.numeric:
        return
    function = function_of(op)

    def call(*inputs: Any) -> Any:
        return row.run(function, inputs, sample.constants)

    inputs = arguments(op, sample, True)
    if order == 1:
        if not any(out.requires_grad for out in outputs(call(*inputs))):
            raise CheckError(f"{op.name}: the result is not attached to the graph")
        gradcheck(call, inputs, rtol=row.rtol, atol=row.atol, fast_mode=not full)
    elif _varies(call, inputs):
        gradgradcheck(call, inputs, rtol=row.rtol, atol=row.atol, fast_mode=not full)


def _varies(call: Any, inputs: tuple[Any, ...]) -> bool:
    """Whether the first gradients have gradients in their turn: those of steps are constant."""
    results = [out for out in outputs(call(*inputs)) if out.requires_grad]
    points = [x for x in inputs if isinstance(x, Traced) and x.requires_grad]
    seeds = [tensor_of(cotangent(out._array, 0), True) for out in results]
    first = grad(results, points, seeds, create_graph=True, allow_unused=True)
    return any(g is not None and g.requires_grad for g in first)


def cotangent(like: Any, salt: int) -> Any:
    """Fixed numbers of an array's shape and dtype, to be the cotangent of an output."""
    generator = numpy.random.default_rng((7, salt))
    values = generator.standard_normal(like.shape)
    if like.dtype.kind == "c":
        values = values + 1j * generator.standard_normal(like.shape)
    return numpy.asarray(values, dtype=like.dtype)


def check_against_torch(
    op: Primitive, row: Row, sample: Sample, key: Any, order: int, kink: bool = False
) -> None:
    """First and second gradients against torch's own.

    At a kink where torch's gradient is NaN (0 / 0), ours is 0.
    """
    places = ruled(op, sample)
    if not places or row.reference is None:
        return
    expected = _torch_gradients(_Key(key, op, row, sample, order))
    if expected is None:
        return
    found = gradients(op, row, sample, order)
    for what, ours, theirs in zip(NAMES, found, expected):
        for place, mine, other in zip((*places, *["the cotangent"] * 9), ours, theirs):
            if other is not None and mine is None:
                mine = numpy.zeros_like(other)
            if mine is not None and other is None:
                other = numpy.zeros_like(mine)
            if mine is not None:
                other = numpy.where(numpy.isnan(other), 0, other) if kink else other
                same(f"{op.name}: {what} by input {place}", mine, other, 1e-7, 1e-9)


NAMES = ("first gradient", "second gradient")


def gradients(op: Primitive, row: Row, sample: Sample, order: int) -> list[list[Any]]:
    """The gradients of a fixed projection; with order 2 also those of a projection of them."""
    inputs = arguments(op, sample, True)
    results = outputs(row.run(function_of(op), inputs, sample.constants))
    roots = [out for out in results if isinstance(out, Traced) and out.requires_grad]
    seeds = [
        tensor_of(beside(out, cotangent(out._array, i)), order > 1)
        for i, out in enumerate(results)
        if isinstance(out, Traced) and out.requires_grad
    ]
    points = [x for x in inputs if isinstance(x, Traced) and x.requires_grad]
    first = grad(roots, points, seeds, create_graph=order > 1, allow_unused=True)
    found = [[None if g is None else g._array for g in first]]
    if order > 1:
        again = [g for g in first if g is not None and g.requires_grad]
        if not again:
            return [*found, [None] * (len(points) + len(seeds))]
        weights = [
            tensor_of(beside(g, cotangent(g._array, 50 + i)))
            for i, g in enumerate(first)
            if g is not None and g.requires_grad
        ]
        second = grad(again, [*points, *seeds], weights, allow_unused=True)
        found.append([None if g is None else g._array for g in second])
    return found


class _Key:
    """What torch's gradients are remembered by: the sample's name, not its arrays."""

    def __init__(self, key: Any, op: Primitive, row: Row, sample: Sample, order: int) -> None:
        self.key = (key, order)
        self.op, self.row, self.sample, self.order = op, row, sample, order

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.key == other.key


@cache
def _torch_gradients(case: _Key) -> list[list[Any]] | None:
    """Torch's part of `check_against_torch`; None where torch's function has no gradient."""
    import torch

    op, row, sample = case.op, case.row, case.sample
    places = ruled(op, sample)
    inputs = [to_torch(value, place in places) for place, value in enumerate(sample.inputs)]
    constants = {n: to_torch(v) for n, v in sample.constants.items()}
    assert row.reference is not None
    results = outputs(row.reference(*inputs, **constants))
    roots = [out for out in results if out.requires_grad]
    if not roots:
        return None
    seeds = [
        to_torch(cotangent(out.detach().numpy(), i), True) for i, out in enumerate(results)
        if out.requires_grad
    ]  # fmt: skip
    points = [inputs[place] for place in places]
    try:
        first = torch.autograd.grad(roots, points, seeds, create_graph=True, allow_unused=True)
    except RuntimeError as error:
        if "is not implemented" in str(error):
            return None
        raise
    found = [[_values(g) for g in first]]
    if case.order > 1:
        live = [(i, g) for i, g in enumerate(first) if g is not None and g.requires_grad]
        if live:
            weights = [to_torch(cotangent(_values(g), 50 + i)) for i, g in live]
            try:
                second = torch.autograd.grad(
                    [g for _, g in live], [*points, *seeds], weights, allow_unused=True
                )
            except RuntimeError as error:
                if "is not implemented" in str(error):
                    return found
                raise
            found.append([_values(g) for g in second])
    return found


def _values(tensor: Any) -> Any:
    return None if tensor is None else tensor.numpy(force=True)


def check_all(op: Primitive, row: Row, key: str, cases: range | None = None) -> None:
    """Every derivative check of every sample of a row, the cheapest first."""
    dtypes = [DTYPES[kind][0] for kind in row.kinds if kind in "fc"]
    for dtype in dtypes:
        for case in cases or range(row.count):
            drawn = row.draw(row.source(key, case, dtype))
            for order in range(1, row.order + 1):
                check_against_torch(op, row, drawn, (key, dtype, case), order)
                check_derivatives(op, row, drawn, order, full=case == 0 and small(drawn))
    check_kinks(op, row, key)


def small(sample: Sample) -> bool:
    """Whether every entry of the Jacobian can be checked in little time."""
    return sum(value.size for value in sample.inputs if is_array(value)) <= 24


def check_kinks(op: Primitive, row: Row, key: str) -> None:
    """First gradients at points without finite differences, against torch's."""
    if row.kinks is None:
        return
    for dtype in (DTYPES[kind][0] for kind in row.kinds if kind in "fc"):
        for case in range(row.count):
            drawn = row.kinks(row.source(key, case, dtype))
            check_forward(op, row, drawn)
            check_against_torch(op, row, drawn, (key, dtype, "kinks", case), 1, kink=True)


def beside(tensor: Any, array: Any) -> Any:
    """A NumPy array on the device of a tensor."""
    return backend_of(tensor._array).from_numpy(array, tensor.device)


def to_device(value: Any, device: str) -> Any:
    """An array of a sample, alone or in a tuple, on another device."""
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(to_device(part, device) for part in value)
    if not isinstance(value, numpy.ndarray):
        return value
    return backend_for(device).from_numpy(value, minigrad.device(device))
