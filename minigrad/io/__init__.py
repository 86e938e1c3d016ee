"""Saving and loading: nested Python objects and tensors in safetensors files and torch's."""

from minigrad.io.checkpoint import load, save
from minigrad.io.failure import CheckpointError

__all__ = ["CheckpointError", "load", "save"]
