"""Transforms of functions: derivatives of any kind and batching, in any order and depth."""

from minigrad.func.jacobians import hessian, jacfwd, jacrev
from minigrad.func.modules import functional_call, stack_module_state
from minigrad.func.pushforward import jvp, linearize
from minigrad.func.reverse import grad, grad_and_value, value_and_grad, vjp
from minigrad.func.vectorise import vmap

__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "stack_module_state",
    "value_and_grad",
    "vjp",
    "vmap",
]
