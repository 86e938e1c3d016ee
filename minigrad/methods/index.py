"""The indexing operations as methods of Tensor."""

from __future__ import annotations

from typing import Any

from minigrad.inplace import assign, in_place
from minigrad.ops import gather as gathering
from minigrad.ops import index as indexing
from minigrad.ops import mask
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
    gather = gathering.gather
    index_add = scattering.index_add
    index_copy = scattering.index_copy
    index_fill = scattering.index_fill
    index_put = indexing.index_put
    index_select = gathering.index_select
    masked_fill = mask.masked_fill
    masked_scatter = mask.masked_scatter
    masked_select = mask.masked_select
    narrow = indexing.narrow
    nonzero = mask.nonzero
    scatter = scattering.scatter
    scatter_add = scattering.scatter_add
    select = indexing.select
    take = gathering.take
    take_along_dim = gathering.take_along_dim

    index_add_ = in_place(scattering.index_add)
    index_copy_ = in_place(scattering.index_copy)
    index_fill_ = in_place(scattering.index_fill)
    index_put_ = in_place(indexing.index_put)
    masked_fill_ = in_place(mask.masked_fill)
    masked_scatter_ = in_place(mask.masked_scatter)
    scatter_ = in_place(scattering.scatter)
    scatter_add_ = in_place(scattering.scatter_add)
