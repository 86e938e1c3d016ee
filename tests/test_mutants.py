"""The checks of the rules, checked: each wrong rule planted must be caught."""

import pytest

from tests.mutants import SCALE, caught, mutants_of, planted
from tests.samples import ROWS
from tests.samples.checks import check_all
from tests.samples.row import primitives
from tests.samples.unnoticed import EQUIVALENT

pytest.importorskip("torch", reason="the checks compare with torch")

PRIMITIVES = primitives()
RULED = sorted(name for name, op in PRIMITIVES.items() if op.rules and name in ROWS)
THOROUGH = (
    "_addmm",
    "_cumprod",
    "_div",
    "_pow",
    "_svd",
    "normalise_grad",
    "normalise_grads",
    "softmax_grad",
    "tanh",
)


@pytest.mark.parametrize("name", RULED)
def test_a_rule_wrong_by_a_thousandth_is_caught(name):
    mutants = list(mutants_of(PRIMITIVES[name], quick=True))
    assert mutants
    for mutant in mutants:
        assert caught(mutant), f"not caught: {mutant}"


@pytest.mark.parametrize("name", THOROUGH)
def test_a_dropped_term_is_caught(name):
    mutants = [m for m in mutants_of(PRIMITIVES[name]) if str(m) not in EQUIVALENT]
    assert len(mutants) > 1
    for mutant in mutants:
        assert caught(mutant), f"not caught: {mutant}"


def test_what_is_excused_exists():
    """A line of the table that names no mutant excuses nothing and must go."""
    names = {line.split(".")[0] for line in EQUIVALENT}
    made = {str(mutant) for name in names for mutant in mutants_of(PRIMITIVES[name])}
    assert sorted(set(EQUIVALENT) - made) == []


def test_planting_ends():
    """After a mutant the rule is right again, and the checks pass."""
    op = PRIMITIVES["tanh"]
    mutant = next(mutants_of(op))
    assert mutant.change == SCALE
    right = mutant.rule.__code__
    with planted(mutant):
        assert mutant.rule.__code__ is not right
    assert mutant.rule.__code__ is right
    check_all(op, ROWS["tanh"], "tanh", range(1))


def test_mutations_of_a_rule():
    """What is dropped from `g * (1 - out * out)`."""
    changes = [mutant.change for mutant in mutants_of(PRIMITIVES["tanh"])]
    assert changes == [
        "times 1.001",
        "g * (1 - out * out) -> g",
        "g * (1 - out * out) -> 1 - out * out",
        "1 - out * out -> 1",
        "1 - out * out -> -(out * out)",
        "out * out -> out",
        "out * out -> out",
    ]
