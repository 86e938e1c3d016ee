"""What a contender's name means: which library, and how it runs a row's step.

`minigrad`, `torch` run the row as written; `minigrad-compiled` and `torch-compile` compile its
step; `minigrad-numpy` runs without compiled kernels; `torch-graphs` captures a training step as a
CUDA graph; `torch-again` is torch once more, for what the method is worth. `jax`, `mygrad`,
`autograd` and `tinygrad` have their rows in `benchmarks.peers`.
"""

from __future__ import annotations

from importlib import import_module
from itertools import chain
from typing import Any

from benchmarks.rows import Row, Step, Work

SUBJECTS = ("minigrad", "minigrad-compiled", "minigrad-numpy")
PEERS = ("jax", "mygrad", "autograd", "tinygrad")
REFERENCES = ("torch", "torch-compile", "torch-graphs", *PEERS)
NAMES = (*SUBJECTS, "torch-again", *REFERENCES)


class RowFailed(Exception):
    """A row that cannot be measured, and why."""


def library_of(name: str) -> str:
    """The package that a contender imports."""
    return name.partition("-")[0]


class Placed:
    """A library whose new tensors lie on a device; modules go there in `networks.fill`."""

    def __init__(self, library: Any, place: str) -> None:
        self.library = library
        self.place = place

    def __getattr__(self, name: str) -> Any:
        return getattr(self.library, name)

    def tensor(self, values: Any, **options: Any) -> Any:
        return self.library.tensor(values, device=self.place, **options)

    def ones(self, *shape: Any) -> Any:
        return self.library.ones(*shape, device=self.place)


def compiled(lib: Any, work: Step) -> Step:
    """The same work with its function compiled."""
    if not isinstance(work, Work):
        raise RowFailed("the row is not written as a function of its batch")
    function = work.function

    def detached(*batch: Any) -> Any:
        return without_graph(function(*batch))

    return Work(lib.compile(detached), work.batches, work.leaves)


def without_graph(values: Any) -> Any:
    """Results that hold no graph: what a replay returns has none."""
    if isinstance(values, (tuple, list)):
        return [without_graph(value) for value in values]
    return values.detach()


def captured(lib: Any, work: Step) -> Step:
    """A training step as a CUDA graph over inputs that stay in place."""
    if not isinstance(work, Work) or work.optimizer is None:
        raise RowFailed("only whole training steps are captured")
    optimizer, function = work.optimizer, work.function
    for group in optimizer.param_groups:
        group["capturable"] = True
    first = next(work.batches)
    fixed = [tensor.clone() for tensor in first]
    before = [parameter.detach().clone() for parameter in work.leaves]
    side = lib.cuda.Stream()
    side.wait_stream(lib.cuda.current_stream())
    with lib.cuda.stream(side):
        for _ in range(3):
            function(*fixed)
    lib.cuda.current_stream().wait_stream(side)
    graph = lib.cuda.CUDAGraph()
    with lib.cuda.graph(graph):
        result = function(*fixed)
    with lib.no_grad():
        for parameter, values in zip(work.leaves, before, strict=True):
            parameter.copy_(values)
        for state in optimizer.state.values():
            for value in state.values():
                value.zero_()

    def replay(*batch: Any) -> Any:
        for place, values in zip(fixed, batch, strict=True):
            place.copy_(values)
        graph.replay()
        return result

    return Work(replay, chain([first], work.batches), work.leaves)


def prepare(name: str, row: Row, threads: int, device: str) -> Step:
    """The step of a row for a contender, ready to be repeated."""
    if name in PEERS:
        return import_module(f"benchmarks.peers.{name}").prepare(row.name)
    lib: Any = import_module(library_of(name))
    lib.set_num_threads(threads)
    if name == "minigrad-numpy":
        lib.kernels.use("reference")
    step = row.build(lib if device == "cpu" else Placed(lib, device))
    if name in ("minigrad-compiled", "torch-compile"):
        return compiled(lib, step)
    if name == "torch-graphs":
        return captured(lib, step)
    return step


def waiter(name: str, device: str) -> Step:
    """What waits until a contender's device has done all that it was given."""
    if device == "cpu":
        return lambda: None
    synchronize: Step = import_module(library_of(name)).cuda.synchronize
    return synchronize
