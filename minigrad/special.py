"""torch.special's names for functions of one or two elements."""

from __future__ import annotations

from minigrad.absent import explaining
from minigrad.ops.error_function import erf, erfc, erfinv
from minigrad.ops.functions import exp2, expm1, log1p, round
from minigrad.ops.fused import log_softmax, softmax
from minigrad.ops.moments import logsumexp
from minigrad.ops.special import entr, logit, ndtr, sinc, xlog1py, xlogy
from minigrad.ops.special import sigmoid as expit

__all__ = [
    "entr",
    "erf",
    "erfc",
    "erfinv",
    "exp2",
    "expit",
    "expm1",
    "log1p",
    "log_softmax",
    "logit",
    "logsumexp",
    "ndtr",
    "round",
    "sinc",
    "softmax",
    "xlog1py",
    "xlogy",
]

__getattr__ = explaining(__name__)
