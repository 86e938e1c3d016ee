"""Attention over long sequences goes by blocks: torch's results, in memory linear in length."""

import tracemalloc

import numpy as np
import pytest

import minigrad
from minigrad.nn.functional import scaled_dot_product_attention


def leaves(lib, length, sources, heads=2, width=8):
    rng = np.random.default_rng(3)
    shapes = ((1, heads, length, width), (1, heads, sources, width), (1, heads, sources, width))
    return [lib.tensor(rng.normal(size=shape), requires_grad=True) for shape in shapes]


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(("length", "sources"), [(600, 600), (513, 300), (300, 513)])
def test_long_sequences_are_torchs(causal, length, sources):
    torch = pytest.importorskip("torch", reason="compares with torch")
    found = []
    for lib, function in (
        (minigrad, scaled_dot_product_attention),
        (torch, torch.nn.functional.scaled_dot_product_attention),
    ):
        inputs = leaves(lib, length, sources)
        out = function(*inputs, is_causal=causal)
        (out * out).sum().backward()
        found.append([out.detach().numpy(), *(leaf.grad.numpy() for leaf in inputs)])
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-11)


def peak(length):
    """The most bytes that a forward and backward hold."""
    inputs = leaves(minigrad, length, length, heads=1)
    tracemalloc.start()
    try:
        scaled_dot_product_attention(*inputs, is_causal=True).sum().backward()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_is_linear_in_the_length():
    # The scores of one block of queries are 256 by the length; all of them would quadruple.
    assert peak(4096) < 2.5 * peak(2048)
