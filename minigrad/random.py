"""The default generator of random numbers: its seed and its state, under torch's names."""

from __future__ import annotations

from minigrad.absent import explaining
from minigrad.backend.random import Generator, fork_rng, initial_seed, manual_seed, seed
from minigrad.ops.random import get_rng_state, set_rng_state

__all__ = [
    "Generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]

__getattr__ = explaining(__name__)
