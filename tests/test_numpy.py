"""`minigrad.numpy` against NumPy: values, dtypes, shapes, errors; gradients by differences."""

import itertools
import warnings

import numpy
import pytest

import minigrad
from minigrad import numpy as mnp
from minigrad.numpy.ufuncs import ufunc
from tests.numpy_samples import FFT, LINALG, SAMPLES

SPACES = {"": (mnp, numpy, SAMPLES), "linalg": (mnp.linalg, numpy.linalg, LINALG),
          "fft": (mnp.fft, numpy.fft, FFT)}  # fmt: skip
CALLS = [
    pytest.param(space, name, number, id=f"{space}.{name}-{number}".lstrip("."))
    for space, (_, _, table) in SPACES.items()
    for name, calls in table.items()
    for number in range(len(calls))
]
DTYPES = ["?", "u1", "i1", "i4", "i8", "f2", "f4", "f8", "c8", "c16"]
UFUNCS = sorted(name for name in dir(mnp) if isinstance(getattr(mnp, name), ufunc))

# What differs from NumPy by design, with the reason.
DIFFERENT = {
    ("asarray", 4): "minigrad's arrays are in the machine's byte order",
    ("unique_values", 0): "minigrad's are in order, NumPy's in that of a hash table",
    ("lstsq", 0): "the rank is a Python integer",
    ("lstsq", 1): "the rank is a Python integer",
}


def plain(result):
    """A result with its arrays, which must be this face's, as NumPy's."""
    if isinstance(result, tuple | list):
        return [plain(part) for part in result]
    if isinstance(result, minigrad.Tensor):
        assert type(result) is mnp.ndarray
        return result._array
    return result


def assert_same(found, expected):
    if isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
        return
    if not isinstance(expected, numpy.ndarray | numpy.generic):
        assert found == expected
        return
    found, expected = numpy.asarray(found), numpy.asarray(expected)
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    # Sums may be taken in another order: a few units in the last place of each precision.
    tolerance = {2: 2e-3, 4: 1e-5}.get(expected.real.dtype.itemsize, 1e-10)
    numpy.testing.assert_allclose(found, expected, tolerance, tolerance)


def outcome(function, args, kwargs):
    """What a call gives, or the exception that it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return plain(function(*args, **kwargs))
        except (TypeError, ValueError, IndexError, numpy.linalg.LinAlgError) as error:
            return error


@pytest.mark.parametrize(("space", "name", "number"), CALLS)
def test_a_function_gives_what_numpy_gives(space, name, number):
    ours, theirs, table = SPACES[space]
    if (name, number) in DIFFERENT:
        pytest.skip(DIFFERENT[name, number])
    args, kwargs = table[name][number]
    expected = outcome(getattr(theirs, name), args, kwargs)
    found = outcome(getattr(ours, name), args, kwargs)
    if isinstance(expected, Exception):
        assert isinstance(found, type(expected)), f"{found!r} instead of {expected!r}"
        return
    if isinstance(found, Exception):
        raise found
    assert_same(found, expected)


def operands(dtype):
    """An array of a dtype in which every kind of value occurs, and a small one."""
    kind = numpy.dtype(dtype).kind
    if kind == "?":
        return numpy.array([[True, False, True], [False, True, True]])
    if kind == "u":
        return numpy.array([[0, 1, 2], [7, 3, 6]], dtype)
    if kind in "fc":
        found = numpy.array([[0.5, -0.25, 2.0], [1.5, 0.75, -1.0]], dtype)
        return found + 0.5j if kind == "c" else found
    return numpy.array([[0, -1, 2], [7, 3, -6]]).astype(dtype)


@pytest.mark.parametrize("name", UFUNCS)
def test_a_ufunc_gives_what_numpys_gives(name):
    ours, theirs = getattr(mnp, name), getattr(numpy, name)
    ordered = {"maximum", "minimum", "fmax", "fmin", "less", "less_equal", "greater",
               "greater_equal"}  # fmt: skip
    for kinds in itertools.product(DTYPES, repeat=theirs.nin):
        if name in ordered and any(numpy.dtype(kind).kind == "c" for kind in kinds):
            continue  # complex numbers have no order here
        args = [operands(kind) for kind in kinds]
        args[1:] = [arg[::-1] for arg in args[1:]]
        if name in ("power", "pow", "floor_divide", "remainder", "mod", "fmod", "left_shift",
                    "right_shift", "bitwise_left_shift", "bitwise_right_shift"):  # fmt: skip
            # Negative powers and shifts of integers are refused, and division by zero is another.
            args[1] = (abs(args[1]) + (args[1] == 0)).astype(args[1].dtype)
        expected = outcome(theirs, args, {})
        found = outcome(ours, args, {})
        if isinstance(expected, Exception):
            assert isinstance(found, TypeError), (kinds, found)
        elif isinstance(found, Exception):
            raise AssertionError((kinds, found)) from found
        else:
            try:
                assert_same(found, expected)
            except AssertionError as error:
                raise AssertionError(kinds) from error


@pytest.mark.parametrize("name", [name for name in UFUNCS if getattr(numpy, name).nin == 2])
@pytest.mark.parametrize("number", [2, 3.0, True, 1j])
def test_a_python_number_is_weak_beside_an_array(name, number):
    ours, theirs = getattr(mnp, name), getattr(numpy, name)
    for kind in DTYPES:
        is_complex = numpy.dtype(kind).kind == "c" or isinstance(number, complex)
        if is_complex and name not in ("add", "subtract", "multiply", "divide", "true_divide"):
            continue
        args = (abs(operands(kind)), number)
        for pair in (args, args[::-1]):
            divides = ("power", "pow", "float_power", "floor_divide", "remainder", "mod", "fmod")
            if name in divides and pair is not args:
                continue
            expected, found = outcome(theirs, pair, {}), outcome(ours, pair, {})
            if isinstance(expected, Exception):
                assert isinstance(found, TypeError), (kind, found)
            elif isinstance(found, Exception):
                raise AssertionError((kind, found)) from found
            else:
                assert_same(found, expected)


def leaves(value):
    """The floating arrays of nested results, in order."""
    if isinstance(value, tuple | list):
        return [leaf for part in value for leaf in leaves(part)]
    if isinstance(value, minigrad.Tensor) and value.dtype.kind in "fc":
        return [value]
    return []


def weighted(value, draw):
    """A number that depends on every element of a result."""
    total = 0.0
    for leaf in leaves(value):
        weights = draw.uniform(0.5, 1.5, leaf.shape)
        total = total + (mnp.real(leaf) * weights).sum()
        if leaf.dtype.kind == "c":
            total = total + (mnp.imag(leaf) * weights[::-1] if leaf.ndim else mnp.imag(leaf)).sum()
    return total


def replaced(value, given):
    """The arguments with the double precision arrays among them taken from an iterator."""
    if isinstance(value, tuple | list):
        return type(value)(replaced(part, given) for part in value)
    if isinstance(value, numpy.ndarray) and value.dtype.char in "dD":
        return next(given)
    return value


def doubles(value):
    if isinstance(value, tuple | list):
        return [array for part in value for array in doubles(part)]
    return [value] if isinstance(value, numpy.ndarray) and value.dtype.char in "dD" else []


# Their results are steps, positions or floats that no derivative is defined for.
STEPS = {
    "argwhere", "geomspace", "histogram_bin_edges", "cond", "unwrap", "full_like", "zeros_like",
    "ones_like", "common_type", "digitize", "searchsorted", "lexsort", "percentile",
}  # fmt: skip
# Samples that lie where a step, or a jump in the number of results, is.
KINKS = {("frexp", 1), ("trim_zeros", 0), ("unique", 1)}
# Only a part of the argument counts, or arguments are read as positions or as weights of bins.
FIXED = {"interp", "histogram", "select", "unwrap", "cov", "isin", "cholesky", "eigvalsh"}


@pytest.mark.parametrize(("space", "name", "number"), CALLS)
def test_a_gradient_agrees_with_differences(space, name, number):
    ours, theirs, table = SPACES[space]
    args, kwargs = table[name][number]
    arrays = doubles(args)
    if not arrays or name in STEPS | FIXED or (name, number) in KINKS:
        pytest.skip("nothing to differentiate")
    if any(numpy.isnan(array).any() for array in arrays):
        pytest.skip("differences of NaN")
    expected = outcome(getattr(theirs, name), args, kwargs)
    if isinstance(expected, Exception):
        pytest.skip("an error")
    if any(kind in repr(expected) for kind in ("float32", "complex64")):
        pytest.skip("differences need double precision")
    function = getattr(ours, name)

    def run(given):
        return weighted(
            function(*replaced(args, iter(given)), **kwargs), numpy.random.default_rng(0)
        )

    inputs = [mnp.array(array).requires_grad_() for array in arrays]
    result = run(inputs)
    if not isinstance(result, minigrad.Tensor):
        pytest.skip("no floating result")
    if not result.requires_grad:
        pytest.skip("a function of steps")
    found = minigrad.autograd.grad(result, inputs, allow_unused=True)
    draw = numpy.random.default_rng(1)
    step = 1e-6
    slope = expected = 0.0
    moves = []
    for array, gradient in zip(arrays, found, strict=True):
        move = draw.standard_normal(array.shape)
        if array.dtype.kind == "c":
            move = move + 1j * draw.standard_normal(array.shape)
        moves.append(move)
        if gradient is not None:
            # Torch's convention: the gradient points where the loss rises.
            slope += (gradient._array.conj() * move).real.sum()
    ends = [
        run([mnp.array(a + sign * step * m) for a, m in zip(arrays, moves, strict=True)]).item()
        for sign in (1, -1)
    ]
    expected = (ends[0] - ends[1]) / (2 * step)
    assert slope == pytest.approx(expected, rel=1e-5, abs=1e-6)
