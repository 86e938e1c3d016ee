"""The reductions, running sums and sorting as methods of Tensor."""

from __future__ import annotations

from minigrad.inplace import in_place
from minigrad.ops import (
    count,
    covariance,
    distinct,
    extremes,
    moments,
    reduce,
    running,
    scan,
)
from minigrad.ops import quantile as quantiles
from minigrad.ops import sort as sorting


class ReduceMethods:
    """Methods from the reduction families of operations."""

    __slots__ = ()

    sum = reduce.sum
    mean = reduce.mean
    nansum = reduce.nansum
    nanmean = reduce.nanmean
    count_nonzero = reduce.count_nonzero
    all = reduce.all
    any = reduce.any

    amax = extremes.amax
    amin = extremes.amin
    aminmax = extremes.aminmax
    max = extremes.max
    min = extremes.min
    argmax = extremes.argmax
    argmin = extremes.argmin

    var = moments.var
    std = moments.std
    logsumexp = moments.logsumexp

    prod = scan.prod
    cumsum = scan.cumsum
    cumprod = scan.cumprod
    cumsum_ = in_place(scan.cumsum)
    cumprod_ = in_place(scan.cumprod)
    cummax = running.cummax
    cummin = running.cummin
    logcumsumexp = running.logcumsumexp
    diff = running.diff

    sort = sorting.sort
    argsort = sorting.argsort
    msort = sorting.msort
    topk = sorting.topk
    kthvalue = sorting.kthvalue
    median = sorting.median
    unique = sorting.unique
    nanmedian = quantiles.nanmedian
    mode = quantiles.mode
    quantile = quantiles.quantile
    nanquantile = quantiles.nanquantile
    unique_consecutive = distinct.unique_consecutive

    bincount = count.bincount
    histc = count.histc
    histogram = count.histogram
    cov = covariance.cov
    corrcoef = covariance.corrcoef
