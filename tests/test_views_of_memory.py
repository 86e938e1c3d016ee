"""Views with any steps: memory shared, changes followed, gradients by finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest

import minigrad
from minigrad.autograd import gradcheck, gradgradcheck
from minigrad.errors import ArgumentError, GraphError
from tests.strict import strict_device


def leaf(*shape: int) -> Any:
    count = int(numpy.prod(shape))
    values = numpy.linspace(-1.0, 1.5, count).reshape(shape)
    return minigrad.from_numpy(values).requires_grad_()


def test_it_shares_memory_and_versions() -> None:
    x = minigrad.arange(12.0).reshape(3, 4)
    seen = x.as_strided((2, 2), (4, 2), 1)
    seen.fill_(-1.0)
    assert x.tolist() == [[0.0, -1.0, 2.0, -1.0], [4.0, -1.0, 6.0, -1.0], [8.0, 9.0, 10.0, 11.0]]
    assert seen._version == x._version == 1
    assert seen.is_view()
    assert seen.storage_offset() == 1
    assert seen.stride() == (4, 2)


def test_it_starts_where_the_tensor_starts_unless_told() -> None:
    x = minigrad.arange(10)[4:8]
    assert x.as_strided((2,), (2,)).tolist() == [4, 6]
    assert x.as_strided((2,), (2,), 0).tolist() == [0, 2]


STRIDES = (((2, 3), (3, 1), 1), ((3, 4), (1, 2), 0), ((5,), (0,), 3), ((), (), 2))
LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "plain": lambda x: x,
    "transposed": lambda x: x.T,
    "slice": lambda x: x[1:],
    "columns": lambda x: x[:, 1:],
}


@pytest.mark.parametrize(("size", "stride", "start"), STRIDES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients_equal_finite_differences(
    layout: str, size: Any, stride: Any, start: int
) -> None:
    def function(x: Any) -> Any:
        return LAYOUTS[layout](x * 1.0).as_strided(size, stride, start + 5).sin()

    x = leaf(4, 5)
    assert gradcheck(function, (x,))
    assert gradgradcheck(function, (x,))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_change_through_it_reaches_the_base(layout: str) -> None:
    def function(x: Any, factor: Any) -> Any:
        base = x * 1.0
        LAYOUTS[layout](base).as_strided((2, 2), (5, 2), 6).mul_(factor)
        base.as_strided((3,), (4,), 1)[1] = factor[0, 0] ** 2
        return base.sin()

    x, factor = leaf(4, 5), leaf(2, 2)
    assert gradcheck(function, (x, factor))
    assert gradgradcheck(function, (x, factor))


def test_a_change_reaches_it_through_a_base_in_another_order() -> None:
    values = numpy.asfortranarray(numpy.linspace(-1.0, 1.5, 12).reshape(3, 4))

    def function(factor: Any) -> Any:
        base = minigrad.from_numpy(values.copy(order="F"))
        seen = base.as_strided((2, 3), (1, 4), 1)
        seen.mul_(factor)
        return (base.sin() * seen.sum()).sum()

    assert gradcheck(function, (leaf(2, 3),))


def test_a_view_follows_a_change_of_its_base() -> None:
    def function(x: Any, factor: Any) -> Any:
        base = x * 1.0
        seen = base.as_strided((3, 3), (1, 2), 0)
        base.mul_(factor)
        return seen.sin()

    assert gradcheck(function, (leaf(2, 4), leaf(2, 4)))


def test_overlapping_elements_cannot_be_written() -> None:
    windows = minigrad.arange(5.0).as_strided((3, 3), (1, 1))
    with pytest.raises(GraphError, match="overlap"):
        windows.add_(1.0)
    with pytest.raises(GraphError, match="overlap"):
        windows[0] = 1.0


def test_memory_past_the_tensor_has_no_gradient() -> None:
    memory = minigrad.arange(6.0)
    x = memory[2:4].detach().requires_grad_()
    seen = x.as_strided((6,), (1,), 0)
    assert seen.tolist() == memory.tolist()
    (seen * minigrad.arange(1.0, 7.0)).sum().backward()
    assert x.grad.tolist() == [3.0, 4.0]
    past = memory[2:4].detach().as_strided((6,), (1,), 0)
    with pytest.raises(GraphError, match="outside of the tensor"):
        past.mul_(leaf(6).float())


def test_what_a_view_does_not_show_is_reached_through_its_base() -> None:
    base = leaf(6) * 1.0
    base.retain_grad()
    base[2:4].as_strided((3,), (2,), 0).sum().backward()
    assert base.grad.tolist() == [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    "arguments", [((4,), (1,), 3), ((2,), (1, 1)), ((2,), (-1,)), ((1,), (1,), -1), ((2,), (9,))]
)
def test_what_memory_does_not_hold_is_refused(arguments: Any) -> None:
    with pytest.raises(ArgumentError, match=r"as_strided\(\)"):
        minigrad.arange(6).as_strided(*arguments)


def test_in_place_it_becomes_a_view_of_itself() -> None:
    x = minigrad.arange(6)
    assert x.as_strided_((2, 2), (2, 1), 1) is x
    assert x.tolist() == [[1, 2], [3, 4]]


def test_memory_is_shared_on_a_device_too() -> None:
    with strict_device() as place:
        x = minigrad.arange(6.0, device=place)
        x.as_strided((2,), (3,), 1).fill_(9.0)
        assert x.tolist() == [0.0, 9.0, 2.0, 3.0, 9.0, 5.0]


def test_gradients_of_what_replaces_a_region() -> None:
    x, part = leaf(3, 4), leaf(2, 2)

    def function(x: Any, part: Any) -> Any:
        return minigrad.as_strided_scatter(x, part, (2, 2), (4, 1), 1).sin()

    assert gradcheck(function, (x, part))
    assert gradgradcheck(function, (x, part))


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("zeros", [0, 1, 2])
def test_gradients_of_products_of_groups_beside_zeros(zeros: int, include_self: bool) -> None:
    index = minigrad.tensor([0, 2, 0, 0, 2])

    def function(x: Any, source: Any) -> Any:
        return x.scatter_reduce(0, index, source, "prod", include_self=include_self)

    x = leaf(3)
    source = minigrad.tensor([0.5, -1.5, 2.0, 0.7, 1.2], dtype=minigrad.float64)
    source[:zeros] = 0.0
    source.requires_grad_()
    assert gradcheck(function, (x, source))
    assert gradgradcheck(function, (x, source))


def test_second_gradients_beside_a_mask() -> None:
    mask = minigrad.tensor([True, False, True])

    def function(x: Any, other: Any) -> Any:
        return minigrad.masked.logaddexp(x, other, other_mask=mask)

    assert gradgradcheck(function, (leaf(3), leaf(3)))
    assert gradgradcheck(lambda x: minigrad.masked.logsumexp(x, 0, mask=mask), (leaf(3),))
