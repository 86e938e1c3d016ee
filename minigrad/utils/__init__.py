"""Tools around training: `minigrad.utils.data` and `minigrad.utils.checkpoint`."""

from minigrad.utils import checkpoint, data

__all__ = ["checkpoint", "data"]
