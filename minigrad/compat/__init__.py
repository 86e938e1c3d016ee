"""Other libraries' names over minigrad, for programs that were written for them."""

from minigrad.compat.alias import torch_alias
from minigrad.compat.script import MissingName, missing_names

__all__ = ["MissingName", "missing_names", "torch_alias"]
