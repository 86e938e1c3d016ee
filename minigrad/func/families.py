"""Which primitive belongs to which family for batching, by the name of its declaration."""

from __future__ import annotations

from typing import Any

__all__ = ["DIMS", "ELEMENTS", "FOLDED", "LEADING", "ONE_DIM", "SHIFTED", "on_elements"]

DIMS = frozenset({"axes", "dim", "dim0", "dim1", "dim2", "dims"})
"""Constants that name dimensions."""

ELEMENTS = (
    "cast", "discretize", "zero", "_share", "_clamp", "_within", "_nan_to_num", "neg", "abs",
    "sign", "sgn", "_conj", "_real", "_imag", "angle", "isnan", "isinf", "isfinite", "isposinf",
    "isneginf", "isreal", "signbit", "logical_not", "logical_and", "logical_or", "logical_xor",
    "bitwise_not", "floor", "ceil", "trunc", "frac", "_round", "_joined", "_clone", "relu",
    "_relu_grad", "_inside", "_leaky_relu_grad", "_hardtanh", "_hardswish_slope", "_tanh_grad",
    "_sigmoid_grad", "_masked_fill", "masked", "alpha_masked", "_elu_slope", "_steps_below",
    "_softplus_grad", "_silu_grad", "_gelu_grad", "_gelu_tanh_grad", "_capped_log",
    "_threshold", "move",
)  # fmt: skip
"""Operations on the elements at one place each, their declaration not saying so."""

SHIFTED = (
    "unreduce", "_sum", "_mean", "_nansum", "_count_numbers", "_all", "_any", "_diagonal",
    "_from_diagonal", "_ties", "_amax", "_amin", "_argmax", "_argmin", "_vector_norm",
    "_softmax", "softmax_grad", "_log_softmax", "log_softmax_grad", "_var", "_std",
    "_logsumexp", "_repeat_each", "_flip", "_cumsum", "_cumprod", "_prod", "_logcumsumexp",
    "_fft", "_rfft", "_euclidean", "_powered", "take_along", "_put_along", "_take_one",
    "_put_one", "resample",
)  # fmt: skip
"""Operations along dimensions that constants name."""

ONE_DIM = ("_argmax", "_argmin")
"""Those of them that take one dimension, or all, but no more than one by name."""

LEADING = (
    "_tril", "_triu", "_inv", "_svd", "_svdvals", "_eigh", "_eigvalsh", "_qr", "_cholesky",
    "_det", "_cofactors", "_slogdet", "_as_real", "_as_complex", "_phase_free",
)  # fmt: skip
"""Operations on the last dimensions, the others being a batch already."""

FOLDED = (
    "_max_pool", "_max_pool_grad", "max_pool_winners", "mean_windows", "mean_windows_grad",
    "to_columns", "from_columns",
)  # fmt: skip
"""Operations on samples, which are their first dimension."""


def on_elements(op: Any) -> bool:
    """Whether a primitive's declaration says that it works on the elements at one place each."""
    kind = op.kind
    return bool(kind.agree or kind.floating) and not (DIMS | {"size"}) & set(op.constants)
