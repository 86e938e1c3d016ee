"""Learning-rate schedules: the rates of torch's, also after saving and loading; refusals."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import ArgumentError

torch = pytest.importorskip("torch")


def stepped(lib, kind="SGD", **options):
    """An optimizer of two groups, which has stepped."""
    parameters = [lib.ones(2, requires_grad=True), lib.ones(3, requires_grad=True)]
    groups = [{"params": parameters[:1]}, {"params": parameters[1:], "lr": 0.1}]
    optimizer = getattr(lib.optim, kind)(groups, lr=0.5, **options)
    optimizer.step()
    return optimizer


def schedule(name, **options):
    """What makes one kind of schedule for an optimizer of either library."""
    return lambda lib, optimizer: getattr(lib.optim.lr_scheduler, name)(optimizer, **options)


def sequence(*makers, milestones):
    def make(lib, optimizer):
        parts = [maker(lib, optimizer) for maker in makers]
        return lib.optim.lr_scheduler.SequentialLR(optimizer, parts, milestones=milestones)

    return make


def chain(*makers):
    def make(lib, optimizer):
        return lib.optim.lr_scheduler.ChainedScheduler([m(lib, optimizer) for m in makers])

    return make


STEP = schedule("StepLR", step_size=3, gamma=0.5)
EXPONENTIAL = schedule("ExponentialLR", gamma=0.8)
COSINE = schedule("CosineAnnealingLR", T_max=5, eta_min=0.01)
LINEAR = schedule("LinearLR", start_factor=0.2, total_iters=4)
CONSTANT = schedule("ConstantLR", factor=0.3, total_iters=4)
FUNCTION = schedule("MultiplicativeLR", lr_lambda=lambda epoch: 0.9 if epoch % 2 else 0.8)
SCHEDULES = {
    "step": STEP,
    "milestones": schedule("MultiStepLR", milestones=[2, 5, 5], gamma=0.3),
    "exponential": EXPONENTIAL,
    "cosine": COSINE,
    "function": schedule("LambdaLR", lr_lambda=lambda epoch: 1 / (1 + epoch)),
    "functions": schedule("LambdaLR", lr_lambda=[lambda n: 1 / (1 + n), lambda n: 0.9**n]),
    "products": FUNCTION,
    "constant": CONSTANT,
    "linear": LINEAR,
    "linear down": schedule("LinearLR", start_factor=1.0, end_factor=0.1, total_iters=20),
    "polynomial": schedule("PolynomialLR", total_iters=10, power=2.0),
    "restarts": schedule("CosineAnnealingWarmRestarts", T_0=4, eta_min=0.01),
    "longer restarts": schedule("CosineAnnealingWarmRestarts", T_0=3, T_mult=2),
    "cycles": schedule("CyclicLR", base_lr=0.01, max_lr=0.3, step_size_up=4),
    "lower cycles": schedule(
        "CyclicLR", base_lr=[0.01, 0.1], max_lr=[0.3, 0.4], step_size_up=3, step_size_down=5,
        mode="triangular2", cycle_momentum=False,
    ),
    "fading cycles": schedule(
        "CyclicLR", base_lr=0.01, max_lr=0.3, step_size_up=4, mode="exp_range", gamma=0.9,
    ),
    "scaled cycles": schedule(
        "CyclicLR", base_lr=0.01, max_lr=0.3, step_size_up=4, scale_fn=lambda x: 1 / (1 + x),
        scale_mode="iterations",
    ),
    "one cycle": schedule("OneCycleLR", max_lr=0.7, total_steps=50),
    "one cycle of epochs": schedule(
        "OneCycleLR", max_lr=[0.7, 0.3], epochs=10, steps_per_epoch=5, anneal_strategy="linear",
        three_phase=True, pct_start=0.4, div_factor=10.0, final_div_factor=20.0,
    ),
    "sequence": sequence(LINEAR, COSINE, milestones=[4]),
    "long sequence": sequence(CONSTANT, EXPONENTIAL, STEP, LINEAR, milestones=[2, 6, 20]),
    "sequence of products": sequence(EXPONENTIAL, FUNCTION, milestones=[3]),
    "chain": chain(CONSTANT, EXPONENTIAL),
}  # fmt: skip
CYCLING = [name for name in SCHEDULES if "cycle" in name]


def seen(optimizer):
    """The rates of the groups, and their momenta."""
    momenta = [group["betas"][0] if "betas" in group else group["momentum"]
               for group in optimizer.param_groups]  # fmt: skip
    return [*(group["lr"] for group in optimizer.param_groups), *momenta]


def rates(lib, make, kind="SGD", steps=49):
    optimizer = stepped(lib, kind)
    made = make(lib, optimizer)
    optimizer.step()
    found = [seen(optimizer)]
    for _ in range(steps):
        optimizer.step()
        made.step()
        assert list(made.get_last_lr()) == [group["lr"] for group in optimizer.param_groups]
        found.append(seen(optimizer))
    return found


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_and_momenta_are_torchs(name):
    ours, theirs = (rates(lib, SCHEDULES[name]) for lib in (mg, torch))
    # The same formulas; a rate that reaches zero is a difference of numbers near one.
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("name", CYCLING)
def test_adams_first_beta_cycles_as_torchs(name):
    ours, theirs = (rates(lib, SCHEDULES[name], "Adam") for lib in (mg, torch))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_saved_schedule_goes_on(name):
    optimizer = stepped(mg)
    made = SCHEDULES[name](mg, optimizer)
    for _ in range(9):
        made.step()
    twin_optimizer = stepped(mg)
    twin = SCHEDULES[name](mg, twin_optimizer)
    twin_optimizer.load_state_dict(optimizer.state_dict())
    twin.load_state_dict(made.state_dict())
    for _ in range(12):
        made.step()
        twin.step()
        assert seen(optimizer) == seen(twin_optimizer)


@pytest.mark.parametrize(
    "name", ["StepLR", "ExponentialLR", "CosineAnnealingLR", "LinearLR", "PolynomialLR"]
)
def test_resuming_at_an_epoch_is_torchs(name):
    options = {
        "StepLR": {"step_size": 3}, "ExponentialLR": {"gamma": 0.8}, "LinearLR": {},
        "CosineAnnealingLR": {"T_max": 20}, "PolynomialLR": {"total_iters": 20},
    }[name]  # fmt: skip
    found = []
    for lib in (mg, torch):
        optimizer = stepped(lib)
        for group in optimizer.param_groups:
            group["initial_lr"] = 1.0
        made = schedule(name, **options, last_epoch=3)(lib, optimizer)
        optimizer.step()
        row = [seen(optimizer)]
        for _ in range(6):
            made.step()
            row.append(seen(optimizer))
        found.append(row)
    np.testing.assert_allclose(*found, rtol=1e-12)


def test_a_fraction_of_an_epoch_is_torchs():
    found = []
    for lib in (mg, torch):
        optimizer = stepped(lib)
        made = schedule("CosineAnnealingWarmRestarts", T_0=3, T_mult=2)(lib, optimizer)
        optimizer.step()
        row = []
        for epoch in [0.5, 2.9, 3.0, 8.75, 9.0, 26.0, 1.0]:
            made.step(epoch)
            row.append(seen(optimizer))
        made.step()
        found.append([*row, seen(optimizer)])
    np.testing.assert_allclose(*found, rtol=1e-12)


def test_a_sequence_inside_a_sequence():
    optimizer = stepped(mg)
    inner = sequence(CONSTANT, EXPONENTIAL, milestones=[2])
    made = sequence(EXPONENTIAL, inner, milestones=[3])(mg, optimizer)
    found = [optimizer.param_groups[0]["lr"]]
    for _ in range(6):
        made.step()
        found.append(optimizer.param_groups[0]["lr"])
    # Three of 0.8 ** n, two of 0.3, then 0.8 ** n again, all of 0.5.
    expected = [0.5, 0.4, 0.32, 0.15, 0.15, 0.5, 0.4]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_chain_in_a_sequence_begins_once():
    """Torch makes a step of the chain too many."""
    alone = rates(mg, chain(STEP, EXPONENTIAL), steps=6)
    inside = rates(mg, sequence(chain(STEP, EXPONENTIAL), COSINE, milestones=[7]), steps=8)
    assert inside[:7] == alone
    assert inside[7][:2] == [0.5, 0.1]


def test_stepping_a_schedule_first_warns_once():
    parameters = [mg.ones(2, requires_grad=True)]
    made = STEP(mg, mg.optim.SGD(parameters, lr=0.5))
    with pytest.warns(UserWarning, match="before optimizer.step") as record:
        made.step()
    assert record[0].filename == __file__
    made.step()


def test_a_step_is_noted_when_nothing_had_a_gradient():
    optimizer = mg.optim.SGD([mg.ones(2, requires_grad=True)], lr=0.5)
    made = STEP(mg, optimizer)
    optimizer.step()
    made.step()
    assert optimizer.has_stepped


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
def test_plateau_follows_torch(mode, threshold_mode):
    values = [1.0, 0.9, 0.95, 0.97, 0.91, 0.92, 0.5, 0.51, 0.52, 0.53, 0.6, 0.7, 1.2, 1.3, 1.1]
    rates = []
    for lib in (mg, torch):
        optimizer = lib.optim.SGD([lib.ones(2, requires_grad=True)], lr=0.5)
        schedule = lib.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, mode, factor=0.5, patience=1, cooldown=1, threshold_mode=threshold_mode,
            threshold=0.01, min_lr=0.05,
        )  # fmt: skip
        seen = []
        for value in values:
            schedule.step(value)
            seen.append(optimizer.param_groups[0]["lr"])
        rates.append(seen)
    assert rates[0] == rates[1]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("ReduceLROnPlateau", {"factor": 1.0}, "factor must be below 1"),
        ("ReduceLROnPlateau", {"mode": "best"}, "mode must be one of"),
        ("StepLR", {"step_size": 0}, "step_size must be at least 1"),
        ("LambdaLR", {"lr_lambda": [float] * 3}, "lr_lambda has 3 values for 2 parameter groups"),
        ("MultiplicativeLR", {"lr_lambda": 0.9}, "lr_lambda must be a function of the epoch"),
        ("ConstantLR", {"factor": 2}, r"factor must be in \(0, 1\], got 2"),
        ("LinearLR", {"start_factor": 0}, r"start_factor must be in \(0, 1\]"),
        ("LinearLR", {"end_factor": 2}, r"end_factor must be in \[0, 1\]"),
        ("PolynomialLR", {"total_iters": 0}, "total_iters must be at least 1"),
        ("CosineAnnealingLR", {"T_max": 0}, "T_max must be at least 1"),
        ("CosineAnnealingWarmRestarts", {"T_0": 0}, "T_0 must be an int of at least 1, got 0"),
        ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 1.5}, "T_mult must be an int"),
        ("CyclicLR", {"base_lr": 0, "max_lr": 1, "mode": "square"}, "mode must be 'triangular'"),
        ("CyclicLR", {"base_lr": 0, "max_lr": [1] * 3}, "max_lr has 3 values for 2"),
        ("CyclicLR", {"base_lr": 0, "max_lr": 1, "step_size_up": 0}, "must be positive"),
        ("OneCycleLR", {"max_lr": 1}, r"steps_per_epoch=len\(loader\)"),
        ("OneCycleLR", {"max_lr": 1, "total_steps": 2.5}, "int of at least 1, got 2.5"),
        ("OneCycleLR", {"max_lr": 1, "total_steps": 9, "pct_start": 2}, "pct_start must be in"),
        ("OneCycleLR", {"max_lr": 1, "total_steps": 9, "anneal_strategy": "x"}, "'cos' or 'linea"),
        ("ExponentialLR", {"gamma": 0.9, "last_epoch": 3}, "has no 'initial_lr'"),
    ],
)
def test_bad_options_are_named(name, options, message):
    with pytest.raises((ArgumentError, TypeError), match=message):
        schedule(name, **options)(mg, stepped(mg))


def test_schedules_refuse_what_does_not_belong_together():
    schedulers = mg.optim.lr_scheduler
    optimizer, other = stepped(mg), stepped(mg)
    step = STEP(mg, optimizer)
    with pytest.raises(TypeError, match="must be an Optimizer"):
        schedulers.StepLR("adam", 1)
    with pytest.raises(ArgumentError, match=r"step\(validation_loss\)"):
        schedulers.ReduceLROnPlateau(optimizer).step()
    with pytest.raises(ArgumentError, match="2 schedulers need 1 milestones, got 0"):
        schedulers.SequentialLR(optimizer, [step, step], [])
    with pytest.raises(ArgumentError, match=r"schedulers\[1\] belongs to another optimizer"):
        schedulers.SequentialLR(optimizer, [step, STEP(mg, other)], [1])
    with pytest.raises(ArgumentError, match=r"schedulers\[0\] is a ReduceLROnPlateau"):
        schedulers.ChainedScheduler([schedulers.ReduceLROnPlateau(optimizer)])
    with pytest.raises(TypeError, match=r"schedulers\[1\] must be a schedule, not int"):
        schedulers.ChainedScheduler([step, 3])
    with pytest.raises(ArgumentError, match="schedulers is empty"):
        schedulers.ChainedScheduler([])
    with pytest.raises(ArgumentError, match="has no momentum to cycle"):
        schedulers.OneCycleLR(stepped(mg, "Adagrad"), 0.1, 10)
    with pytest.raises(ArgumentError, match="epoch must be at least 0"):
        schedulers.CosineAnnealingWarmRestarts(optimizer, 3).step(-1)
    made = schedulers.OneCycleLR(optimizer, 0.1, 2)
    made.step()
    made.step()
    with pytest.raises(ArgumentError, match="step 3 of 2"):
        made.step()
