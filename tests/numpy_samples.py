"""Calls of NumPy's functions, the same for NumPy and for `minigrad.numpy`, as (name, arguments)."""

import numpy


def values(*shape, seed=0):
    return numpy.random.default_rng(seed).uniform(0.3, 2.0, shape)


X = values(2, 3)
Y = values(2, 3, seed=1)
V = values(5, seed=2)
W = values(5, seed=3)
S = values(3, 3, seed=4) + 2 * numpy.eye(3)
B = values(2, 3, 3, seed=5) + 2 * numpy.eye(3)
SYMMETRIC = S @ S.T
Z = X + 1j * Y
C = values(2, 3, 4, seed=6)
I = numpy.array([[3, -1, 2], [0, 5, -7]])  # noqa: E741
T = I != 0
NAN = numpy.where(X > 1.2, numpy.nan, X)
PLACES = numpy.array([2, 0, 1])
WEIGHTS = numpy.array([1.0, 2.0, 3.0])


def call(*args, **kwargs):
    return args, kwargs


def axes(*args):
    """The same arguments reduced over all axes, each axis, several, none, and kept."""
    return [
        call(*args), call(*args, axis=0), call(*args, axis=-1), call(*args, axis=(0, 1)),
        call(*args, axis=1, keepdims=True), call(*args, keepdims=True),
    ]  # fmt: skip


REDUCTIONS = {
    name: [
        *axes(X), *axes(I), call(T), call(X.astype("f4")), call(X, axis=()),
        call(numpy.array(2.5)), call(C, axis=(0, 2)),
    ]
    for name in [
        "sum", "prod", "mean", "var", "std", "max", "min", "amax", "amin", "all", "any", "ptp",
        "count_nonzero",
    ]
}  # fmt: skip
for _name in ("ptp", "count_nonzero"):
    REDUCTIONS[_name] = [c for c in REDUCTIONS[_name] if c[1].get("axis") != ()]
REDUCTIONS["ptp"] = [c for c in REDUCTIONS["ptp"] if c[0][0] is not T]
for _name in ("sum", "prod"):
    REDUCTIONS[_name] += [
        call(X, dtype="f4"), call(X, initial=2.0), call(X, where=T), call(X, axis=0, where=T),
        call(Z, axis=0), call(I.astype("u1")), call(I.astype("i2"), axis=0), call(T, axis=0),
        call(numpy.zeros((0, 3)), axis=0),
    ]  # fmt: skip
for _name in ("max", "min"):
    REDUCTIONS[_name] += [
        call(X, initial=1.0), call(X, axis=0, initial=1.0), call(X, initial=1.0, where=T),
        call(numpy.zeros((0, 3)), axis=0), call(numpy.zeros((0, 3))),
        call(numpy.zeros((0, 3)), axis=1), call(NAN, axis=0), call(X, axis=2), call(X, axis=(0, 0)),
    ]  # fmt: skip
for _name in ("mean", "var", "std"):
    REDUCTIONS[_name] += [call(X, where=T), call(X, axis=0, where=T), call(Z), call(Z, axis=1)]
for _name in ("var", "std"):
    REDUCTIONS[_name] += [
        call(X, ddof=1), call(X, axis=0, correction=1), call(X, axis=0, mean=X.mean(0)),
    ]  # fmt: skip

SAMPLES = {
    **REDUCTIONS,
    # Creation.
    "array": [
        call([1, 2]),
        call([[1.0, 2], [3, 4]]),
        call(X),
        call(3),
        call(2.5, ndmin=2),
        call([]),
        call([True, False]),
        call([1j, 2]),
        call(X, dtype="f4"),
        call(I, dtype=float),
        call([X, Y]),
        call([X[0], Y[0].astype("f4")]),
    ],
    "asarray": [call([1, 2]), call(X), call(X, dtype="i4"), call(2.0), call(I.astype(">i4"))],
    "astype": [call(X, "f4"), call(I, float), call(X, int), call(T, "u1"), call(X, complex)],
    "copy": [call(X)],
    "zeros": [call(3), call((2, 3)), call((2, 3), "i4"), call(()), call((0, 2)), call(2, bool)],
    "ones": [call(3), call((2, 3)), call((2, 3), dtype="c8")],
    "full": [call(3, 2), call((2, 3), 1.5), call((2,), True), call((2,), 1j), call(2, 1, "f4")],
    "zeros_like": [call(X), call(I), call(I, dtype=float), call(X, shape=(4,))],
    "ones_like": [call(X), call(T)],
    "full_like": [call(X, 2), call(I, 2.7), call(X.astype("f4"), 0.1)],
    "eye": [call(3), call(2, 3), call(3, k=1), call(3, dtype=int)],
    "identity": [call(3)],
    "arange": [
        call(5),
        call(2.0),
        call(1, 6),
        call(1, 6, 2),
        call(6, 1, -2),
        call(0, 1, 0.25),
        call(5, dtype="f4"),
        call(3, 1),
    ],
    "linspace": [
        call(0, 1),
        call(0, 1, 5),
        call(0, 1, 5, endpoint=False),
        call(X, Y, 4),
        call(X[0], 2.0, 3, axis=-1),
        call(0, 10, 5, dtype=int),
        call(0, 1, 1),
        call(0, 1, 0),
    ],
    "logspace": [call(0, 2, 4), call(0, 2, 4, base=2.0)],
    "geomspace": [call(1, 8, 4)],
    "tri": [call(3), call(2, 3, 1)],
    "tril": [call(X), call(B, k=1)],
    "triu": [call(X), call(B, k=-1), call(I)],
    "diag": [call(V), call(S), call(V, 1), call(X, -1), call(C)],
    "diagflat": [call(X), call(V, 2)],
    "vander": [call(V), call(V, 3), call(V, 3, True)],
    "meshgrid": [
        call(V, W),
        call(V, W, indexing="ij"),
        call(V, W[:2], V[:3]),
        call(V, sparse=True),
    ],
    "indices": [call((2, 3))],
    "hanning": [call(5)],
    "hamming": [call(5)],
    "blackman": [call(5)],
    "bartlett": [call(5)],
    "kaiser": [call(5, 14)],
    # Functions of elements that are no ufuncs.
    "modf": [call(X), call(-X), call(I)],
    "frexp": [call(X), call(numpy.array([0.0, -3.0]))],
    "ldexp": [call(X, I), call(X.astype("f4"), 2)],
    "cbrt": [call(X), call(-X), call(I), call(X.astype("f4"))],
    "fix": [call(X), call(-X)],
    "round": [call(X), call(X, 1), call(I, -1), call(Z, 1), call(X.astype("f4"), 2), call(I)],
    "clip": [
        call(X, 0.5, 1.0),
        call(X, None, 1.0),
        call(X, 0.5, None),
        call(I, 0, 3),
        call(X, Y, 1.5),
        call(I, -1.5, 2),
        call(X.astype("f4"), 0, 1),
        call(I.astype("i1"), -1000, 1000),
    ],
    "real": [call(Z), call(X), call(I)],
    "imag": [call(Z), call(X), call(I)],
    "angle": [call(Z), call(Z, deg=True), call(X)],
    "sinc": [call(X), call(I)],
    "nan_to_num": [call(NAN), call(NAN, nan=2.0), call(Z), call(I)],
    "isposinf": [call(NAN)],
    "isneginf": [call(-1 / (X * 0 + 1))],
    "isreal": [call(Z), call(X)],
    "iscomplex": [call(Z), call(X)],
    "isclose": [call(X, X + 1e-9), call(X, Y), call(NAN, NAN), call(NAN, NAN, equal_nan=True)],
    "allclose": [call(X, X + 1e-9), call(X, Y)],
    "array_equal": [call(X, X), call(X, Y), call(X, V)],
    "array_equiv": [call(X, X), call(X[0], X[:1])],
    "divmod": [call(I, 2), call(X, 0.4), call(-X, Y)],
    # Shapes.
    "reshape": [
        call(X, (3, 2)),
        call(X, -1),
        call(X, (3, -1)),
        call(X, (3, 2), order="F"),
        call(X, (4, 2)),
        call(C, (-1, 4)),
    ],
    "ravel": [call(X), call(X, order="F"), call(X.T)],
    "transpose": [call(X), call(C), call(C, (1, 2, 0)), call(C, (0, 1)), call(V)],
    "permute_dims": [call(C, (1, 2, 0))],
    "matrix_transpose": [call(C)],
    "swapaxes": [call(C, 0, 2), call(C, -1, 1), call(C, 0, 3)],
    "moveaxis": [call(C, 0, -1), call(C, (0, 1), (1, 2))],
    "rollaxis": [call(C, 2), call(C, 0, 3), call(C, 1, -1)],
    "expand_dims": [call(X, 0), call(X, -1), call(X, (0, 2)), call(X, 5)],
    "squeeze": [call(X[None]), call(X[None, :, None], axis=0), call(X, axis=0)],
    "broadcast_to": [call(X, (4, 2, 3)), call(2.0, (2,)), call(X, (3, 3))],
    "broadcast_arrays": [call(X, X[:1], 2.0)],
    "atleast_1d": [call(2.0), call(X), call(2.0, V)],
    "atleast_2d": [call(2.0), call(V)],
    "atleast_3d": [call(2.0), call(V), call(X)],
    "flip": [call(X), call(X, 0), call(C, (0, 2))],
    "fliplr": [call(X)],
    "flipud": [call(X)],
    "rot90": [call(X), call(X, 2), call(C, 3, (1, 2))],
    "roll": [call(X, 1), call(X, 1, axis=1), call(C, (1, 2), axis=(0, 2)), call(X, 2, axis=(0, 1))],
    "resize": [call(X, (2, 2)), call(X, (3, 4))],
    "concatenate": [
        call((X, Y)),
        call((X, Y), axis=1),
        call((X, V), axis=None),
        call((X, I)),
        call((X.astype("f4"), I.astype("i2"))),
        call((X, V)),
        call((X, Y), axis=2),
        call(()),
        call((X, Y), dtype="f4"),
    ],
    "stack": [call((X, Y)), call((X, Y), axis=-1), call((V, V.astype("f4"))), call((X, V))],
    "vstack": [call((V, W)), call((X, Y))],
    "hstack": [call((V, W)), call((X, Y))],
    "dstack": [call((X, Y)), call((V, W))],
    "column_stack": [call((V, W)), call((X, Y))],
    "block": [call([[X, Y], [Y, X]]), call([V, W])],
    "append": [call(X, Y), call(X, Y, axis=0), call(V, 2.0)],
    "split": [call(C, 2, 2), call(V, [1, 3]), call(V, 2)],
    "array_split": [call(V, 2), call(V, 3), call(X, 4, 1)],
    "hsplit": [call(X, 3), call(V, 5)],
    "vsplit": [call(X, 2)],
    "dsplit": [call(C, 2)],
    "unstack": [call(X), call(C, axis=1)],
    "tile": [call(X, 2), call(V, (2, 2)), call(X, (2, 1, 2))],
    "repeat": [call(X, 2), call(X, 2, axis=1), call(V, [1, 0, 2, 1, 3]), call(X, [1, 2], axis=0)],
    "pad": [
        call(X, 1),
        call(V, (1, 2), "edge"),
        call(X, ((1, 0), (2, 1)), "reflect"),
        call(V, 2, "symmetric"),
        call(V, 3, "wrap"),
        call(X, 1, constant_values=2.0),
        call(I, 1),
        call(V, (1, 2), "constant", constant_values=(3.0, 4.0)),
    ],
    "trim_zeros": [call(numpy.array([0.0, 0, 1, 2, 0]))],
    "delete": [call(V, 1), call(X, 0, axis=0), call(V, [0, 2]), call(V, slice(1, 3))],
    "insert": [call(V, 1, 9.0), call(V, [0, 2], [7.0, 8.0]), call(X, 1, 5.0, axis=1)],
    # Positions.
    "take": [
        call(X, [0, 2], axis=1),
        call(X, [0, -1]),
        call(X, PLACES),
        call(V, 2),
        call(X, 9),
        call(V, [7, 9], mode="wrap"),
        call(V, [7, -9], mode="clip"),
    ],
    "take_along_axis": [call(X, numpy.argsort(X, 1), axis=1), call(X, I[:1] * 0, axis=0)],
    "where": [call(T, X, Y), call(X > 1, X, 0.0), call(X > 1), call(T, I, 2.5), call(T, 1, 2)],
    "nonzero": [call(I)],
    "flatnonzero": [call(I)],
    "argwhere": [call(I)],
    "compress": [call([True, False], X, axis=0), call(T.ravel(), X)],
    "extract": [call(T, X)],
    "choose": [call(numpy.array([0, 1, 1]), (X, Y))],
    "select": [call([X > 1, X > 0.5], [X, Y]), call([X > 1], [X], default=3.0)],
    "searchsorted": [call(numpy.sort(V), X), call(numpy.sort(V), W, side="right")],
    "digitize": [call(X, numpy.sort(V)), call(I, [0, 2])],
    # Order.
    "sort": [call(X), call(X, axis=0), call(X, axis=None), call(I), call(NAN, axis=1), call(Z)],
    "argsort": [call(X), call(X, axis=0), call(I), call(I, axis=None), call(X, stable=True)],
    "lexsort": [call((V, W))],
    "argmax": [
        call(X),
        call(X, axis=1),
        call(I, axis=0, keepdims=True),
        call(T, axis=1),
        call(numpy.zeros((0,))),
    ],
    "argmin": [call(X), call(X, axis=1), call(I, axis=0, keepdims=True)],
    "median": [*axes(X), *axes(C), call(V), call(V[:4]), call(NAN), call(I)],
    "quantile": [
        call(V, 0.3),
        call(X, [0.1, 0.5, 1.0]),
        call(X, 0.4, axis=0),
        call(C, [0.2, 0.7], axis=1),
        call(C, 0.5, axis=(0, 2), keepdims=True),
        call(X, 0.5, axis=1, method="lower"),
        call(V, 0.3, method="nearest"),
        call(V, 0.3, method="midpoint"),
        call(V, 0.3, method="hazen"),
        call(V, 0.3, method="weibull"),
        call(V, 0.3, method="higher"),
        call(V, 1.5),
        call(I, 0.3),
        call(V, 0.3, method="median_unbiased"),
        call(V, 0.3, method="inverted_cdf"),
    ],
    "percentile": [call(V, 30), call(X, [10, 50], axis=1)],
    "nanmedian": [call(NAN), call(NAN, axis=0)],
    "nanquantile": [call(NAN, 0.4), call(NAN, 0.4, axis=1)],
    "nanpercentile": [call(NAN, [20, 50], axis=1)],
    "unique": [
        call(numpy.array([3, 1, 3, 2])),
        call(numpy.array([3.0, 1, 3, 2]), True, True, True),
        call(I % 3),
        call(numpy.array([[1, 2], [1, 2], [0, 1]]), axis=0),
    ],
    "unique_all": [call(I % 3)],
    "unique_counts": [call(I % 3)],
    "unique_inverse": [call(I % 3)],
    "unique_values": [call(I % 3)],
    "union1d": [call(V, W[:2])],
    "intersect1d": [call(I[0], I[1] + 3)],
    "setdiff1d": [call(I[0], I[1] + 3)],
    "setxor1d": [call(I[0], I[1] + 3)],
    "isin": [call(I, [0, 2]), call(I, [0, 2], invert=True)],
    "bincount": [call(I[0] + 1), call(I[0] + 1, WEIGHTS), call(I[0] + 1, minlength=9)],
    "histogram": [
        call(X, 3),
        call(V, [0.5, 1.0, 2.0]),
        call(V, 3, weights=W),
        call(V, 3, density=True, weights=W),
    ],
    "histogram_bin_edges": [call(V, 4)],
    # Running results and calculus.
    "cumsum": [
        call(X),
        call(X, axis=1),
        call(I, axis=0),
        call(X, dtype="f4"),
        call(I.astype("i1")),
    ],
    "cumprod": [call(X), call(X, axis=1), call(I, axis=0)],
    "cumulative_sum": [call(V), call(X, axis=1), call(X, axis=0, include_initial=True), call(X)],
    "cumulative_prod": [call(V), call(X, axis=0, include_initial=True)],
    "average": [
        call(X),
        call(X, axis=0),
        call(X, axis=1, weights=WEIGHTS),
        call(X, weights=Y),
        call(I, axis=0, weights=Y, returned=True),
    ],
    "diff": [
        call(V),
        call(X, axis=0),
        call(C, n=2),
        call(V, prepend=0.0),
        call(T),
        call(V, append=W),
    ],
    "ediff1d": [call(V), call(V, to_end=1.0, to_begin=[2.0, 3.0])],
    "gradient": [
        call(V),
        call(C),
        call(V, 0.5),
        call(X, axis=1),
        call(V, numpy.cumsum(W)),
        call(V, edge_order=2),
    ],
    "trapezoid": [call(V), call(X, axis=0), call(V, x=numpy.cumsum(W)), call(X, dx=0.5)],
    "interp": [
        call(X, numpy.cumsum(W), V),
        call(X, numpy.cumsum(W), V, left=0.0, right=9.0),
        call(X, W, V, period=1.5),
        call(1.0, numpy.cumsum(W), V),
    ],
    "convolve": [
        call(V, W),
        call(V, W[:2], "same"),
        call(V, W[:3], "valid"),
        call(W[:2], V, "same"),
        call(I[0], I[1]),
    ],
    "correlate": [
        call(V, W),
        call(V, W[:2], "same"),
        call(V, W[:3], "full"),
        call(W[:2], V),
        call(W[:2], V, "same"),
        call(W[:3], V, "same"),
        call(V, W[:3], "same"),
    ],
    "unwrap": [call(V * 9)],
    "polyval": [call(V, X), call(V, 2.0)],
    "polyadd": [call(V, W[:2])],
    "polysub": [call(V, W[:2])],
    "polymul": [call(V, W[:2])],
    "polyder": [call(V), call(V, 2)],
    "polyint": [call(V), call(V, 2)],
    **{
        name: [call(NAN), call(NAN, axis=0), call(NAN, axis=1, keepdims=True), call(I)]
        for name in ["nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin"]
    },
    "nancumsum": [call(NAN), call(NAN, axis=1)],
    "nancumprod": [call(NAN)],
    "nanargmax": [call(NAN, axis=1)],
    "nanargmin": [call(NAN, axis=0)],
    # Products.
    "matmul": [
        call(S, S),
        call(B, S),
        call(S, V[:3]),
        call(V, W),
        call(X, X),
        call(2, X),
        call(I.T, I),
        call(S.astype("f4"), I.T),
        call(T.T, T),
        call(Z.T, Z),
    ],
    "dot": [call(S, S), call(V, W), call(2.0, X), call(X, C.transpose(0, 1, 2)), call(I.T, I)],
    "vdot": [call(Z, Z), call(V, W)],
    "inner": [call(X, Y), call(V, W), call(2.0, X)],
    "outer": [call(V, W), call(X, Y)],
    "vecdot": [call(X, Y), call(Z, Z), call(X, Y, axis=0)],
    "matvec": [call(B, X)],
    "vecmat": [call(X, B)],
    "tensordot": [call(S, S), call(C, X, ((0, 1), (0, 1))), call(S, S, 1), call(V, W, 0)],
    "einsum": [
        call("ij,jk->ik", S, S),
        call("ii", S),
        call("ij->j", X),
        call("i,j", V, W),
        call("...ij->...ji", C),
        call(S, [0, 1], S, [1, 2], [0, 2]),
        call("ij,ij", I, I),
    ],
    "kron": [call(X, S), call(V, W), call(V, X)],
    "cross": [call(X, Y), call(X[:, :2], Y[:, :2]), call(S, S, axis=0), call(X[:, :2], Y)],
    "trace": [call(S), call(C, 1), call(I)],
    "diagonal": [call(S), call(C, 1), call(C, 0, 1, 2), call(V)],
    "cov": [
        call(X),
        call(V),
        call(V, W),
        call(X, rowvar=False),
        call(X, bias=True),
        call(X, aweights=WEIGHTS),
        call(X, fweights=numpy.array([1, 2, 1])),
    ],
    "corrcoef": [call(X @ S), call(V, W), call(S, rowvar=False)],
    "ix_": [call([0, 1], [2, 0])],
    "tril_indices": [call(3)],
    "triu_indices": [call(3, 1)],
    "diag_indices": [call(3)],
    "unravel_index": [call([3, 5], (2, 3))],
    "ravel_multi_index": [call(([0, 1], [2, 0]), (2, 3))],
    "iscomplexobj": [call(Z), call(X)],
    "isrealobj": [call(Z)],
    "ndim": [call(X)],
    "shape": [call(X)],
    "size": [call(X), call(X, 1)],
    "result_type": [call(numpy.float32, numpy.int64), call(X.astype("f4"), 2.0), call(I, 2.0)],
    "can_cast": [call(numpy.float32, numpy.float64), call(numpy.float64, numpy.int8)],
    "promote_types": [call("f4", "i8")],
    "isdtype": [call(numpy.dtype("f4"), "real floating")],
    "min_scalar_type": [call(10)],
    "common_type": [call(X, I)],
}

LINALG = {
    "cholesky": [call(SYMMETRIC), call(SYMMETRIC, upper=True), call(-SYMMETRIC), call(X)],
    "det": [call(S), call(B), call(I), call(numpy.eye(3, dtype=int))],
    "slogdet": [call(S), call(B), call(-S)],
    "inv": [call(S), call(B), call(numpy.zeros((2, 2))), call(2 * numpy.eye(3, dtype=int))],
    "solve": [call(S, S), call(S, V[:3]), call(B, X[0]), call(B, B), call(S.astype("f4"), S)],
    "eigvalsh": [call(SYMMETRIC)], "eigvals": [call(S + 0j)],
    "svdvals": [call(X), call(B)],
    "pinv": [call(X), call(B)],
    "matrix_rank": [call(S), call(numpy.ones((3, 3))), call(B)],
    "matrix_power": [call(S, 3), call(S, 0), call(S, -2), call(I[:, :2], 2), call(B, 2)],
    "multi_dot": [call([X, S, S])],
    "norm": [call(X), call(V), call(V, 1), call(V, numpy.inf), call(X, axis=1), call(X, "nuc"),
             call(X, 2), call(X, 1), call(C, axis=(0, 2)), call(V, 3),
             call(X, "fro", keepdims=True), call(C, 1), call(V, 0), call(V, "fro")],
    "vector_norm": [call(X), call(X, axis=1, ord=1), call(X, keepdims=True)],
    "matrix_norm": [call(B), call(B, ord=2), call(X, keepdims=True)],
    "cond": [call(S), call(S, 1), call(S, 2), call(S, -2)],
    "diagonal": [call(B), call(B, offset=1)],
    "trace": [call(B), call(B, offset=1)],
    "outer": [call(V, W)], "cross": [call(X, Y), call(X[:, :2], Y)],
    "matmul": [call(S, S)], "matrix_transpose": [call(B)], "tensordot": [call(S, S)],
    "vecdot": [call(X, Y)],
    "tensorinv": [call(values(4, 6, 8, 3, seed=9))],
    "tensorsolve": [call(values(2, 3, 6, seed=9), X)],
    "lstsq": [call(S[:, :2], V[:3]), call(S[:, :2], S)],
}  # fmt: skip

FFT = {
    **{name: [call(V), call(C, axis=1), call(X, n=5), call(X, norm="ortho")] for name in
       ["fft", "ifft", "rfft", "ihfft"]},
    **{name: [call(Z), call(Z, n=5), call(Z, norm="forward")] for name in ["irfft", "hfft"]},
    **{name: [call(X), call(C), call(C, axes=(0, 1)), call(C, s=(2, 5), axes=(1, 2))] for name in
       ["fftn", "ifftn", "fft2", "ifft2", "rfftn", "rfft2"]},
    "irfftn": [call(Z), call(Z, s=(2, 5), axes=(0, 1))], "irfft2": [call(Z)],
    "fftshift": [call(X), call(X, axes=1)], "ifftshift": [call(X), call(X, axes=(0,))],
    "fftfreq": [call(5), call(4, 0.5)], "rfftfreq": [call(5), call(4, 0.5)],
}  # fmt: skip
