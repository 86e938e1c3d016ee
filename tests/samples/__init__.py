"""The sample rows: what the tests know of each primitive, one file per family."""

from __future__ import annotations

from tests.samples import (
    drawn,
    elementwise,
    factor,
    fourier,
    linear,
    loss,
    network,
    recurrent,
    reduce,
    shape,
    special,
)
from tests.samples.row import Row

FAMILIES = (
    elementwise, reduce, shape, linear, factor, network, recurrent, loss, drawn, fourier, special,
)  # fmt: skip

ROWS: dict[str, Row] = {}
for _family in FAMILIES:
    for _name, _row in _family.ROWS.items():
        assert _name not in ROWS, f"{_name} has two rows"
        ROWS[_name] = _row
