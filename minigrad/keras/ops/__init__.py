"""Keras's operations: functions of tensors for custom layers, losses and metrics.

Arguments may be tensors, weights, NumPy arrays, numbers or lists; the axes are called `axis` and
`keepdims`. Given a KerasTensor, a function becomes a node of the graph of layers.

>>> from minigrad.keras import ops
>>> ops.mean(ops.square([1.0, 2.0, 3.0]))
tensor(4.6667)
"""

from minigrad.keras.ops.creation import *  # noqa: F403
from minigrad.keras.ops.elementwise import *  # noqa: F403
from minigrad.keras.ops.network import *  # noqa: F403
from minigrad.keras.ops.products import *  # noqa: F403
from minigrad.keras.ops.reductions import *  # noqa: F403
from minigrad.keras.ops.shapes import *  # noqa: F403
