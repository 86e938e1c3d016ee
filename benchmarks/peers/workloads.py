"""The registry of workloads: what a row computes, under the row's name."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.contenders import RowFailed
from benchmarks.peers.peer import PeerStep

Workload = Callable[[Any], PeerStep]
WORKLOADS: dict[str, Workload] = {}


def workload(name: str) -> Callable[[Workload], Workload]:
    """Register what a row computes."""

    def register(build: Workload) -> Workload:
        WORKLOADS[name] = build
        return build

    return register


def prepare(peer: Any, row: str) -> PeerStep:
    """A row's step for a peer."""
    for module in ("networks", "functions"):
        import_module(f"benchmarks.peers.{module}")
    if row not in WORKLOADS:
        raise RowFailed("the row is written for libraries of torch's interface alone")
    return WORKLOADS[row](peer)


def normal(*shape: int, seed: int = 3) -> Any:
    """What `arrays.random` draws."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)
