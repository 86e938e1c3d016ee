"""Tests made from the registry: every primitive against its row's reference and its derivatives."""

import pytest

from tests.samples import ROWS
from tests.samples.checks import (
    check_against_torch,
    check_derivatives,
    check_forward,
    check_kinks,
    refuses,
    small,
)
from tests.samples.row import DTYPES, function_of, primitives

PRIMITIVES = primitives()
NAMES = sorted(set(PRIMITIVES) & set(ROWS))
DIFFERENTIABLE = [name for name in NAMES if ROWS[name].order]


def test_every_primitive_has_a_row():
    missing = sorted(set(PRIMITIVES) - set(ROWS))
    assert not missing, f"add a row to tests/samples for {missing}"


def test_every_row_has_a_primitive():
    assert sorted(set(ROWS) - set(PRIMITIVES)) == []


@pytest.mark.parametrize("name", NAMES)
def test_registry_holds_what_the_module_exports(name):
    assert function_of(PRIMITIVES[name]).primitive is PRIMITIVES[name]


def test_rows_differentiate_what_has_rules():
    """A row of order 0 would hide its primitive's rules from every check."""
    unchecked = [
        name for name in NAMES
        if not ROWS[name].order and not all(map(refuses, PRIMITIVES[name].rules.values()))
    ]  # fmt: skip
    assert unchecked == []


@pytest.mark.parametrize("name", NAMES)
def test_forward_equals_the_reference(name):
    pytest.importorskip("torch", reason="the references are torch's functions")
    op, row = PRIMITIVES[name], ROWS[name]
    for dtype in (dtype for kind in row.kinds for dtype in DTYPES[kind]):
        for sample in row.samples(name, dtype):
            check_forward(op, row, sample)


def samples(name):
    """Samples of the precise dtypes, by which derivatives are judged."""
    row = ROWS[name]
    for dtype in (DTYPES[kind][0] for kind in row.kinds if kind in "fc"):
        for case, sample in enumerate(row.samples(name, dtype)):
            yield (name, dtype, case), sample


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_derivatives_equal_finite_differences(name):
    op, row = PRIMITIVES[name], ROWS[name]
    for (_, _, case), sample in samples(name):
        for order in range(1, row.order + 1):
            check_derivatives(op, row, sample, order, full=case == 0 and small(sample))


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_derivatives_equal_torchs(name):
    pytest.importorskip("torch", reason="compares gradients with torch's")
    op, row = PRIMITIVES[name], ROWS[name]
    for key, sample in samples(name):
        for order in range(1, row.order + 1):
            check_against_torch(op, row, sample, key, order)
    check_kinks(op, row, name)
