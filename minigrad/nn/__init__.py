"""Layers, losses, containers, initialisation: torch.nn's names over minigrad's operations."""

from minigrad.nn import functional, init, utils
from minigrad.nn.activation import *  # noqa: F403
from minigrad.nn.container import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from minigrad.nn.conv import *  # noqa: F403
from minigrad.nn.dropout import *  # noqa: F403
from minigrad.nn.flatten import Flatten, Unflatten
from minigrad.nn.linear import Bilinear, Identity, Linear
from minigrad.nn.loss import *  # noqa: F403
from minigrad.nn.margin import *  # noqa: F403
from minigrad.nn.module import Module, Parameter
from minigrad.nn.norm import *  # noqa: F403
from minigrad.nn.pooling import *  # noqa: F403
from minigrad.nn.recurrent import *  # noqa: F403
from minigrad.nn.recurrent_cell import *  # noqa: F403
from minigrad.nn.sparse import Embedding

__all__ = [
    "Bilinear",
    "Embedding",
    "Flatten",
    "Identity",
    "Linear",
    "Module",
    "ModuleDict",
    "ModuleList",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "Sequential",
    "Unflatten",
    "functional",
    "init",
    "utils",
]
