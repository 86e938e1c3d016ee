"""Saving and loading: nested Python objects and tensors in one safetensors file, never pickle."""

from minigrad.io.checkpoint import CheckpointError, load, save

__all__ = ["CheckpointError", "load", "save"]
