"""Tools around training: `minigrad.utils.data` and `minigrad.utils.checkpoint`."""

from minigrad.absent import explaining
from minigrad.utils import checkpoint, data

__all__ = ["checkpoint", "data"]

__getattr__ = explaining(__name__)
