"""The Array API standard 2024.12: names, signatures, special values, indexing, inspection."""

import ast
import inspect

import hypothesis
import numpy
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import minigrad
from minigrad import numpy as mnp

# The signatures that the standard gives.
SIGNATURES = [
    "",
    "arange(start, /, stop=None, step=1, *, dtype=None, device=None)",
    "asarray(obj, /, *, dtype=None, device=None, copy=None)",
    "empty(shape, *, dtype=None, device=None)",
    "empty_like(x, /, *, dtype=None, device=None)",
    "eye(n_rows, n_cols=None, /, *, k=0, dtype=None, device=None)",
    "from_dlpack(x, /, *, device=None, copy=None)",
    "full(shape, fill_value, *, dtype=None, device=None)",
    "full_like(x, /, fill_value, *, dtype=None, device=None)",
    "linspace(start, stop, /, num, *, dtype=None, device=None, endpoint=True)",
    'meshgrid(*arrays, indexing="xy")',
    "ones(shape, *, dtype=None, device=None)",
    "ones_like(x, /, *, dtype=None, device=None)",
    "tril(x, /, *, k=0)",
    "triu(x, /, *, k=0)",
    "zeros(shape, *, dtype=None, device=None)",
    "zeros_like(x, /, *, dtype=None, device=None)",
    "astype(x, dtype, /, *, copy=True, device=None)",
    "broadcast_arrays(*arrays)",
    "broadcast_to(x, /, shape)",
    "can_cast(from_, to, /)",
    "finfo(type, /)",
    "iinfo(type, /)",
    "isdtype(dtype, kind)",
    "result_type(*arrays_and_dtypes)",
    "clip(x, /, min=None, max=None)",
    "imag(x, /)",
    "real(x, /)",
    "round(x, /)",
    "take(x, indices, /, *, axis=None)",
    "take_along_axis(x, indices, /, *, axis=-1)",
    "matmul(x1, x2, /)",
    "matrix_transpose(x, /)",
    "tensordot(x1, x2, /, *, axes=2)",
    "vecdot(x1, x2, /, *, axis=-1)",
    "concat(arrays, /, *, axis=0)",
    "expand_dims(x, /, *, axis=0)",
    "flip(x, /, *, axis=None)",
    "moveaxis(x, source, destination, /)",
    "permute_dims(x, /, axes)",
    "repeat(x, repeats, /, *, axis=None)",
    "reshape(x, /, shape, *, copy=None)",
    "roll(x, /, shift, *, axis=None)",
    "squeeze(x, /, axis)",
    "stack(arrays, /, *, axis=0)",
    "tile(x, repetitions, /)",
    "unstack(x, /, *, axis=0)",
    "argmax(x, /, *, axis=None, keepdims=False)",
    "argmin(x, /, *, axis=None, keepdims=False)",
    "count_nonzero(x, /, *, axis=None, keepdims=False)",
    "nonzero(x, /)",
    'searchsorted(x1, x2, /, *, side="left", sorter=None)',
    "where(condition, x1, x2, /)",
    "unique_all(x, /)",
    "unique_counts(x, /)",
    "unique_inverse(x, /)",
    "unique_values(x, /)",
    "argsort(x, /, *, axis=-1, descending=False, stable=True)",
    "sort(x, /, *, axis=-1, descending=False, stable=True)",
    "cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False)",
    "cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False)",
    "max(x, /, *, axis=None, keepdims=False)",
    "mean(x, /, *, axis=None, keepdims=False)",
    "min(x, /, *, axis=None, keepdims=False)",
    "prod(x, /, *, axis=None, dtype=None, keepdims=False)",
    "std(x, /, *, axis=None, correction=0.0, keepdims=False)",
    "sum(x, /, *, axis=None, dtype=None, keepdims=False)",
    "var(x, /, *, axis=None, correction=0.0, keepdims=False)",
    "all(x, /, *, axis=None, keepdims=False)",
    "any(x, /, *, axis=None, keepdims=False)",
    "diff(x, /, *, axis=-1, n=1, prepend=None, append=None)",
    "linalg.cholesky(x, /, *, upper=False)",
    "linalg.cross(x1, x2, /, *, axis=-1)",
    "linalg.det(x, /)",
    "linalg.diagonal(x, /, *, offset=0)",
    "linalg.eigh(x, /)",
    "linalg.eigvalsh(x, /)",
    "linalg.inv(x, /)",
    "linalg.matmul(x1, x2, /)",
    'linalg.matrix_norm(x, /, *, keepdims=False, ord="fro")',
    "linalg.matrix_power(x, n, /)",
    "linalg.matrix_rank(x, /, *, rtol=None)",
    "linalg.matrix_transpose(x, /)",
    "linalg.outer(x1, x2, /)",
    "linalg.pinv(x, /, *, rtol=None)",
    'linalg.qr(x, /, *, mode="reduced")',
    "linalg.slogdet(x, /)",
    "linalg.solve(x1, x2, /)",
    "linalg.svd(x, /, *, full_matrices=True)",
    "linalg.svdvals(x, /)",
    "linalg.tensordot(x1, x2, /, *, axes=2)",
    "linalg.trace(x, /, *, offset=0, dtype=None)",
    "linalg.vecdot(x1, x2, /, *, axis=-1)",
    "linalg.vector_norm(x, /, *, axis=None, keepdims=False, ord=2)",
    'fft.fft(x, /, *, n=None, axis=-1, norm="backward")',
    'fft.ifft(x, /, *, n=None, axis=-1, norm="backward")',
    'fft.fftn(x, /, *, s=None, axes=None, norm="backward")',
    'fft.ifftn(x, /, *, s=None, axes=None, norm="backward")',
    'fft.rfft(x, /, *, n=None, axis=-1, norm="backward")',
    'fft.irfft(x, /, *, n=None, axis=-1, norm="backward")',
    'fft.rfftn(x, /, *, s=None, axes=None, norm="backward")',
    'fft.irfftn(x, /, *, s=None, axes=None, norm="backward")',
    'fft.hfft(x, /, *, n=None, axis=-1, norm="backward")',
    'fft.ihfft(x, /, *, n=None, axis=-1, norm="backward")',
    "fft.fftfreq(n, /, *, d=1.0, dtype=None, device=None)",
    "fft.rfftfreq(n, /, *, d=1.0, dtype=None, device=None)",
    "fft.fftshift(x, /, *, axes=None)",
    "fft.ifftshift(x, /, *, axes=None)",
    "__array_namespace_info__()",
    "",
][1:-1]
UNARY = [
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "bitwise_invert",
    "ceil",
    "conj",
    "cos",
    "cosh",
    "exp",
    "expm1",
    "floor",
    "isfinite",
    "isinf",
    "isnan",
    "log",
    "log1p",
    "log2",
    "log10",
    "logical_not",
    "negative",
    "positive",
    "reciprocal",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "square",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
]
BINARY = [
    "add",
    "atan2",
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "copysign",
    "divide",
    "equal",
    "floor_divide",
    "greater",
    "greater_equal",
    "hypot",
    "less",
    "less_equal",
    "logaddexp",
    "logical_and",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "multiply",
    "nextafter",
    "not_equal",
    "pow",
    "remainder",
    "subtract",
]
SIGNATURES += [f"{name}(x, /)" for name in UNARY] + [f"{name}(x1, x2, /)" for name in BINARY]
CONSTANTS = ["e", "inf", "nan", "newaxis", "pi"]
DTYPES = [
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float32",
    "float64",
    "complex64",
    "complex128",
]


@pytest.mark.parametrize("text", SIGNATURES)
def test_a_function_takes_what_the_standard_says(text):
    definition = ast.parse(f"def {text.replace('.', '_')}: pass").body[0].args
    path = text.partition("(")[0]
    function = mnp
    for part in path.split("."):
        function = getattr(function, part)
    signature = (
        inspect.signature(function.__call__)
        if isinstance(function, mnp.ufunc)
        else inspect.signature(function)
    )
    positional = [object()] * (len(definition.posonlyargs) + (2 if definition.vararg else 0))
    plain = [argument.arg for argument in definition.args]
    named = {argument.arg: object() for argument in definition.kwonlyargs}
    signature.bind(*positional, **dict.fromkeys(plain, 0), **named)


def test_constants_and_dtypes_are_there():
    for name in CONSTANTS:
        assert getattr(mnp, name) is getattr(numpy, name)
    for name in DTYPES:
        dtype = getattr(mnp, name)
        assert mnp.zeros(2, dtype=dtype).dtype == dtype
        assert (mnp.zeros(2, dtype=dtype) + mnp.ones(2, dtype=mnp.float64)).dtype.kind in "fc"
    assert mnp.finfo(mnp.float32).eps == numpy.finfo("f4").eps
    assert mnp.iinfo(mnp.int8).max == 127


def test_dtypes_promote_by_the_table():
    for one in DTYPES:
        for other in DTYPES:
            expected = numpy.promote_types(one, other)
            assert mnp.result_type(getattr(mnp, one), getattr(mnp, other)) == expected
            if one != "bool" or other != "bool":
                assert (mnp.ones(2, dtype=one) + mnp.ones(2, dtype=other)).dtype == expected
            assert mnp.concat([mnp.ones(1, dtype=one), mnp.ones(1, dtype=other)]).dtype == expected


SPECIAL = numpy.array(
    [numpy.nan, numpy.inf, -numpy.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 1e30,
     -1e30, 1e-30, numpy.pi / 2, numpy.e]
)  # fmt: skip


def assert_equal_to_the_sign_of_zero(found, expected, tolerance):
    numpy.testing.assert_allclose(found, expected, tolerance)
    zero = expected == 0
    assert (numpy.signbit(found[zero]) == numpy.signbit(expected[zero])).all()


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", [n for n in UNARY + BINARY if "bitwise" not in n])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_special_values_are_those_of_the_standard(name, dtype):
    values = SPECIAL.astype(dtype)
    args = (values,) if name in UNARY else tuple(map(numpy.ravel, numpy.meshgrid(values, values)))
    found = getattr(mnp, name)(*map(mnp.asarray, args))._array
    expected = getattr(numpy, name)(*args)
    assert found.dtype == expected.dtype
    if expected.dtype.kind == "b":
        assert (found == expected).all()
    else:
        assert_equal_to_the_sign_of_zero(found, expected, 1e-5 if dtype == "f4" else 1e-12)


SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)


@hypothesis.given(st.data())
@hypothesis.settings(max_examples=150, deadline=None)
def test_an_index_reads_and_writes_what_numpys_does(data):
    shape = data.draw(SHAPES)
    array = numpy.arange(float(numpy.prod(shape))).reshape(shape)
    index = data.draw(
        st.one_of(
            arrays.basic_indices(shape, allow_newaxis=True),
            arrays.integer_array_indices(shape) if shape and all(shape) else st.just(...),
            arrays.arrays(bool, shape),
        )
    )
    ours = mnp.array(array)
    expected = array[index]
    found = ours[index]
    assert found.shape == numpy.shape(expected)
    assert found._array.tolist() == numpy.asarray(expected).tolist()
    basic = isinstance(expected, numpy.ndarray) and isinstance(index, tuple)
    if basic and all(isinstance(i, slice | int) for i in index):
        assert mnp.shares_memory(found, ours) == numpy.shares_memory(expected, array)
    ours[index] = -1.0
    array[index] = -1.0
    assert ours._array.tolist() == array.tolist()


def test_a_written_element_carries_its_gradient():
    value = mnp.asarray(2.0).requires_grad_()
    x = mnp.zeros((2, 3))
    x[1, ::-1] = value
    x[x == 0] = value * 3
    x.T[0] *= 2
    (found,) = minigrad.autograd.grad(x.sum(), value)
    assert found.item() == (6 + 3 + 3) + (2 + 1 + 1)


@hypothesis.given(
    arrays.arrays("f8", SHAPES, elements=st.floats(-9, 9)), st.booleans(), st.integers(0, 5)
)
@hypothesis.settings(max_examples=60, deadline=None)
def test_reductions_of_drawn_arrays(array, keepdims, which):
    axes = [None, *range(array.ndim)]
    axis = axes[which % len(axes)]
    for name in ("sum", "prod", "any", "all", "max", "argmin"):
        if not array.size and name in ("max", "argmin"):
            continue
        expected = getattr(numpy, name)(array, axis=axis, keepdims=keepdims)
        found = getattr(mnp, name)(mnp.asarray(array), axis=axis, keepdims=keepdims)
        assert found.shape == numpy.shape(expected)
        numpy.testing.assert_allclose(found._array, expected, 1e-9, 1e-9)


def test_inspection():
    info = mnp.__array_namespace_info__()
    assert info.capabilities()["data-dependent shapes"]
    assert minigrad.device("cpu") in info.devices()
    assert info.default_device() == minigrad.device("cpu")
    assert info.default_dtypes()["real floating"] == mnp.float64
    assert set(info.dtypes()) == set(DTYPES)
    assert set(info.dtypes(kind=("bool", "unsigned integer"))) == {
        "bool", "uint8", "uint16", "uint32", "uint64"
    }  # fmt: skip
    with pytest.raises(ValueError, match="unknown kind"):
        info.dtypes(kind="text")
    assert mnp.isdtype(mnp.dtype("f4"), "real floating")


def test_an_array_names_its_namespace():
    for array in (mnp.ones(2), minigrad.ones(2)):
        assert array.__array_namespace__() is mnp
        assert array.__array_namespace__(api_version="2024.12") is mnp
        with pytest.raises(ValueError, match="not known"):
            array.__array_namespace__(api_version="1999.1")
    assert mnp.__array_api_version__ == "2024.12"


def test_dlpack_shares_memory():
    ours = mnp.arange(4.0)
    theirs = numpy.from_dlpack(ours)
    theirs[0] = 9.0
    assert ours[0] == 9.0
    back = mnp.from_dlpack(theirs)
    assert type(back) is mnp.ndarray
    assert mnp.shares_memory(back, ours)
    assert not mnp.shares_memory(mnp.from_dlpack(theirs, copy=True), ours)
    assert mnp.from_dlpack(ours, device="cpu") is not None
    assert ours.__dlpack_device__() == (1, 0)
    with pytest.raises(RuntimeError, match="detach"):
        ours.requires_grad_().__dlpack__()


def test_the_array_object():
    x = mnp.reshape(mnp.arange(6.0), (2, 3))
    assert (x.ndim, x.size, x.shape, x.dtype, x.device) == (2, 6, (2, 3), mnp.float64, "cpu")
    assert x.size() == (2, 3)
    assert x.size(1) == 3
    assert x.T.shape == x.mT.shape == (3, 2)
    assert x.to_device("cpu").shape == x.shape
    assert bool(mnp.asarray(True))
    assert int(mnp.asarray(3)) == 3
    assert [0, 1, 2][mnp.asarray(1)] == 1
    assert complex(mnp.asarray(1j)) == 1j
    with pytest.raises(TypeError):
        float(x)
    assert (2 - x)[0, 1] == 1.0
    assert (x @ x.T).shape == (2, 2)
    assert (~mnp.asarray([True])).tolist() == [False]
    assert (x // 2 % 2 == 1).dtype == mnp.bool
    y = mnp.asarray([1, 2], dtype=mnp.int8)
    y += 1
    assert y.dtype == mnp.int8
    with pytest.raises(TypeError):
        y += 1.5
    with pytest.raises(OverflowError):
        y + 300
    assert (y < 300).tolist() == [True, True]
    assert y.sum().dtype == mnp.int64


def test_a_tensor_becomes_an_array_and_back_as_a_view():
    tensor = minigrad.tensor([1.0, 2.0], requires_grad=True)
    array = mnp.asarray(tensor)
    assert array.to_tensor().__class__ is minigrad.Tensor
    assert mnp.shares_memory(array, tensor)
    (array * numpy.array([1.0, 3.0])).sum().backward()
    assert tensor.grad.tolist() == [1.0, 3.0]
    plain = minigrad.zeros(3)
    mnp.asarray(plain)[1] = 5.0
    assert plain.tolist() == [0.0, 5.0, 0.0]
    recorded = plain * minigrad.tensor(2.0, requires_grad=True)
    mnp.asarray(recorded)[0] = tensor[1]
    (found,) = minigrad.autograd.grad(recorded.sum(), tensor)
    assert found.tolist() == [0.0, 1.0]
    # Integers beside single precision are where the two ways to promote part.
    integers, single = minigrad.tensor([1, 2]), minigrad.tensor([0.5, 0.5])
    assert (integers * single).dtype == minigrad.float32
    assert (mnp.asarray(integers) * mnp.asarray(single)).dtype == mnp.float64
    assert (integers * mnp.asarray(single)).dtype == mnp.float64


def test_writing_in_place_keeps_the_graph_right():
    leaf = mnp.asarray([1.0, 2.0]).requires_grad_()
    for write in (
        lambda: leaf.__iadd__(1.0),
        lambda: leaf.sort(),
        lambda: mnp.exp(numpy.ones(2), out=leaf),
        lambda: leaf.__setitem__(0, 1.0),
    ):
        with pytest.raises(RuntimeError, match="leaf"):
            write()
    assert leaf.tolist() == [1.0, 2.0]
    x = leaf * 1.0
    x *= 2.0 * x
    x += 1
    y = mnp.ones(2)
    y *= leaf
    y *= leaf
    (found,) = minigrad.autograd.grad((x + y).sum(), leaf)
    assert found.tolist() == [6.0, 12.0]
    z = mnp.asarray([3.0, 1.0]) * leaf
    z.sort()
    (found,) = minigrad.autograd.grad(z[0], leaf)
    assert found.tolist() == [0.0, 1.0]
    count = mnp.asarray([1, 2])
    with pytest.raises(TypeError, match="cannot be written"):
        count /= 2
