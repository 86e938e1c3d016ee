"""HIPS autograd's names: its users change `autograd` to `minigrad.compat.autograd` in imports.

>>> import minigrad.compat.autograd.numpy as np
>>> from minigrad.compat.autograd import grad
>>> grad(lambda x: np.sum(np.sin(x) ** 2))(np.array([0.0, 1.0]))
array([0.        , 0.90929743])
"""

import importlib as _importlib
from typing import Any as _Any

from minigrad.compat.autograd.extend import checkpoint
from minigrad.numpy.transforms import (
    deriv,
    elementwise_grad,
    grad,
    grad_and_aux,
    grad_named,
    hessian,
    hessian_tensor_product,
    hessian_vector_product,
    holomorphic_grad,
    jacobian,
    make_ggnvp,
    make_hvp,
    make_jvp,
    make_jvp_reversemode,
    make_vjp,
    multigrad_dict,
    tensor_jacobian_product,
    value_and_grad,
    vector_jacobian_product,
)

__all__ = [
    "checkpoint", "deriv", "elementwise_grad", "grad", "grad_and_aux", "grad_named", "hessian",
    "hessian_tensor_product", "hessian_vector_product", "holomorphic_grad", "jacobian",
    "make_ggnvp", "make_hvp", "make_jvp", "make_jvp_reversemode", "make_vjp", "multigrad_dict",
    "tensor_jacobian_product", "value_and_grad", "vector_jacobian_product",
]  # fmt: skip


def __getattr__(name: str) -> _Any:
    if name in ("numpy", "scipy", "extend"):
        return _importlib.import_module(f"minigrad.compat.autograd.{name}")
    raise AttributeError(
        f"minigrad.compat.autograd has no {name!r}; it has {', '.join(__all__)}, and the parts "
        f"numpy, scipy and extend"
    )
