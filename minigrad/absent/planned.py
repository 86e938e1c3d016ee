"""The names of torch that are to come, by the path below `torch`."""

__all__ = ["PLANNED"]

PLANNED: frozenset[str] = frozenset()
