"""Which primitive stands for each operator between NumPy's arrays and Tensors."""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.ops import compare, elementwise, matmul
from minigrad.ops.power import _pow

OPERATORS: dict[Any, Any] = {
    numpy.add: elementwise._add,
    numpy.subtract: elementwise._sub,
    numpy.multiply: elementwise.mul,
    numpy.divide: elementwise._div,
    numpy.floor_divide: elementwise.floor_divide,
    numpy.remainder: elementwise.remainder,
    numpy.power: _pow,
    numpy.matmul: matmul.matmul,
    numpy.equal: compare.eq,
    numpy.not_equal: compare.ne,
    numpy.less: compare.lt,
    numpy.less_equal: compare.le,
    numpy.greater: compare.gt,
    numpy.greater_equal: compare.ge,
    numpy.bitwise_and: compare.bitwise_and,
    numpy.bitwise_or: compare.bitwise_or,
    numpy.bitwise_xor: compare.bitwise_xor,
    numpy.left_shift: compare.bitwise_left_shift,
    numpy.right_shift: compare.bitwise_right_shift,
}
