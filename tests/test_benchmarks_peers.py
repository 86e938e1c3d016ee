"""The rows as other libraries express them compute what minigrad computes."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

import minigrad
from benchmarks import compare, worker
from benchmarks.contenders import PEERS, RowFailed, prepare
from benchmarks.peers import workloads
from benchmarks.peers.peer import Network, Optimizer
from benchmarks.peers.recorded import Update
from benchmarks.rows import Row, all_rows

SMALL = ("chain-0d", "chain-8", "micrograd", "mlp-forward", "mlp-backward", "mlp-sgd", "mlp-adam")
OPTIMIZERS = {
    "sgd": (Optimizer("sgd", 0.1), lambda p: minigrad.optim.SGD(p, lr=0.1)),
    "momentum": (
        Optimizer("sgd", 0.1, momentum=0.9),
        lambda p: minigrad.optim.SGD(p, lr=0.1, momentum=0.9),
    ),
    "adam": (Optimizer("adam", 0.1), lambda p: minigrad.optim.Adam(p, lr=0.1)),
    "adamw": (Optimizer("adamw", 0.1, decay=0.01), lambda p: minigrad.optim.AdamW(p, lr=0.1)),
    "rmsprop": (Optimizer("rmsprop", 0.1), lambda p: minigrad.optim.RMSprop(p, lr=0.1)),
}


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_computes_what_minigrad_computes(peer: str, name: str):
    pytest.importorskip(peer, reason=f"{peer} is not installed")
    row = all_rows()[name]
    assert isinstance(row, Row)
    ours, theirs = (worker.check(prepare(who, row, 1, "cpu")) for who in ("minigrad", peer))
    assert compare.difference(theirs, ours, row.tolerance) is None


@pytest.mark.parametrize("peer", PEERS)
def test_what_a_peer_cannot_run_says_why(peer: str):
    pytest.importorskip(peer, reason=f"{peer} is not installed")
    with pytest.raises(RowFailed, match="written for libraries of torch's interface alone"):
        import_module(f"benchmarks.peers.{peer}").prepare("no such row")


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_the_optimizers_written_by_hand_are_torchs(kind: str):
    optimizer, make = OPTIMIZERS[kind]
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape).astype(np.float32) for shape in ((3, 2), (4,))]
    parameters = [minigrad.tensor(array.copy(), requires_grad=True) for array in arrays]
    theirs = make(parameters)
    update = Update(optimizer, arrays)
    for _ in range(5):
        gradients = [rng.normal(size=array.shape).astype(np.float32) for array in arrays]
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = minigrad.tensor(gradient)
        theirs.step()
        update(gradients)
    for array, parameter in zip(arrays, parameters, strict=True):
        np.testing.assert_allclose(array, parameter.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_parameters_are_turned_to_torchs_layout():
    network = Network(lambda: None, [], turned=(1,))
    first, second = network.as_in_torch([np.ones((2, 3)), np.ones((2, 3))])
    assert (first.shape, second.shape) == ((2, 3), (3, 2))


def test_every_workload_belongs_to_a_row():
    with pytest.raises(RowFailed, match="torch's interface alone"):
        workloads.prepare(None, "no such row")
    assert len(workloads.WORKLOADS) > 50
    assert set(workloads.WORKLOADS) <= set(all_rows())


def test_a_step_that_keeps_its_gradients_is_compared_by_its_values():
    leaf = minigrad.ones(2, requires_grad=True)
    (leaf * 3).sum().backward()
    described = [worker.describe(*pair) for pair in worker.tensors_of([leaf])]
    assert [d["gradient"] for d in described] == [False, True]
    alone = [worker.describe(np.ones(2, np.float32))]
    assert compare.difference(alone, described, 1e-6) is None
    wrong = [worker.describe(np.zeros(2, np.float32))]
    assert "values differ" in str(compare.difference(wrong, described, 1e-6))
