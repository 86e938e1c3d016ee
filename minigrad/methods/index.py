"""The indexing operations as methods of Tensor."""

from __future__ import annotations

from typing import Any

from minigrad.inplace import assign, in_place
from minigrad.ops import gather as gathering
from minigrad.ops import index as indexing
from minigrad.ops import mask, replace, segments
from minigrad.ops import scatter as scattering
from minigrad.ops.index import getitem, normalise


class IndexMethods:
    """Methods from the indexing families of operations."""

    __slots__ = ()

    _array: Any

    def __getitem__(self, index: Any) -> Any:
        view, rest = normalise(self._array, index)
        result: Any = self if view is None else getitem(self, index=view)
        return result if rest is None else getitem(result, index=rest)

    def __setitem__(self, index: Any, value: Any) -> None:
        view, rest = normalise(self._array, index)
        if rest is None:
            assign(self, view, value, getitem)  # type: ignore[arg-type]
        else:
            assign(self if view is None else getitem(self, index=view), rest, value, getitem)

    argwhere = mask.argwhere
    as_strided_scatter = replace.as_strided_scatter
    diagonal_scatter = replace.diagonal_scatter
    gather = gathering.gather
    index_add = scattering.index_add
    index_copy = scattering.index_copy
    index_fill = scattering.index_fill
    index_put = indexing.index_put
    index_reduce = segments.index_reduce
    index_select = gathering.index_select
    masked_fill = mask.masked_fill
    masked_scatter = mask.masked_scatter
    masked_select = mask.masked_select
    narrow = indexing.narrow
    narrow_copy = indexing.narrow_copy
    nonzero = mask.nonzero
    nonzero_static = mask.nonzero_static
    put = replace.put
    scatter = scattering.scatter
    scatter_add = scattering.scatter_add
    scatter_reduce = segments.scatter_reduce
    select = indexing.select
    select_scatter = replace.select_scatter
    slice_scatter = replace.slice_scatter
    take = gathering.take
    take_along_dim = gathering.take_along_dim

    index_add_ = in_place(scattering.index_add)
    index_copy_ = in_place(scattering.index_copy)
    index_fill_ = in_place(scattering.index_fill)
    index_put_ = in_place(indexing.index_put)
    index_reduce_ = in_place(segments.index_reduce)
    masked_fill_ = in_place(mask.masked_fill)
    masked_scatter_ = in_place(mask.masked_scatter)
    put_ = in_place(replace.put)
    scatter_ = in_place(scattering.scatter)
    scatter_add_ = in_place(scattering.scatter_add)
    scatter_reduce_ = in_place(segments.scatter_reduce)
