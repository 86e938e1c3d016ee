"""Layers, losses, containers, initialisation: torch.nn's names over minigrad's operations."""

from minigrad.absent import explaining
from minigrad.nn import functional, init, utils
from minigrad.nn.activation import *  # noqa: F403
from minigrad.nn.attention import MultiheadAttention
from minigrad.nn.container import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from minigrad.nn.conv import *  # noqa: F403
from minigrad.nn.dropout import *  # noqa: F403
from minigrad.nn.flatten import Flatten, Unflatten
from minigrad.nn.linear import Bilinear, Identity, Linear
from minigrad.nn.loss import *  # noqa: F403
from minigrad.nn.margin import *  # noqa: F403
from minigrad.nn.module import Module, Parameter
from minigrad.nn.norm import *  # noqa: F403
from minigrad.nn.padding import *  # noqa: F403
from minigrad.nn.pooling import *  # noqa: F403
from minigrad.nn.recurrent import *  # noqa: F403
from minigrad.nn.recurrent_cell import *  # noqa: F403
from minigrad.nn.resizing import *  # noqa: F403
from minigrad.nn.sequence import *  # noqa: F403
from minigrad.nn.sparse import Embedding, EmbeddingBag
from minigrad.nn.transformer import *  # noqa: F403
from minigrad.nn.unpooling import *  # noqa: F403

__all__ = [
    "Bilinear",
    "Embedding",
    "EmbeddingBag",
    "Flatten",
    "Identity",
    "Linear",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiheadAttention",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "Sequential",
    "Unflatten",
    "functional",
    "init",
    "utils",
]

__getattr__ = explaining(__name__)
