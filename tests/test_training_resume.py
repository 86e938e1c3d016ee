"""Runs that are interrupted: saved and resumed, stopped by an error, asked in the middle."""

import itertools

import pytest

import minigrad
from minigrad import nn, optim
from minigrad.training import (
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    ProgressBar,
    ReduceLROnPlateau,
    Trainer,
)
from minigrad.utils.data import DataLoader, TensorDataset

X = minigrad.linspace(-1, 1, 60).unsqueeze(1)
Y = 2 * X


def loader(*, shuffle=True, batch_size=16, **options):
    return DataLoader(TensorDataset(X, Y), batch_size=batch_size, shuffle=shuffle, **options)


def trainer(**options):
    minigrad.manual_seed(3)
    model = nn.Sequential(nn.Linear(1, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 1))
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    schedule = options.pop("schedule", None)
    scheduler = None if schedule is None else schedule(optimizer)
    return Trainer(model, optimizer, nn.MSELoss(), scheduler=scheduler, **options)


def weights(made):
    return {name: value.tolist() for name, value in made.model.state_dict().items()}


SCHEDULES = {
    "exponential": lambda o: optim.lr_scheduler.ExponentialLR(o, 0.9),
    "one cycle": lambda o: optim.lr_scheduler.OneCycleLR(o, max_lr=0.1, total_steps=40),
    "cosine": lambda o: optim.lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=3),
    "plateau": lambda o: optim.lr_scheduler.ReduceLROnPlateau(o, patience=0, threshold=0.5),
    "sequence": lambda o: optim.lr_scheduler.SequentialLR(
        o,
        [optim.lr_scheduler.LinearLR(o, 0.1, total_iters=2), optim.lr_scheduler.StepLR(o, 1, 0.5)],
        milestones=[2],
    ),
}


@pytest.mark.parametrize(
    ("options", "run"),
    [
        *(({"schedule": make}, {}) for name, make in SCHEDULES.items()),
        *(
            ({"schedule": make, "schedule_every": "step"}, {})
            for name, make in SCHEDULES.items()
            if name != "plateau"
        ),
        ({"accumulate": 3}, {}),
        ({"metrics": ["mae"], "clip_norm": 0.5}, {"validation_freq": 2}),
        ({"schedule": SCHEDULES["plateau"]}, {"validation_freq": 2}),
        ({}, {"steps_per_epoch": 3}),
        ({}, {"steps_per_epoch": 4}),  # exactly one pass
        ({}, {"steps_per_epoch": 7, "validation_steps": 2}),
    ],
)
@pytest.mark.parametrize("own_generator", [False, True])
def test_a_resumed_run_equals_the_whole_one_in_every_configuration(
    options, run, own_generator, tmp_path
):
    def data():
        own = {"generator": minigrad.Generator().manual_seed(7)} if own_generator else {}
        return loader(**own)

    def go(made, epochs, batches):
        listeners = [
            ReduceLROnPlateau("loss", patience=1, min_delta=0.5),
            EarlyStopping("loss", patience=30, restore_best_weights=True),
        ]
        return made.fit(
            batches,
            epochs=epochs,
            validation=loader(shuffle=False, batch_size=7),
            callbacks=listeners,
            **run,
        )

    whole = trainer(**options)
    history = go(whole, 6, data())
    # Saved in the epoch: as the run ends, EarlyStopping puts the best weights back.
    path = tmp_path / "run"
    saved = trainer(**options)
    saved.callbacks.append(
        LambdaCallback(on_epoch_end=lambda epoch, logs: saved.save(path) if epoch == 2 else None)
    )
    saved.callbacks[0].order = 3
    go(saved, 3, data())
    minigrad.manual_seed(99)
    second = trainer(**options).resume(path)
    resumed = go(second, 6, data())
    assert resumed.history == history.history
    assert weights(second) == weights(whole)
    assert second.optimizer.param_groups[0]["lr"] == whole.optimizer.param_groups[0]["lr"]


def test_the_state_of_callbacks_outlives_the_run_and_a_second_file(tmp_path):
    def stopping():
        return EarlyStopping("loss", patience=50)

    made = trainer()
    made.fit(loader(), epochs=4, callbacks=[stopping()])
    made.save(tmp_path / "a")
    trainer().resume(tmp_path / "a").save(tmp_path / "b")
    again = stopping()
    trainer().resume(tmp_path / "b").fit(loader(), epochs=5, callbacks=[again])
    whole = stopping()
    trainer().fit(loader(), epochs=5, callbacks=[whole])
    assert again.state_dict() == whole.state_dict()
    # Counting anew takes up nothing.
    anew = stopping()
    minigrad.manual_seed(1)
    trainer().resume(tmp_path / "b").fit(loader(), epochs=1, initial_epoch=0, callbacks=[anew])
    assert anew.best_epoch == 0


@pytest.mark.parametrize("steps", [2, 4, 5])
def test_steps_take_each_batch_in_turn(steps):
    """Also where an epoch ends exactly with the data."""
    seen = []
    made = Trainer(nn.Linear(1, 1), loss=nn.MSELoss())
    made.optimizer = optim.SGD(made.model.parameters(), lr=0.0)
    made.forward = lambda inputs: (seen.append(inputs.item()), made.model(inputs))[1]
    batches = [(minigrad.full((1, 1), float(i)), minigrad.zeros(1, 1)) for i in range(4)]
    made.fit(batches, epochs=3, steps_per_epoch=steps)
    assert seen == list(itertools.islice(itertools.cycle(range(4)), 3 * steps))


def test_each_validation_starts_from_the_beginning():
    model = nn.Linear(1, 1)
    made = Trainer(model, optim.SGD(model.parameters(), lr=0.0), nn.MSELoss())
    held_out = [(X[:20], Y[:20]), (X[20:], Y[20:]), (X[:5], Y[:5])]
    values = made.fit(loader(), epochs=3, validation=held_out, validation_steps=2).history
    assert len(set(values["val_loss"])) == 1
    stream = iter(held_out * 2)  # an iterator cannot begin again
    made.fit(loader(), epochs=6, validation=stream, validation_steps=2)


class Asks(Callback):
    """Evaluates and predicts in the middle of everything."""

    def __init__(self):
        self.found = []

    def ask(self, *_):
        self.found.append(self.trainer.evaluate([(X[:8], Y[:8])]))
        assert self.trainer.predict([X[:3]]).shape == (3, 1)
        assert self.params["epochs"] == 3

    def on_train_batch_end(self, batch, logs=None):
        self.ask()

    def on_test_batch_end(self, batch, logs=None):
        self.ask()

    def on_epoch_end(self, epoch, logs):
        self.ask()


def test_asking_in_the_middle_of_a_run_changes_nothing(tmp_path):
    def run(*callbacks):
        bar = ProgressBar(bar=False)
        log = CSVLogger(tmp_path / f"{len(callbacks)}.csv")
        made = trainer(metrics=["mae"], callbacks=[*callbacks, bar, log])
        history = made.fit(loader(), epochs=3, validation=loader(shuffle=False))
        return weights(made), history.history, (tmp_path / f"{len(callbacks)}.csv").read_text()

    asks = Asks()
    assert run(asks) == run()
    assert len(asks.found) == 3 * (4 + 4 + 1)
    assert asks.found[0].keys() == {"loss", "mae"}


def test_a_run_within_a_run_is_refused():
    made = trainer()
    inner = LambdaCallback(on_epoch_end=lambda epoch, logs: made.fit(loader(), epochs=9))
    with pytest.raises(ValueError, match="in the middle of a run"):
        made.fit(loader(), epochs=1, callbacks=[inner])
    assert len(made.fit(loader(), epochs=2).epoch) == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_a_run_goes_on_after_an_error_in_an_epoch(error):
    def stop(batch, logs):
        if made.epoch == 1 and batch == 1:
            raise error

    made = trainer(accumulate=3)
    with pytest.raises(error):
        made.fit(loader(), epochs=4, callbacks=[LambdaCallback(on_train_batch_end=stop)])
    assert (made.epoch, made.history.epoch) == (1, [0])
    assert made.fit(loader(), epochs=3).epoch == [0, 1, 2]
    assert made.step == 3 * 2  # the gradients that waited were left out


def test_a_plateau_is_one_of_the_validation_alone():
    watched = []

    class Watches(optim.lr_scheduler.ReduceLROnPlateau):
        def step(self, metrics=None, epoch=None):
            watched.append(metrics)
            super().step(metrics)

    made = trainer(schedule=Watches)
    history = made.fit(loader(), epochs=4, validation=loader(), validation_freq=2).history
    assert watched == history["val_loss"]
    made = trainer(schedule=Watches, schedule_every="step")
    with pytest.raises(ValueError, match="leave schedule_every='step' out"):
        made.fit(loader())


def test_a_part_that_is_in_evaluation_mode_stays_in_it_after_a_measurement():
    made = trainer()
    made.model.train()
    made.model[1].eval()
    made.evaluate(loader())
    assert [module.training for module in made.model] == [True, False, True, True]


@pytest.mark.parametrize("loss", [nn.KLDivLoss(reduction=r) for r in ("sum", "batchmean", "mean")])
def test_weights_of_one_leave_the_loss_as_it_is(loss):
    made = Trainer(nn.LogSoftmax(1), loss=loss)
    target = minigrad.softmax(minigrad.randn(6, 4), 1)
    plain = made.evaluate([(target, target)])["loss"]
    for ones in (minigrad.ones(6), minigrad.ones(6, 1)):
        # The mean is taken in another order.
        assert made.evaluate([(target, target, ones)])["loss"] == pytest.approx(plain, rel=1e-6)


def test_weights_may_be_a_column():
    made = Trainer(nn.Identity(), loss=nn.MSELoss())
    weight = minigrad.linspace(0, 2, 60)
    flat = made.evaluate([(X, Y, weight)])
    assert made.evaluate([(X, Y, weight.unsqueeze(1))]) == flat


def test_named_tuples_keep_their_kind():
    from collections import namedtuple

    pair = namedtuple("pair", "x y")
    made = trainer(device="cpu")
    made.fit([pair(X, Y)])
    made.forward = lambda inputs: pair(inputs, 2 * inputs)
    assert made.predict([X[:2], X[2:5]]).y.tolist() == Y[:5].tolist()


def test_the_history_knows_which_epochs_its_numbers_are_of(tmp_path):
    made = trainer()
    made.fit(loader(), epochs=4, validation=loader(), validation_freq=3)
    made.save(tmp_path / "run")
    history = trainer().resume(tmp_path / "run").fit(loader(), epochs=8, validation=loader())
    assert len(history.history["val_loss"]) == 5
    assert history.epochs_of("val_loss") == [2, 4, 5, 6, 7]
    assert history.epochs_of("loss") == list(range(8))


def test_a_keras_model_can_be_asked_in_the_middle_too():
    keras = minigrad.keras
    found = []

    class Within(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            found.append(self.model.evaluate(X, Y, verbose=0))

        def on_train_batch_end(self, batch, logs=None):
            found.append(self.model.evaluate(X, Y, verbose=0, return_dict=True))
            self.model.test_on_batch(X[:3], Y[:3])
            self.model.predict(X[:3], verbose=0)

    def run(*callbacks):
        minigrad.manual_seed(0)
        model = keras.Sequential([keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)])
        model.compile(optimizer="sgd", loss="mse", metrics=["mae", "mse"])
        history = model.fit(
            X, Y, epochs=2, verbose=0, validation_split=0.2, shuffle=False, callbacks=callbacks
        )
        return history.history, [one.tolist() for one in model.get_weights()]

    assert run(Within()) == run()
    assert len(found[0]) == 3
    assert list(found[1]) == ["loss", "mae", "mse"]
    assert found[1]["loss"] == pytest.approx(found[1]["mse"])
