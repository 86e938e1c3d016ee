"""The Trainer: the same numbers as a loop written out, resumed runs, callbacks and errors."""

import math

import pytest

import minigrad
from minigrad import nn, optim
from minigrad.nn import functional as F
from minigrad.training import Callback, Trainer
from minigrad.utils.data import DataLoader, TensorDataset

X = minigrad.linspace(-1, 1, 60).unsqueeze(1)
Y = 2 * X


def loader(*, shuffle=True, batch_size=16):
    return DataLoader(TensorDataset(X, Y), batch_size=batch_size, shuffle=shuffle)


def network():
    minigrad.manual_seed(3)
    return nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 1))


def trainer(**options):
    model = network()
    return Trainer(model, optim.Adam(model.parameters(), lr=0.01), nn.MSELoss(), **options)


def weights(model):
    return [parameter.tolist() for parameter in model.parameters()]


def test_a_run_equals_the_loop_written_out():
    model = network()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    means = []
    for _ in range(3):
        total = 0.0
        for inputs, target in loader():
            optimizer.zero_grad()
            loss = F.mse_loss(model(inputs), target)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(inputs)
        means.append(total / len(X))
    mine = trainer()
    history = mine.fit(loader(), epochs=3)
    assert weights(mine.model) == weights(model)
    assert history.history["loss"] == pytest.approx(means, rel=1e-12)
    assert history.epoch == [0, 1, 2]


def test_a_resumed_run_equals_one_that_never_stopped(tmp_path):
    def run():
        made = trainer()
        made.scheduler = optim.lr_scheduler.StepLR(made.optimizer, 2, 0.5)
        return made

    whole = run()
    history = whole.fit(loader(), epochs=6, validation=loader(shuffle=False))
    first = run()
    first.fit(loader(), epochs=3, validation=loader(shuffle=False))
    first.save(tmp_path / "run.safetensors")
    minigrad.manual_seed(99)
    second = run().resume(tmp_path / "run.safetensors")
    resumed = second.fit(loader(), epochs=6, validation=loader(shuffle=False))
    assert weights(second.model) == weights(whole.model)
    assert resumed.history == history.history
    assert second.optimizer.param_groups[0]["lr"] == 0.01 * 0.5**3
    assert (second.epoch, second.step) == (6, 24)


class Remembers(Callback):
    def __init__(self):
        self.seen = 0

    def on_epoch_end(self, epoch, logs):
        self.seen += 1
        logs["seen"] = self.seen

    def state_dict(self):
        return {"seen": self.seen}

    def load_state_dict(self, state_dict):
        self.seen = state_dict["seen"]


class Saves(Callback):
    def __init__(self, path):
        self.path = path

    def on_epoch_end(self, epoch, logs):
        self.trainer.save(self.path)


@pytest.mark.parametrize("of_the_run", [False, True])
def test_the_state_of_a_callback_is_resumed(of_the_run, tmp_path):
    def made():
        return trainer(callbacks=[] if of_the_run else [Remembers()])

    def fit(made, epochs):
        extra = [Remembers()] if of_the_run else []
        return made.fit(loader(), epochs=epochs, callbacks=[*extra, Saves(tmp_path / "run")])

    fit(made(), 2)
    history = fit(made().resume(tmp_path / "run"), 4)
    # The number of the second epoch was put in after the file was written in it.
    assert history.history["seen"][-2:] == [3, 4]
    assert history.epoch == [0, 1, 2, 3]
    assert len(history.history["loss"]) == 4


@pytest.mark.parametrize("batch_size", [10, 16])  # 16 leaves a last batch of 12 and a window of 1
def test_accumulated_gradients_are_the_mean_of_their_batches(batch_size):
    model = nn.Linear(1, 1)
    start = weights(model)
    made = Trainer(model, optim.SGD(model.parameters(), lr=0.1), nn.MSELoss(), accumulate=3)
    batches = list(loader(shuffle=False, batch_size=batch_size))
    made.fit(batches, epochs=1)
    other = nn.Linear(1, 1)
    other.load_state_dict({"weight": minigrad.tensor(start[0]), "bias": minigrad.tensor(start[1])})
    for first in range(0, len(batches), 3):
        window = batches[first : first + 3]
        other.zero_grad()
        sum(F.mse_loss(other(x), y) for x, y in window).div(len(window)).backward()
        with minigrad.no_grad():
            for parameter in other.parameters():
                parameter -= 0.1 * parameter.grad
    # The sums are taken in another order: a few units in the last place of float32.
    assert weights(model)[0][0] == pytest.approx(weights(other)[0][0], rel=1e-5)
    assert made.step == math.ceil(len(batches) / 3)


def test_gradients_are_clipped_before_the_step():
    def moved(**options):
        model = nn.Linear(1, 1)
        before = model.weight.item()
        made = Trainer(model, optim.SGD(model.parameters(), lr=1.0), nn.MSELoss(), **options)
        made.fit([(X * 100, Y * 100)], epochs=1)
        return abs(model.weight.item() - before)

    assert moved(clip_value=0.25) == pytest.approx(0.25, rel=1e-5)
    assert moved(clip_norm=0.25) <= 0.2500001
    assert moved() > 1


@pytest.mark.parametrize("loss", [nn.MSELoss(), F.mse_loss, nn.L1Loss()])
def test_a_weight_counts_a_sample_that_often(loss):
    made = Trainer(nn.Linear(1, 1), loss=loss)
    weighted = made.evaluate([(X[:4], Y[:4], minigrad.tensor([2.0, 0.0, 1.0, 1.0]))])["loss"]
    rows = [0, 0, 2, 3]
    assert weighted == pytest.approx(made.evaluate([(X[rows], Y[rows])])["loss"], rel=1e-6)


def test_predict_joins_the_batches_and_ignores_the_target():
    made = trainer()
    expected = made.model.eval()(X)
    made.model.train()
    # A matrix product of other sizes may round differently.
    assert made.predict(loader(shuffle=False)).allclose(expected, rtol=1e-6)
    assert made.model.training


def test_structures_of_tensors_reach_the_model_and_come_back():
    class Two(nn.Module):
        def forward(self, inputs):
            return {"sum": inputs["a"] + inputs["b"], "pair": (inputs["a"], inputs["b"])}

    made = Trainer(Two(), device="cpu")
    found = made.predict([[{"a": X[:5], "b": Y[:5]}], [{"a": X[5:7], "b": Y[5:7]}]])
    assert found["sum"].tolist() == (X[:7] + Y[:7]).tolist()
    assert found["pair"][1].tolist() == Y[:7].tolist()


class Notes(Callback):
    def __init__(self):
        self.events = []

    def on_train_begin(self, logs=None):
        self.events.append("train")

    def on_epoch_begin(self, epoch, logs=None):
        self.events.append(f"epoch {epoch} of {self.params['epochs']}")

    def on_train_batch_end(self, batch, logs=None):
        self.events.append(f"batch {batch} {sorted(logs)}")
        if batch == 1 and len(self.events) > 6:
            self.trainer.stop_training = True

    def on_test_begin(self, logs=None):
        self.events.append("test")

    def on_epoch_end(self, epoch, logs):
        self.events.append(f"end {epoch} {sorted(logs)}")

    def on_train_end(self, logs=None):
        self.events.append(f"over {sorted(logs)}")

    def close(self):
        self.events.append("closed")


def test_hooks_are_called_in_order_and_can_stop_the_run():
    notes = Notes()
    made = trainer(callbacks=[notes])
    made.fit(loader(batch_size=20), epochs=5, validation=loader(), validation_freq=2)
    assert notes.events == [
        "train",
        "epoch 0 of 5",
        *(f"batch {batch} ['loss']" for batch in range(3)),
        "end 0 ['loss']",
        "epoch 1 of 5",
        "batch 0 ['loss']",
        "batch 1 ['loss']",
        "test",
        "end 1 ['loss', 'val_loss']",
        "over ['loss', 'val_loss']",
        "closed",
    ]


def test_a_failure_closes_the_callbacks_and_leaves_the_mode():
    notes = Notes()
    made = trainer(callbacks=[notes])
    made.model.eval()
    with pytest.raises(ValueError, match="got 4 parts"):
        made.fit([(X, X, X, X)], epochs=1)
    assert notes.events[-1] == "closed"
    assert not made.model.training


def test_steps_go_on_through_the_data_from_epoch_to_epoch():
    seen = []

    class Sees(Trainer):
        def forward(self, inputs):
            seen.append(inputs[0].item())
            return super().forward(inputs)

    model = nn.Linear(1, 1)
    made = Sees(model, optim.SGD(model.parameters(), lr=0.0), nn.MSELoss())
    batches = [(minigrad.full((1, 1), float(i)), minigrad.zeros(1, 1)) for i in range(5)]
    made.fit(batches, epochs=3, steps_per_epoch=2)
    assert seen == [0, 1, 2, 3, 4, 0]


def test_a_schedule_may_count_steps():
    made = trainer(schedule_every="step")
    made.scheduler = optim.lr_scheduler.StepLR(made.optimizer, 2, 0.5)
    made.fit(loader(batch_size=15), epochs=2)
    assert made.optimizer.param_groups[0]["lr"] == 0.01 * 0.5**4


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (lambda: trainer(accumulate=0), "accumulate must be at least 1, got 0"),
        (lambda: trainer(clip_norm=-1.0), "clip_norm must be positive, got -1"),
        (lambda: trainer(schedule_every="batch"), "must be 'epoch' or 'step', got 'batch'"),
        (lambda: Trainer(network(), None, nn.MSELoss), r"make an instance: MSELoss\(\)"),
        (lambda: trainer().fit(loader(), epochs=0), "epochs must be at least 1, got 0"),
        (lambda: trainer().fit([]), "data gave no batch: it is empty"),
        (lambda: trainer().fit(3), "data must give batches .* got int"),
        (lambda: trainer().fit(loader(), steps_per_epoch=0), "must be at least 1, got 0"),
        (lambda: trainer().fit(iter(loader()), epochs=2), "an iterator that is used up"),
        (lambda: trainer().fit(loader(), callbacks=[Notes]), r"make an instance: Notes\(\)"),
        (lambda: trainer().fit(loader(), callbacks=[print]), "callbacks holds a builtin"),
        (lambda: Trainer(network()).fit(loader()), "has no optimizer"),
        (lambda: Trainer(network()).evaluate(loader()), "has no loss"),
        (lambda: trainer().evaluate([(X, Y, Y[:3, 0])]), "3 sample weights do not fit"),
        (lambda: trainer().fit(loader(), validation_freq=0), "validation_freq must be at least 1"),
        (lambda: trainer().fit(TensorDataset(X, Y)), "data is a data set, which gives single"),
        (lambda: trainer().fit((X, Y)), r"a tuple of 2 tensors; .* the list \[\(x, y\)\]"),
        (lambda: trainer().fit(loader(), validation=(X, Y)), "validation is a tuple of 2 tensors"),
        (lambda: trainer().predict(X), r"data is a tensor of shape \(60, 1\); give batches"),
        (lambda: trainer().fit(iter([(X, Y)]), steps_per_epoch=2), "an iterator that is used up"),
        (lambda: trainer(callbacks=Notes()), r"callbacks must be a list.* write callbacks=\["),
        (lambda: trainer(metrics="mae"), "metrics must be a list, got 'mae'"),
        (lambda: Trainer(nn.Linear, None), r"model is the class Linear"),
        (lambda: Trainer(network(), optim.SGD), r"make an instance: SGD\(model.parameters\(\)\)"),
        (lambda: Trainer(network(), "adam"), "must be one of minigrad.optim, got 'adam'"),
        (lambda: Trainer(network(), loss="mse"), "loss must be a function .* got 'mse'"),
        (
            lambda: Trainer(network(), trainer().optimizer, nn.MSELoss()).fit(loader()),
            "none of the model's parameters",
        ),
        (
            lambda: Trainer(network(), loss=lambda o, t: 1.0).evaluate(loader()),
            "tensor with one element, got float",
        ),
        (
            lambda: Trainer(network(), loss=nn.MSELoss(reduction="none")).evaluate(loader()),
            r"got a tensor \(16, 1\); take the mean",
        ),
    ],
)
def test_mistakes_are_named(mistake, words):
    with pytest.raises((ValueError, TypeError), match=words):
        mistake()


def test_epochs_count_in_all():
    made = trainer()
    made.fit(loader(), epochs=2)
    with pytest.raises(ValueError, match=r"2 epochs are complete already .* epochs=4"):
        made.fit(loader(), epochs=2)
    assert made.fit(loader(), epochs=2, initial_epoch=0).epoch == [0, 1]


def test_a_file_that_is_no_run_is_refused(tmp_path):
    made = trainer()
    minigrad.save(made.model.state_dict(), tmp_path / "weights")
    with pytest.raises(ValueError, match="holds no state of a Trainer"):
        made.resume(tmp_path / "weights")
    made.save(tmp_path / "run")
    bare = Trainer(network())
    with pytest.raises(ValueError, match="had Adam as its optimizer and this Trainer has none"):
        bare.resume(tmp_path / "run")
    other = Trainer(bare.model, optim.AdamW(bare.model.parameters()), nn.MSELoss())
    with pytest.raises(ValueError, match="had Adam as its optimizer and this Trainer has AdamW"):
        other.resume(tmp_path / "run")


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def forward(self, inputs):
        return {"a": self.layer(inputs), "b": inputs}


def test_several_outputs_need_functions_that_pick():
    batch = (X, {"a": Y, "b": X}, minigrad.ones(60))

    def distance(output, target, reduction="mean"):
        return F.mse_loss(output["a"], target["a"], reduction=reduction)

    def absolute(output, target):
        return (output["a"] - target["a"]).abs().mean(1)

    found = Trainer(Twice(), loss=distance, metrics=[absolute]).evaluate([batch])
    assert found["absolute"] > 0
    with pytest.raises(ValueError, match="given a dict of them; give a function that picks one"):
        Trainer(Twice(), loss=distance, metrics=["mae"]).evaluate([batch])
    with pytest.raises(ValueError, match="has no argument 'reduction'; let it give one value"):
        Trainer(Twice(), loss=lambda o, t: distance(o, t)).evaluate([batch])
