"""Transforms on operators of torch's database, drawn by hypothesis and nested to depth three.

`python -m tests.transforms` runs all of them.
"""

from __future__ import annotations

import functools
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from minigrad import func
from tests.opdb.exclusions import ExcludedError
from tests.transforms.checks import OF_DERIVATIVES, OF_VALUES, BothRefuseError
from tests.transforms.operations import ours, samples, to_torch

# torch warns of its own older names.
pytestmark = pytest.mark.filterwarnings("ignore")

ALWAYS = ("matmul", "nn.functional.layer_norm", "index_put", "linalg.svd", "nn.functional.conv2d")
NAMES = [
    name
    for name in (Path(__file__).parent / "opdb" / "names.txt").read_text("utf-8").split()
    if not name.startswith(("linalg.", "nn.functional.", "fft."))
]
DRAWN = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    database=None,
)


@functools.cache
def drawn_samples(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(samples(name, torch.float64, 3))


def holds(check: Any, sample: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            problem = check(sample)
        except (BothRefuseError, ExcludedError):
            return
    assert problem is None, problem


@pytest.mark.parametrize("name", ALWAYS)
def test_every_check_of_some_operators(name):
    for sample in drawn_samples(name)[:1]:
        for check in OF_VALUES.values():
            holds(check, sample)
        if sample.floating and sample.keep_floating_outputs():
            for check in OF_DERIVATIVES.values():
                holds(check, sample)


UNARY = (
    "sin", "tanh", "exp", "sigmoid", "softmax", "cumsum", "nn.functional.gelu", "mean", "std",
    "logsumexp", "transpose", "flip", "norm", "prod", "tril", "nn.functional.softplus", "var",
    "sum", "log_softmax", "square", "reciprocal", "erf", "permute", "reshape", "amax", "roll",
)  # fmt: skip
TRANSFORMS = ("grad", "jvp", "vmap", "jacrev", "jacfwd")


def applied(library: Any, name: str, f: Any) -> Any:
    """A transform of a function from one tensor to one tensor, again such a function."""
    if name == "grad":
        return library.grad(lambda x: f(x).sin().sum())
    if name == "jvp":
        return lambda x: library.jvp(f, (x,), (x.cos(),))[1]
    if name == "vmap":
        return library.vmap(f, in_dims=-1, out_dims=0)
    return getattr(library, name)(f)


@example(names=["grad", "vmap", "jvp"], operation="softmax")
@example(names=["jacfwd", "jacrev", "vmap"], operation="sin")
@given(
    names=st.lists(st.sampled_from(TRANSFORMS), min_size=1, max_size=3),
    operation=st.sampled_from(UNARY),
)
@DRAWN
def test_transforms_nested_to_depth_three_are_torchs(names, operation):
    sample = next(
        (s for s in drawn_samples(operation) if s.tensors and 1 <= s.tensors[0].ndim <= 2), None
    )
    if sample is None or len(sample.tensors) > 1:
        return
    theirs = lambda x: sample.torch_call(x)[0]  # noqa: E731
    mine = lambda x: sample.our_call(x)[0]  # noqa: E731
    value = sample.tensors[0].detach()[:3] * 0.5 + 1
    for name in names:
        theirs, mine = applied(torch.func, name, theirs), applied(func, name, mine)
        if name == "vmap":
            value = torch.stack([value, value + 0.25], -1)
    try:
        expected = theirs(value)
    except (RuntimeError, IndexError, ValueError):
        return
    if expected.numel() > 200_000:
        return
    torch.testing.assert_close(to_torch(mine(ours(value))), expected.detach(), rtol=1e-6, atol=1e-8)


@given(name=st.sampled_from(NAMES), pick=st.integers(0, 2), check=st.sampled_from([*OF_VALUES]))
@DRAWN
def test_a_batch_of_any_operator_is_a_loop(name, pick, check):
    found = drawn_samples(name)
    if found and found[pick % len(found)].tensors:
        holds(OF_VALUES[check], found[pick % len(found)])


@given(
    name=st.sampled_from(NAMES), pick=st.integers(0, 2), check=st.sampled_from([*OF_DERIVATIVES])
)
@DRAWN
def test_derivatives_of_any_operator_are_torchs(name, pick, check):
    found = [s for s in drawn_samples(name) if s.floating and s.operation.supports_autograd]
    if found and found[pick % len(found)].keep_floating_outputs():
        holds(OF_DERIVATIVES[check], found[pick % len(found)])
