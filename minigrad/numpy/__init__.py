"""NumPy's names over minigrad's operations, for arrays that carry gradients.

The dtypes, promotion, defaults and errors are NumPy 2's, the array namespace is that of the Array
API standard 2024.12. Arrays are Tensors (see `ndarray`), and NumPy's own functions given one come
here. It holds no mathematics of its own: every function translates arguments.

>>> from minigrad import numpy as np
>>> x = np.linspace(0, 1, 3).requires_grad_()
>>> np.sum(np.sin(x) ** 2, axis=0).backward()
>>> np.round(x.grad, 4)
array([0.    , 0.8415, 0.9093])
"""

from typing import Any as _Any

from minigrad.numpy import fft as fft
from minigrad.numpy import linalg as linalg
from minigrad.numpy import random as random
from minigrad.numpy import special as special
from minigrad.numpy.absent import no_attribute as _no_attribute
from minigrad.numpy.array import ndarray as ndarray
from minigrad.numpy.calculus import *  # noqa: F403
from minigrad.numpy.creation import *  # noqa: F403
from minigrad.numpy.elementwise import *  # noqa: F403
from minigrad.numpy.grids import *  # noqa: F403
from minigrad.numpy.indexing import *  # noqa: F403
from minigrad.numpy.joining import *  # noqa: F403
from minigrad.numpy.kinds import *  # noqa: F403
from minigrad.numpy.kinds import __array_namespace_info__ as __array_namespace_info__
from minigrad.numpy.manipulation import *  # noqa: F403
from minigrad.numpy.parts import *  # noqa: F403
from minigrad.numpy.products import *  # noqa: F403
from minigrad.numpy.reductions import *  # noqa: F403
from minigrad.numpy.sorting import *  # noqa: F403
from minigrad.numpy.transforms import *  # noqa: F403
from minigrad.numpy.ufuncs import ufunc as ufunc
from minigrad.numpy.without_nan import *  # noqa: F403

__array_api_version__ = "2024.12"


def __getattr__(name: str) -> _Any:
    """Say of a name that is not here whether it is planned, pointless, or what to write."""
    raise _no_attribute("minigrad.numpy", name, list(globals()))
