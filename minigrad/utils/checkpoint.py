"""Checkpointing, in torch's form: less memory for activations, at the price of computing twice."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from minigrad.autograd.checkpoint import CheckpointError, Contexts, Segment
from minigrad.errors import ArgumentError
from minigrad.modes import is_grad_enabled

__all__ = [
    "CheckpointError",
    "checkpoint",
    "checkpoint_sequential",
    "noop_context_fn",
    "set_checkpoint_early_stop",
]


def noop_context_fn() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Two contexts that do nothing."""
    return nullcontext(), nullcontext()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = False,
    preserve_rng_state: bool = True,
    context_fn: Contexts = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """`function(*args, **kwargs)`; its activations are let go, and made again for the gradient.

    The outputs are tensors, in tuples, lists and dicts or alone. Arguments, parameters and
    whatever else the function reads get their gradients. The second run draws the random numbers
    of the first (those of the default generator, unless `preserve_rng_state` is False) and leaves
    running statistics alone. `context_fn` gives the contexts of the two runs.
    `determinism_check="none"` does not compare the operations of the two runs; with `debug` an
    error lists them. `use_reentrant` and `early_stop` are taken for torch's sake: there is one
    way, which does all that either of torch's does, and it ends with the function.

    Raises CheckpointError where the second run does something else, GraphError where an argument
    or a parameter was changed in place. Source: Chen and others, "Training Deep Nets with
    Sublinear Memory Cost", 2016.

    >>> import minigrad
    >>> x = minigrad.ones(3, requires_grad=True)
    >>> checkpoint(lambda x: x.exp().sin().sum(), x).backward()
    >>> x.grad
    tensor([-2.4783, -2.4783, -2.4783])
    """
    if determinism_check not in ("default", "none"):
        raise ArgumentError(
            f"checkpoint(): argument 'determinism_check' must be 'default' or 'none', got "
            f"{determinism_check!r}"
        )
    segment = Segment(
        function,
        args,
        kwargs,
        context_fn,
        preserve_rng_state=preserve_rng_state and is_grad_enabled(),
        compare=determinism_check == "default",
        debug=debug,
    )
    return segment()


def checkpoint_sequential(
    functions: Iterable[Callable[[Any], Any]],
    segments: int,
    input: Any,
    use_reentrant: bool | None = False,
    preserve_rng_state: bool = True,
) -> Any:
    """The functions one after the other, cut into segments that are checkpointed but for the last.

    They are those of a Sequential, a list or the like. Raises ArgumentError unless `segments` is
    between 1 and the number of functions.

    >>> import minigrad
    >>> layers = [minigrad.sin, minigrad.cos, minigrad.exp, minigrad.tanh]
    >>> x = minigrad.tensor(0.5, requires_grad=True)
    >>> checkpoint_sequential(layers, 2, x).backward()
    >>> x.grad
    tensor(-0.0301)
    """
    steps = list(functions)
    if not 1 <= segments <= len(steps):
        raise ArgumentError(
            f"checkpoint_sequential(): argument 'segments' must be between 1 and the "
            f"{len(steps)} functions, got {segments}"
        )
    size = len(steps) // segments
    for start in range(0, size * (segments - 1), size):
        input = checkpoint(
            _chain(steps[start : start + size]), input, preserve_rng_state=preserve_rng_state
        )
    return _chain(steps[size * (segments - 1) :])(input)


def _chain(steps: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def run(input: Any) -> Any:
        for step in steps:
            input = step(input)
        return input

    return run


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Taken for torch's sake: the second run ends with the function, whatever is set."""
    yield
