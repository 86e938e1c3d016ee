"""Drawn by hypothesis: any shape, layout, dtype and value, for every primitive and public name."""

import warnings
from operator import attrgetter

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import minigrad
from minigrad.backend import to_numpy
from minigrad.graph import Traced
from tests.samples import ROWS
from tests.samples.checks import check_derivatives, check_forward, tensor_of, to_torch
from tests.samples.public import CALLS
from tests.samples.row import DTYPES, primitives
from tests.samples.source import Source
from tests.strict import StrictArray, strict_device

torch = pytest.importorskip("torch", reason="properties are equality with torch")

PRIMITIVES = primitives()
NAMES = sorted(set(PRIMITIVES) & set(ROWS))
ALL = [name for names in DTYPES.values() for name in names]
FLOATS = ["float64", "float32"]
# Few for each of hundreds of functions; the long profile draws thousands.
EXAMPLES = 3 if settings.default.max_examples <= 100 else settings.default.max_examples


class Drawn(Source):
    """A source whose choices hypothesis makes, so that it can look for failures and shrink them."""

    def __init__(self, data, dtypes):
        super().__init__(data.draw(st.integers(0, 2**32 - 1), label="seed"))
        self.data, self.dtypes = data, dtypes
        self.dtype = numpy.dtype(data.draw(st.sampled_from(dtypes), label="dtype"))

    def pick(self, options):
        return self.data.draw(st.sampled_from(list(options)))

    def shape(self, least=0, most=3, empty=True):
        sides = st.integers(0 if empty else 1, 3)
        sizes = st.lists(sides, min_size=least, max_size=most).map(tuple)
        return self.data.draw(sizes, label="shape")

    def pair(self):
        shapes = mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3)
        return self.data.draw(shapes, label="shapes").input_shapes


class Mixed(Drawn):
    """A source whose arrays may each have another dtype."""

    def floats(self, *arguments, **keywords):
        self.dtype = numpy.dtype(self.data.draw(st.sampled_from(self.dtypes), label="dtype"))
        return super().floats(*arguments, **keywords)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_primitives_equal_their_references(name, data):
    op, row = PRIMITIVES[name], ROWS[name]
    dtypes = [dtype for kind in row.kinds for dtype in DTYPES[kind]]
    check_forward(op, row, row.draw(Drawn(data, dtypes)))


@pytest.mark.parametrize("name", [name for name in NAMES if ROWS[name].order])
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_derivatives_of_primitives_equal_finite_differences(name, data):
    op, row = PRIMITIVES[name], ROWS[name]
    sample = row.draw(Drawn(data, [DTYPES[kind][0] for kind in row.kinds if kind in "fc"]))
    for order in range(1, row.order + 1):
        check_derivatives(op, row, sample, order, full=False)


def converted(value, make):
    """Arguments with a tensor for every array."""
    if isinstance(value, numpy.ndarray):
        return make(value)
    if isinstance(value, list):
        return [converted(part, make) for part in value]
    return value


def flat(result):
    """The tensors, as arrays, and other values of a result."""
    if isinstance(result, (tuple, list)):
        return [part for item in result for part in flat(item)]
    if isinstance(result, torch.Tensor):
        return [result.numpy(force=True)]
    return [to_numpy(result._array)] if isinstance(result, Traced) else [result]


def attempt(library, name, arguments, keywords, make):
    """The result of a call, or the error that it raised."""
    given = [converted(argument, make) for argument in arguments]
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*degrees of freedom", UserWarning)
            return attrgetter(name)(library)(*given, **keywords), None
    except (RuntimeError, ValueError, TypeError, IndexError, NotImplementedError) as error:
        return None, error


def says_unsupported(error):
    return "implemented for" in str(error) or "not support" in str(error).lower()


def assert_close(found, expected):
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected):
        if not isinstance(theirs, numpy.ndarray):
            assert ours == theirs
            continue
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        tolerance = {"e": 2e-3, "f": 1e-4, "F": 1e-4}.get(ours.dtype.char, 1e-9)
        numpy.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", CALLS)
@settings(max_examples=2 * EXAMPLES)
@given(data=st.data())
def test_public_operations_equal_torchs_and_refuse_what_torch_refuses(name, data):
    arguments, keywords = CALLS[name](Mixed(data, ALL))
    theirs, refusal = attempt(torch, name, arguments, keywords, to_torch)
    ours, error = attempt(minigrad, name, arguments, keywords, tensor_of)
    if refusal is None:
        if error is not None and all(part.size == 0 for part in flat(theirs)):
            # Where there is nothing to compute torch skips checks of arguments that we make.
            return
        assert error is None, f"torch gives {theirs}, minigrad raises {error!r}"
        with numpy.errstate(all="ignore"):
            assert_close(flat(ours), flat(theirs))
    elif not says_unsupported(refusal):
        assert error is not None, f"torch raises {refusal}, minigrad gives {ours}"


@pytest.mark.parametrize("name", CALLS)
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_gradients_of_public_operations_equal_torchs(name, data):
    arguments, keywords = CALLS[name](Drawn(data, ["float64"]))
    theirs, refusal = attempt(torch, name, arguments, keywords, to_torch)
    if refusal is not None or any(numpy.isnan(part).any() for part in flat(theirs)):
        return
    given = [to_torch(a, True) if is_float(a) else converted(a, to_torch) for a in arguments]
    mine = [tensor_of(a, True) if is_float(a) else converted(a, tensor_of) for a in arguments]
    theirs = roots(attrgetter(name)(torch)(*given, **keywords))
    if not theirs or name in NO_TORCH_GRADIENT:
        return
    ours = roots(attrgetter(name)(minigrad)(*mine, **keywords))
    assert len(ours) == len(theirs)
    expected = torch.autograd.grad(
        [(r * (i + 1)).sum() for i, r in enumerate(theirs)],
        [a for a in given if isinstance(a, torch.Tensor) and a.requires_grad], allow_unused=True,
    )  # fmt: skip
    found = minigrad.autograd.grad(
        [(r * (i + 1)).sum() for i, r in enumerate(ours)],
        [a for a in mine if isinstance(a, Traced) and a.requires_grad], allow_unused=True,
    )  # fmt: skip
    for a, b in zip(found, expected, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            b = b.numpy(force=True)
            numpy.testing.assert_allclose(
                a.numpy(), numpy.where(numpy.isnan(b), a.numpy(), b), rtol=1e-6, atol=1e-8
            )


# torch knows no derivative of these, which are zero almost everywhere.
NO_TORCH_GRADIENT = {"floor_divide", "heaviside"}


def is_float(value):
    return isinstance(value, numpy.ndarray) and value.dtype.kind == "f"


def roots(result):
    """The tensors of a result that have a gradient."""
    parts = result if isinstance(result, (tuple, list)) else (result,)
    return [p for p in parts if getattr(p, "requires_grad", False)]


@pytest.fixture(scope="module")
def place():
    with strict_device() as name:
        yield name


@pytest.mark.parametrize("name", CALLS)
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_public_operations_work_where_cupys_rules_hold(name, place, data):
    arguments, keywords = CALLS[name](Mixed(data, ["float64", "float32", "int64", "bool"]))
    here, refusal = attempt(minigrad, name, arguments, keywords, tensor_of)
    away, error = attempt(
        minigrad, name, arguments, keywords, lambda a: tensor_of(StrictArray(a.copy()))
    )
    assert (error is None) == (refusal is None), f"cpu: {refusal!r}, {place}: {error!r}"
    if refusal is None:
        with numpy.errstate(all="ignore"):
            assert_close(flat(away), flat(here))
