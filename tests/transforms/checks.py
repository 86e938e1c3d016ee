"""What is compared for one sample: each transform with torch's, or with a loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from minigrad import func
from minigrad.errors import GraphError
from tests.transforms.operations import Sample, ours, to_torch

BATCH = 3


class BothRefuseError(Exception):
    """Raised where torch's transform refuses too, for what depends on values."""


def _directions(sample: Sample) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    primals = [sample.tensors[number] for number in sample.floating]
    generator = torch.Generator().manual_seed(3)
    tangents = [torch.randn(p.shape, dtype=p.dtype, generator=generator) for p in primals]
    return primals, tangents


def _torch_jvps(call: Any, primals: Any, tangents: Any) -> list[Any]:
    """Torch's two ways to the derivative forward, where it has them.

    They differ where its forward mode has a mistake, and where vectors are unique up to a phase.
    """
    found = []
    for transform in (torch.autograd.functional.jvp, torch.func.jvp):
        try:
            found.append(transform(call, tuple(primals), tuple(tangents))[1])
        except (RuntimeError, NotImplementedError):
            continue
    if not found:
        raise BothRefuseError
    return found


def jvp_differs(sample: Sample) -> str | None:
    """Forward mode."""
    primals, tangents = _directions(sample)
    expected = _torch_jvps(
        sample.with_floating(sample.torch_call, sample.tensors), primals, tangents
    )
    call = sample.with_floating(sample.our_call, [ours(t) for t in sample.tensors])
    _, found = func.jvp(call, tuple(map(ours, primals)), tuple(map(ours, tangents)))
    differences = [_first(sample, found, reference) for reference in expected]
    return None if None in differences else differences[0]


def linearize_differs(sample: Sample) -> str | None:
    """The linear function that `linearize` gives, against forward mode."""
    primals, tangents = _directions(sample)
    call = sample.with_floating(sample.our_call, [ours(t) for t in sample.tensors])
    given, directions = tuple(map(ours, primals)), tuple(map(ours, tangents))
    _, expected = func.jvp(call, given, directions)
    _, push = func.linearize(call, *given)
    return _first_of_ours(sample, push(*directions), expected)


def forward_over_reverse_differs(sample: Sample) -> str | None:
    """The Hessian times a vector: forward mode over a walk back, against two walks back."""
    primals, tangents = _directions(sample)
    call = sample.with_floating(sample.our_call, [ours(t) for t in sample.tensors])
    given, directions = tuple(map(ours, primals)), tuple(map(ours, tangents))

    def value(*values: Any) -> Any:
        return sum((out * out.conj()).real.sum() for out in call(*values))

    places = tuple(range(len(given)))

    def slope(*values: Any) -> Any:
        gradients = func.grad(value, places)(*values)
        return sum((g * d).sum() for g, d in zip(gradients, directions))

    expected = func.grad(slope, places)(*given)
    _, found = func.jvp(func.grad(value, places), given, directions)
    return _first_of_ours(sample, found, expected)


def _batches(sample: Sample, which: str) -> tuple[list[Any], list[int | None]]:
    """Batches of a sample's tensors, and the dimension where each has its batch."""
    tensors, dims = [], []
    for number, tensor in enumerate(sample.tensors):
        if which == "first" and number:
            tensors.append(tensor)
            dims.append(None)
            continue
        if which == "others" and not number and len(sample.tensors) > 1:
            tensors.append(tensor)
            dims.append(None)
            continue
        if tensor.is_floating_point() or tensor.is_complex():
            places = [tensor * (1 + 0.0625 * place) for place in range(BATCH)]
        else:
            places = [tensor] * BATCH
        dim = tensor.ndim if which == "first" else 0
        tensors.append(torch.stack(places, dim))
        dims.append(dim)
    return tensors, dims


def _loop(call: Any, tensors: list[Any], dims: list[int | None]) -> list[Any]:
    places = []
    for place in range(BATCH):
        given = [
            tensor if dim is None else tensor.select(dim, place)
            for tensor, dim in zip(tensors, dims)
        ]
        places.append(call(*given))
    return places


def vmap_differs(sample: Sample, which: str = "all") -> str | None:
    """A batch at once, against torch one by one."""
    tensors, dims = _batches(sample, which)
    try:
        places = _loop(sample.torch_call, tensors, dims)
    except RuntimeError:
        # Scaled for the batch, the sample left the range that the operation takes.
        raise BothRefuseError from None
    if any(
        p.shape != q.shape or p.dtype != q.dtype for ps in places for p, q in zip(ps, places[0])
    ):
        raise BothRefuseError
    expected = [torch.stack(parts) for parts in zip(*places)]
    try:
        found = func.vmap(sample.our_call, in_dims=tuple(dims))(*map(ours, tensors))
    except GraphError as refusal:
        if "vmap()" not in str(refusal):
            raise
        try:
            torch.func.vmap(sample.torch_call, in_dims=tuple(dims))(*tensors)
        except (RuntimeError, ValueError, TypeError, IndexError):
            raise BothRefuseError from None
        raise
    return _first(sample, found, expected)


def vmap_first_differs(sample: Sample) -> str | None:
    """A batch of the first argument alone, at the end of its dimensions."""
    return vmap_differs(sample, "first")


def vmap_others_differs(sample: Sample) -> str | None:
    """A batch of all arguments but the first."""
    return vmap_differs(sample, "others")


def _over_batch(
    sample: Sample, transformed: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> str | None:
    tensors, dims = _batches(sample, "all")
    call = transformed(sample.our_call)
    places = _loop(call, list(map(ours, tensors)), dims)
    try:
        found = func.vmap(call, in_dims=tuple(dims))(*map(ours, tensors))
    except GraphError as refusal:
        if "vmap()" in str(refusal):
            raise BothRefuseError from None
        raise
    for position, part in enumerate(found):
        for place in range(BATCH):
            difference = _first_of_ours(sample, [part[place]], [places[place][position]])
            if difference is not None:
                return f"at place {place}: {difference}"
    return None


def vmap_of_gradient_differs(sample: Sample) -> str | None:
    """A gradient for each place of a batch, against a loop."""

    def transformed(call: Any) -> Any:
        def gradients(*tensors: Any) -> Any:
            def value(*floating: Any) -> Any:
                outputs = sample.with_floating(call, tensors)(*floating)
                return sum((out * out.conj()).real.sum() for out in outputs)

            chosen = [tensors[number] for number in sample.floating]
            return func.grad(value, tuple(range(len(chosen))))(*chosen)

        return gradients

    return _over_batch(sample, transformed)


def vmap_of_jvp_differs(sample: Sample) -> str | None:
    """Forward mode for each place of a batch, against a loop."""

    def transformed(call: Any) -> Any:
        def pushed(*tensors: Any) -> Any:
            chosen = tuple(tensors[number] for number in sample.floating)
            return func.jvp(sample.with_floating(call, tensors), chosen, chosen)[1]

        return pushed

    return _over_batch(sample, transformed)


def gradient_of_vmap_differs(sample: Sample) -> str | None:
    """The gradient of a batch at once, against that of a loop."""
    tensors, dims = _batches(sample, "all")
    given = list(map(ours, tensors))
    chosen = [given[number] for number in sample.floating]

    def value_of(run: Callable[..., Any]) -> Any:
        def value(*floating: Any) -> Any:
            values = list(given)
            for number, tensor in zip(sample.floating, floating):
                values[number] = tensor
            return run(values)

        return func.grad(value, tuple(range(len(chosen))))(*chosen)

    def total(outputs: Any) -> Any:
        return sum((out * out.conj()).real.sum() for out in outputs)

    expected = value_of(
        lambda values: sum(total(outputs) for outputs in _loop(sample.our_call, values, dims))
    )
    try:
        found = value_of(lambda values: total(func.vmap(sample.our_call, tuple(dims))(*values)))
    except GraphError as refusal:
        if "vmap()" in str(refusal):
            raise BothRefuseError from None
        raise
    return _first_of_ours(sample, found, expected)


def _first(sample: Sample, found: Any, expected: Any) -> str | None:
    for mine, wanted in zip(found, expected, strict=True):
        difference = sample.differs(mine, wanted)
        if difference is not None:
            return difference
    return None


def _first_of_ours(sample: Sample, found: Any, expected: Any) -> str | None:
    return _first(sample, found, [to_torch(tensor) for tensor in expected])


OF_DERIVATIVES = {
    "jvp": jvp_differs,
    "linearize": linearize_differs,
    "jvp of grad": forward_over_reverse_differs,
    "vmap of grad": vmap_of_gradient_differs,
    "vmap of jvp": vmap_of_jvp_differs,
    "grad of vmap": gradient_of_vmap_differs,
}
OF_VALUES = {
    "vmap": vmap_differs,
    "vmap of the first": vmap_first_differs,
    "vmap of the others": vmap_others_differs,
}
