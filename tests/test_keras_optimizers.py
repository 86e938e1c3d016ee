"""Keras's optimizers: the weights of minigrad.optim bit for bit, and Keras's options beside."""

import numpy
import pytest

import minigrad
from minigrad import nn, optim
from minigrad.errors import ArgumentError, GraphError
from minigrad.keras import optimizers
from minigrad.keras.optimizers import schedules

_DRAWN = numpy.random.default_rng(0)
WEIGHT = _DRAWN.normal(size=(4, 3)).astype("float32")
BIAS = _DRAWN.normal(size=3).astype("float32")
GRADIENTS = [
    (_DRAWN.normal(size=(4, 3)).astype("float32"), _DRAWN.normal(size=3).astype("float32"))
    for _ in range(12)
]


def parameters():
    return [nn.Parameter(minigrad.tensor(WEIGHT)), nn.Parameter(minigrad.tensor(BIAS))]


def trained(optimizer, own, steps=12):
    """The bytes of the parameters after these steps, by any optimizer."""
    for gradients in GRADIENTS[:steps]:
        optimizer.zero_grad()
        for parameter, gradient in zip(own, gradients):
            parameter.grad = minigrad.tensor(gradient)
        optimizer.step()
    return b"".join(parameter.detach().numpy().tobytes() for parameter in own)


PAIRS = [
    (optimizers.SGD(0.1), lambda p: optim.SGD(p, 0.1)),
    (optimizers.SGD(0.1, momentum=0.9), lambda p: optim.SGD(p, 0.1, momentum=0.9)),
    (
        optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        lambda p: optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
    ),
    (optimizers.SGD(0.1, nesterov=True), lambda p: optim.SGD(p, 0.1)),
    (optimizers.RMSprop(), lambda p: optim.RMSprop(p, 0.001, alpha=0.9, eps=1e-7)),
    (
        optimizers.RMSprop(0.01, rho=0.8, momentum=0.5, epsilon=1e-5, centered=True),
        lambda p: optim.RMSprop(p, 0.01, 0.8, 1e-5, momentum=0.5, centered=True),
    ),
    (optimizers.Adam(), lambda p: optim.Adam(p, 0.001, eps=1e-7)),
    (
        optimizers.Adam(0.01, beta_1=0.8, beta_2=0.99, epsilon=1e-8, amsgrad=True),
        lambda p: optim.Adam(p, 0.01, (0.8, 0.99), 1e-8, amsgrad=True),
    ),
    (
        optimizers.Adam(0.01, weight_decay=0.1),
        lambda p: optim.AdamW(p, 0.01, eps=1e-7, weight_decay=0.1),
    ),
    (optimizers.AdamW(), lambda p: optim.AdamW(p, 0.001, eps=1e-7, weight_decay=0.004)),
    (
        optimizers.Adagrad(0.1),
        lambda p: optim.Adagrad(p, 0.1, initial_accumulator_value=0.1, eps=1e-7),
    ),
    (optimizers.Adadelta(0.5), lambda p: optim.Adadelta(p, 0.5, rho=0.95, eps=1e-7)),
    (optimizers.Adamax(0.01), lambda p: optim.Adamax(p, 0.01, eps=1e-7)),
    (optimizers.Nadam(0.01), lambda p: optim.NAdam(p, 0.01, eps=1e-7, momentum_decay=1.0)),
]


@pytest.mark.parametrize(("made", "plain"), PAIRS, ids=[repr(made) for made, _ in PAIRS])
def test_the_weights_are_those_of_minigrad_optim(made, plain):
    made = optimizers.deserialize(optimizers.serialize(made))
    own, others = parameters(), parameters()
    made.build(own)
    assert trained(made, own) == trained(plain(others), others)
    assert made.iterations == 12


# The weights' sum after the twelve steps above, from Keras 3.15.
KERAS = [
    (optimizers.SGD(0.1, momentum=0.9, weight_decay=0.1), -9.5595945),
    (optimizers.RMSprop(0.01, rho=0.8, momentum=0.5), -3.8451027),
    (optimizers.Adam(0.01), -3.6983180),
    (optimizers.Adagrad(0.1), -4.0993185),
    (optimizers.Adadelta(0.5), -3.5309507),
    (optimizers.Adamax(0.01), -3.6346485),
    (optimizers.Nadam(0.01), -3.6265252),
    (optimizers.SGD(0.1, clipnorm=0.5), -3.7186108),
    (optimizers.SGD(0.1, global_clipnorm=0.7), -3.6182559),
    (optimizers.SGD(0.1, clipvalue=0.3), -3.7978729),
    (optimizers.SGD(schedules.ExponentialDecay(0.1, 2, 0.5)), -4.1421400),
]


@pytest.mark.parametrize(("made", "total"), KERAS, ids=[repr(made) for made, _ in KERAS])
def test_the_weights_are_keras_own(made, total):
    made = optimizers.deserialize(optimizers.serialize(made))
    own = parameters()
    made.build(own)
    trained(made, own)
    found = sum(parameter.detach().double().sum().item() for parameter in own)
    # epsilon stands elsewhere in Keras, and torch's clipping adds 1e-6 to the norm: both are some
    # 1e-6 of each of the fifteen weights.
    assert found == pytest.approx(total, abs=3e-5)


# Clipping and decay.


def test_each_gradient_is_clipped_by_itself_or_all_together():
    for settings, expected in (
        ({"clipnorm": 1.0}, [0.6, 0.8, 0.5]),
        ({"global_clipnorm": 1.0}, [3 / 5.0249378, 4 / 5.0249378, 0.5 / 5.0249378]),
        ({"clipvalue": 0.4}, [0.4, 0.4, 0.4]),
    ):
        own = [nn.Parameter(minigrad.zeros(2)), nn.Parameter(minigrad.zeros(1))]
        made = optimizers.SGD(1.0, **settings)
        made.apply([minigrad.tensor([3.0, 4.0]), minigrad.tensor([0.5])], own)
        found = [-value for parameter in own for value in parameter.tolist()]
        assert found == pytest.approx(expected, rel=1e-5)


def test_decay_shrinks_what_is_trained_only():
    own = [nn.Parameter(minigrad.ones(2)), nn.Parameter(minigrad.ones(1))]
    made = optimizers.RMSprop(0.5, weight_decay=0.1)
    made.build(own)
    own[0].grad = minigrad.zeros(2)
    made.step()
    assert own[0].tolist() == pytest.approx([0.95, 0.95])
    assert own[1].tolist() == [1.0]


# The rate.


def test_the_rate_is_settable_before_and_after_the_build():
    made = optimizers.Adam(0.1)
    made.learning_rate = 0.2
    assert made.lr == 0.2
    made.build(parameters())
    assert made.param_groups[0]["lr"] == 0.2
    made.lr = 0.3
    assert made.inner.param_groups[0]["lr"] == made.learning_rate == 0.3
    # A callback that knows minigrad.optim alone changes the groups.
    made.param_groups[0]["lr"] = 0.4
    assert made.learning_rate == made.get_config()["learning_rate"] == 0.4


def test_a_schedule_gives_the_rate_of_each_step():
    made = optimizers.SGD(schedules.PiecewiseConstantDecay([0, 1], [1.0, 0.5, 0.25]))
    own = [nn.Parameter(minigrad.zeros(1)), nn.Parameter(minigrad.zeros(1))]
    reached = []
    for _ in range(4):
        made.apply([minigrad.ones(1), minigrad.ones(1)], own)
        reached.append(-own[0].item())
    assert reached == [1.0, 1.5, 1.75, 2.0]
    assert made.learning_rate == 0.25
    made.learning_rate = 0.5  # a number ends the schedule
    made.apply([minigrad.ones(1), minigrad.ones(1)], own)
    assert own[1].item() == -2.5


def test_a_run_that_is_resumed_goes_on_with_the_same_steps():
    settings = {"learning_rate": schedules.CosineDecay(0.1, 12), "weight_decay": 0.01}
    own = parameters()
    made = optimizers.Adam(**settings)
    made.build(own)
    whole = trained(made, own)

    half = parameters()
    first = optimizers.Adam(**settings)
    first.build(half)
    trained(first, half, steps=5)
    saved = first.state_dict()
    second = optimizers.Adam(**settings)
    second.build(half)
    second.load_state_dict(saved)
    assert second.iterations == 5
    for gradients in GRADIENTS[5:]:
        second.apply([minigrad.tensor(gradient) for gradient in gradients])
    assert b"".join(p.detach().numpy().tobytes() for p in half) == whole


# Schedules: the rates at the steps 0, 1, 7, 10, 11 and 40 from Keras 3.15 (float32).

RATES = [
    (schedules.ExponentialDecay(0.1, 7, 0.5), "exponential"),
    (schedules.ExponentialDecay(0.1, 7, 0.5, staircase=True), "stairs"),
    (schedules.InverseTimeDecay(0.1, 3, 0.7), "inverse"),
    (schedules.InverseTimeDecay(0.1, 3, 0.7, staircase=True), "inverse stairs"),
    (schedules.PiecewiseConstantDecay([7, 10], [1.0, 0.5, 0.1]), "pieces"),
    (schedules.PolynomialDecay(0.1, 20, 0.01, power=2.0), "polynomial"),
    (schedules.PolynomialDecay(0.1, 8, 0.01, power=0.5, cycle=True), "cycle"),
    (schedules.CosineDecay(0.1, 20, alpha=0.1), "cosine"),
    (schedules.CosineDecay(0.01, 20, 0.1, warmup_target=0.2, warmup_steps=6), "warmup"),
    (schedules.CosineDecayRestarts(0.1, 4), "restarts"),
    (schedules.CosineDecayRestarts(0.1, 5, t_mul=1.0, m_mul=0.8, alpha=0.05), "even restarts"),
]
KERAS_RATES = {
    "exponential": [0.1, 0.09057236, 0.05, 0.03714986, 0.0336475, 0.001904709],
    "stairs": [0.1, 0.1, 0.05, 0.05, 0.05, 0.003125],
    "inverse": [0.1, 0.08108108, 0.03797469, 0.03, 0.02803738, 0.009677419],
    "inverse stairs": [0.1, 0.1, 0.04166666, 0.03225807, 0.03225807, 0.009900991],
    "pieces": [1, 1, 1, 0.5, 0.1, 0.1],
    "polynomial": [0.1, 0.091225, 0.048025, 0.0325, 0.028225, 0.01],
    "cycle": [0.1, 0.0941873, 0.0418198, 0.06511352, 0.06031153, 0.01],
    "cosine": [0.1, 0.09944598, 0.07542957, 0.055, 0.04796045, 0.01],
    "warmup": [0.01, 0.04166666, 0.198892, 0.1828115, 0.1736396, 0.02],
    "restarts": [0.1, 0.08535534, 0.06913417, 0.01464466, 0.003806019, 0.06913417],
    "even restarts": [0.1, 0.09092831, 0.05474265, 0.0658, 0.05999412, 0.02093836],
}


@pytest.mark.parametrize(("schedule", "name"), RATES, ids=[name for _, name in RATES])
def test_the_rates_are_keras_own(schedule, name):
    again = schedules.deserialize(schedules.serialize(schedule))
    found = [again(step) for step in (0, 1, 7, 10, 11, 40)]
    assert found == pytest.approx(KERAS_RATES[name], rel=1e-5)


def test_a_schedule_of_ones_own():
    class Warm(schedules.LearningRateSchedule):
        def __init__(self, highest):
            self.highest = highest

        def __call__(self, step):
            return minigrad.tensor(min(1.0, (step + 1) / 4) * self.highest)

    made = optimizers.SGD(Warm(0.4))
    assert made.learning_rate == pytest.approx(0.1)
    made.iterations = 10
    assert made.learning_rate == pytest.approx(0.4)
    assert Warm.from_config(Warm(0.4).get_config()).highest == 0.4


# Names and mistakes.


@pytest.mark.parametrize("name", ["adam", "Adam", optimizers.Adam, optimizers.Adam()])
def test_names_classes_and_instances_are_optimizers(name):
    found = optimizers.get(name)
    assert type(found) is optimizers.Adam
    assert found.learning_rate == 0.001


def test_two_names_are_two_optimizers():
    assert optimizers.get("sgd") is not optimizers.get("sgd")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: optimizers.get("adamm"), ArgumentError, "did you mean 'adam'"),
        (lambda: optimizers.get(optim.SGD(parameters(), 0.1)), ArgumentError, "keras.optimizers.S"),
        (lambda: optimizers.get(print), ArgumentError, "such as 'adam'"),
        (
            lambda: optimizers.Adam(lr=0.1),
            ArgumentError,
            "now 'learning_rate': Adam.learning",
        ),
        (
            lambda: optimizers.SGD(0.1, decay=1e-4),
            ArgumentError,
            "Decay.rate, 1, 0.0001",
        ),
        (lambda: optimizers.RMSprop(roh=0.5), ArgumentError, "did you mean 'rho'"),
        (
            lambda: optimizers.Adam(-1.0),
            ArgumentError,
            "rate must be at least 0, got -1.0",
        ),
        (lambda: optimizers.Adam(lambda step: 0.1), ArgumentError, "LearningRateScheduler"),
        (
            lambda: optimizers.Adam(clipnorm=1, clipvalue=1),
            ArgumentError,
            "only one of clipnorm",
        ),
        (lambda: optimizers.Adam(clipnorm=-1), ArgumentError, "clipnorm must be at least 0"),
        (lambda: optimizers.Adam().step(), GraphError, "knows no parameters yet"),
        (lambda: optimizers.Adam(beta_1=2).build(parameters()), ArgumentError, r"betas\[0\]"),
        (
            lambda: optimizers.SGD().apply([minigrad.ones(1)], parameters()),
            ArgumentError,
            "1 gradients for 2 parameters",
        ),
        (
            lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2]),
            ArgumentError,
            "3 parts, but there are 2 values",
        ),
        (lambda: schedules.CosineDecay(0.1, 0), ArgumentError, "decay_steps must be above 0"),
        (lambda: schedules.LearningRateSchedule()(1), ArgumentError, "has no __call__"),
        (lambda: optimizers.Optimizer().build(parameters()), ArgumentError, "has no make"),
    ],
)
def test_mistakes_are_answered(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_an_optimizer_belongs_to_one_model():
    made = optimizers.SGD()
    own = parameters()
    made.build(own)
    made.build(own[:1])  # some of the same, as after freezing
    assert len(made.variables) == 2
    with pytest.raises(ArgumentError, match="make a new optimizer for each model"):
        made.build(parameters())
