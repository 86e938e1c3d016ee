"""Callbacks: when they stop, save, slow down and write, and that a resumed run is the same run."""

import io
import math
import os
import re
import sys
from pathlib import Path

import pytest

import minigrad
from minigrad import nn, optim
from minigrad.errors import ArgumentError
from minigrad.training import Callback, Trainer, progress
from minigrad.training.callbacks import (
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
    learning_rate,
    set_learning_rate,
)
from minigrad.training.metrics import AUC, FunctionMetric, MeanAbsoluteError
from minigrad.training.progress import ProgressBar, ProgressLine
from minigrad.utils.data import DataLoader, TensorDataset


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def data(seed=0):
    minigrad.manual_seed(seed)
    x = minigrad.rand(16, 2)
    return DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=4, shuffle=True)


def trainer(*callbacks, metrics=(), lr=0.01):
    minigrad.manual_seed(1)
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=lr, momentum=0.5)
    return Trainer(model, optimizer, nn.MSELoss(), callbacks=callbacks, metrics=metrics)


class Told(Callback):
    """Puts prepared numbers into the logs, and remembers the weights of each epoch."""

    def __init__(self, values, name="val_loss"):
        self.values, self.name = values, name
        self.weights = []

    def on_epoch_end(self, epoch, logs):
        logs[self.name] = self.values[epoch]
        self.weights.append(self.model.weight.tolist())


VALUES = [1, 0.5, 0.6, 0.7, 0.4, 0.5, 0.5, 0.5, 0.5, 0.5]


# Early stopping. The expected numbers are those of Keras 3 for the same course of val_loss.

STOPPING = {
    "patience": (
        {"patience": 2, "restore_best_weights": True},
        {"stopped_epoch": 3, "best": 0.5, "wait": 2, "best_epoch": 1},
        "Epoch 4: early stopping\n"
        "Restoring model weights from the end of the best epoch: 2.\n",
    ),
    "min_delta": (
        {"patience": 1, "min_delta": 0.2},
        {"stopped_epoch": 2, "best": 0.5, "wait": 1},
        "Epoch 3: early stopping\n",
    ),
    "baseline": (
        {"patience": 3, "baseline": 0.3, "restore_best_weights": True},
        {"stopped_epoch": 2, "best": 0.5, "wait": 3, "best_epoch": 1},
        "Epoch 3: early stopping\n"
        "Restoring model weights from the end of the best epoch: 2.\n",
    ),
    "start_from_epoch": (
        {"patience": 0, "start_from_epoch": 3},
        {"stopped_epoch": 5, "best": 0.4, "wait": 1},
        "Epoch 6: early stopping\n",
    ),
    "to the end": (
        {"patience": 20, "restore_best_weights": True},
        {"stopped_epoch": 0, "best": 0.4, "wait": 5, "best_epoch": 4},
        "Restoring model weights from the end of the best epoch: 5.\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", STOPPING)
def test_early_stopping_is_keras_s(case, capsys):
    options, expected, text = STOPPING[case]
    told = Told(VALUES)
    stopping = EarlyStopping(verbose=1, **options)
    run = trainer(told, stopping)
    history = run.fit(data(), epochs=10)
    assert {name: getattr(stopping, name) for name in expected} == expected
    assert capsys.readouterr().out == text
    last = expected["stopped_epoch"] or 9
    assert history.epoch == list(range(last + 1))
    kept = expected.get("best_epoch", last)
    assert run.model.weight.tolist() == told.weights[kept]


def test_a_rising_number_and_a_second_run():
    stopping = EarlyStopping("val_accuracy", patience=2)
    told = Told([0.1, 0.5, 0.3, 0.4, 0.9], "val_accuracy")
    run = trainer(told, stopping)
    run.fit(data(), epochs=5)
    assert (stopping.stopped_epoch, stopping.best) == (3, 0.5)
    run.fit(data(), epochs=2, initial_epoch=0)
    assert (stopping.stopped_epoch, stopping.best, stopping.wait) == (0, 0.5, 0)


def test_the_first_epoch_never_ends_a_run():
    stopping = EarlyStopping(baseline=0.1)
    trainer(Told(VALUES), stopping).fit(data(), epochs=5)
    assert stopping.stopped_epoch == 1


def test_nan_is_never_the_best():
    told = Told([math.nan, 0.5, math.nan, 0.4])
    stopping = EarlyStopping(patience=3, restore_best_weights=True)
    trainer(told, stopping).fit(data(), epochs=4)
    assert (stopping.best, stopping.best_epoch) == (0.4, 3)


@pytest.mark.parametrize(
    ("name", "rises"),
    [
        ("val_loss", False), ("loss", False), ("accuracy", True), ("val_acc", True), ("auc", True),
        ("val_mean_squared_error", False), ("f1_score", True), ("binary_crossentropy", False),
        ("precision", True), ("val_false_positives", False), ("r2_score", True),
    ],
)  # fmt: skip
def test_which_way_a_number_gets_better(name, rises):
    assert EarlyStopping(name).rises() == rises
    assert EarlyStopping(name, mode="min").rises() is False


def test_a_metric_tells_which_way_it_gets_better():
    odd = EarlyStopping("val_odd")
    with pytest.raises(ArgumentError, match=r"'val_odd' should rise or fall; say mode='max'"):
        odd.rises()
    odd.set_trainer(trainer(metrics=[AUC(name="odd")]))
    assert odd.rises()
    odd.set_trainer(trainer(metrics=[MeanAbsoluteError(name="odd")]))
    assert not odd.rises()


@pytest.mark.parametrize(
    "make",
    [
        lambda name: EarlyStopping(name),
        lambda name: ReduceLROnPlateau(name),
        lambda name: ModelCheckpoint("a", name, save_best_only=True),
    ],
)
def test_a_number_that_is_not_there(make):
    with pytest.raises(ArgumentError, match=r"'val_los' is not known; did you mean 'val_loss'"):
        trainer(make("val_los")).fit(data(), epochs=2, validation=data())
    # There may be a validation in a later epoch.
    with pytest.warns(UserWarning, match=r"watches 'val_loss', but epoch 1 had no validation"):
        trainer(make("val_loss")).fit(data(), epochs=2)


def test_an_epoch_whose_validation_is_not_due_is_not_warned_of():
    stop = EarlyStopping("val_loss", patience=1)
    history = trainer(stop).fit(data(), epochs=3, validation=data(), validation_freq=2)
    assert len(history.history["val_loss"]) == 1


# Learning rates.


def test_reduce_on_plateau_is_keras_s(capsys):
    plateau = ReduceLROnPlateau(patience=1, factor=0.5, verbose=1, cooldown=1)
    run = trainer(Told(VALUES), plateau)
    history = run.fit(data(), epochs=10)
    # Keras 3 reduces in the same epochs.
    reduced = re.findall(r"Epoch (\d+): ReduceLROnPlateau reducing", capsys.readouterr().out)
    assert reduced == ["3", "4", "6", "7", "8", "9", "10"]
    assert learning_rate(run.optimizer) == pytest.approx(0.01 / 2**7)
    rates = history.history["learning_rate"]
    assert rates[:4] == pytest.approx([0.01, 0.01, 0.01, 0.005])


def test_reduce_on_plateau_stops_at_the_least_rate(capsys):
    run = trainer(ReduceLROnPlateau("loss", 0.5, 1, 1, min_delta=100, min_lr=0.006))
    history = run.fit(data(), epochs=6)
    assert capsys.readouterr().out == (
        "Epoch 2: ReduceLROnPlateau reducing learning rate to 0.006.\n"
    )
    # The numbers of Keras 3.
    assert history.history["learning_rate"] == [0.01, 0.01, 0.006, 0.006, 0.006, 0.006]


def test_every_group_keeps_its_own_rate():
    model = nn.Linear(2, 1)
    optimizer = optim.SGD([{"params": [model.weight], "lr": 0.4}, {"params": [model.bias]}], lr=0.1)
    told = Told([1.0, 1.0])
    run = Trainer(model, optimizer, nn.MSELoss(), callbacks=[told, ReduceLROnPlateau(patience=1)])
    run.fit(data(), epochs=2)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.04, 0.01])
    set_learning_rate(optimizer, 0.5)
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.5]


def test_a_schedule_sets_the_rate_of_the_epoch(capsys):
    run = trainer(LearningRateScheduler(lambda epoch, lr: lr * 0.5, verbose=1))
    history = run.fit(data(), epochs=3)
    # As Keras 3 has it.
    assert history.history["learning_rate"] == pytest.approx([0.005, 0.0025, 0.00125])
    assert capsys.readouterr().out.splitlines()[1] == (
        "Epoch 2: LearningRateScheduler setting learning rate to 0.0025."
    )
    run = trainer(LearningRateScheduler(lambda epoch: minigrad.tensor(0.25) / (epoch + 1)))
    assert run.fit(data(), epochs=2).history["learning_rate"] == pytest.approx([0.25, 0.125])


@pytest.mark.parametrize("found", ["a", None, -1.0, math.nan])
def test_a_schedule_that_gives_no_rate(found):
    with pytest.raises(ArgumentError, match="schedule must give a number"):
        trainer(LearningRateScheduler(lambda epoch: found)).fit(data(), epochs=1)


def test_an_error_in_a_schedule_is_not_taken_for_its_signature():
    def schedule(epoch, lr):
        return lr + "x"

    with pytest.raises(TypeError, match="unsupported operand"):
        trainer(LearningRateScheduler(schedule)).fit(data(), epochs=1)


def test_a_schedule_of_the_optimizer_is_not_overruled_silently():
    class Scheduled:
        param_groups = [{"lr": 0.1}]  # noqa: RUF012
        learning_rate = 0.1

    with pytest.raises(ArgumentError, match="follows a schedule of its own"):
        set_learning_rate(Scheduled(), 0.05)


# Checkpoints.


def test_checkpoints_of_the_best_epochs(capsys):
    checkpoint = ModelCheckpoint(
        "runs/m-{epoch:02d}-{val_loss:.2f}.st", save_best_only=True, verbose=1
    )
    run = trainer(Told(VALUES), checkpoint)
    run.fit(data(), epochs=5)
    assert sorted(os.listdir("runs")) == ["m-01-1.00.st", "m-02-0.50.st", "m-05-0.40.st"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "Epoch 1: val_loss improved from None to 1.00000, saving model to runs/m-01-1.00.st",
        "Epoch 1: finished saving model to runs/m-01-1.00.st",
    ]
    assert lines[4] == "Epoch 3: val_loss did not improve from 0.50000"
    again = trainer(Told(VALUES), ModelCheckpoint("x")).resume("runs/m-05-0.40.st")
    assert again.epoch == 5
    assert again.model.weight.tolist() == run.model.weight.tolist()


def test_a_threshold_for_the_first_checkpoint():
    checkpoint = ModelCheckpoint(
        "n-{epoch}", save_best_only=True, save_weights_only=True, initial_value_threshold=0.55
    )
    run = trainer(Told(VALUES), checkpoint)
    run.fit(data(), epochs=3)
    assert os.listdir() == ["n-2"]
    assert set(minigrad.load("n-2")) == {"weight", "bias"}


def test_checkpoints_after_batches():
    """Every third of four batches an epoch: the names are those of Keras 3."""
    run = trainer(ModelCheckpoint("b-{epoch:02d}-{batch}", save_freq=3))
    run.fit(data(), epochs=2)
    assert sorted(os.listdir()) == ["b-01-3", "b-02-2"]
    assert minigrad.load("b-02-2")["epoch"] == 1


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("c-{val_los:.2f}", "the name 'val_los' is not known; did you mean 'val_loss'"),
        ("c-{}", "is no pattern"),
        ("c-{epoch:zz}", "is no pattern"),
        ("c-{epoch", "is no pattern"),
    ],
)
def test_a_path_that_cannot_be_formatted(path, message):
    with pytest.raises(ArgumentError, match=message):
        trainer(ModelCheckpoint(path)).fit(data(), epochs=1, validation=data())


def test_what_is_saved_can_be_overridden():
    class Saved(ModelCheckpoint):
        paths: list[str] = []  # noqa: RUF012

        def save(self, path):
            self.paths.append(path)

    trainer(Saved("{epoch}")).fit(data(), epochs=2)
    assert Saved.paths == ["1", "2"]


# Tables.


def test_a_table_of_the_epochs():
    history = trainer(CSVLogger("log.csv"), metrics=[MeanAbsoluteError()]).fit(data(), epochs=2)
    lines = [line.split(",") for line in Path("log.csv").read_text("utf-8").splitlines()]
    assert lines[0] == [
        "epoch", "loss", "mean_absolute_error", "val_loss", "val_mean_absolute_error",
    ]  # fmt: skip
    assert [line[0] for line in lines[1:]] == ["0", "1"]
    assert [float(line[1]) for line in lines[1:]] == history.history["loss"]
    assert lines[1][3:] == ["NA", "NA"]


def test_a_table_is_replaced_or_gone_on_with():
    trainer(CSVLogger("log.csv", separator=";")).fit(data(), epochs=2)
    trainer(CSVLogger("log.csv", separator=";")).fit(data(), epochs=1)
    trainer(CSVLogger("log.csv", separator=";", append=True)).fit(
        data(), epochs=1, validation=data()
    )
    lines = Path("log.csv").read_text("utf-8").splitlines()
    assert lines[0] == "epoch;loss;val_loss"
    assert [line[0] for line in lines[1:]] == ["0", "0"]
    assert lines[1].endswith(";NA")
    assert not lines[2].endswith(";NA")
    with pytest.raises(ArgumentError, match="also has mae"):
        trainer(CSVLogger("log.csv", ";", True), metrics=[MeanAbsoluteError("mae")]).fit(
            data(), epochs=1
        )


def test_a_table_is_closed_when_the_run_fails():
    logger = CSVLogger("log.csv")

    class Failing(Callback):
        def on_epoch_end(self, epoch, logs):
            if epoch:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer(logger, Failing()).fit(data(), epochs=3)
    assert logger._file is None
    assert Path("log.csv").read_text("utf-8").count("\n") == 3


def test_a_table_that_cannot_be_written_fails_first():
    run = trainer(CSVLogger("missing/log.csv"))
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        run.fit(data(), epochs=1)
    assert run.step == 0


# Other callbacks.


def test_nan_ends_the_run(capsys):
    def spoil(batch, logs):
        run.model.weight.data.fill_(math.nan)

    run = trainer(LambdaCallback(on_train_batch_end=spoil), TerminateOnNaN())
    history = run.fit(data(), epochs=3)
    # As Keras 3 has it: the second batch is the first with a bad loss.
    assert capsys.readouterr().out == "Batch 1: Invalid loss, terminating training\n"
    assert history.epoch == [0]
    assert run.step == 2


def test_functions_as_a_callback():
    seen = []
    run = trainer(
        LambdaCallback(
            on_train_begin=lambda logs: seen.append("begin"),
            on_epoch_end=lambda epoch, logs: seen.append((epoch, sorted(logs))),
            on_train_batch_begin=lambda batch, logs: seen.append(batch),
            on_train_end=None,
        )
    )
    run.fit(data(), epochs=1)
    assert seen == ["begin", 0, 1, 2, 3, (0, ["loss"])]
    with pytest.raises(ArgumentError, match=r"'on_epoch_ends'.*did you mean 'on_epoch_end'"):
        LambdaCallback(on_epoch_ends=print)
    with pytest.raises(TypeError, match="must be a function"):
        LambdaCallback(on_epoch_end=3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EarlyStopping(mode="up"), "auto, min, max, got 'up'"),
        (lambda: ReduceLROnPlateau(factor=1.5), "factor must lie between 0 and 1"),
        (lambda: ModelCheckpoint("a", save_freq="batch"), "'epoch' or a number of batches"),
        (lambda: ModelCheckpoint("a", save_freq=0), "'epoch' or a number of batches"),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
    with pytest.raises(TypeError, match="schedule must be a function"):
        LearningRateScheduler(0.1)


# Resuming.


def listeners(values):
    """Those that save stand first, and must be told last."""
    return [
        ModelCheckpoint("run-{epoch}.st"),
        ModelCheckpoint("best-{epoch}.st", save_best_only=True),
        Told(values),
        EarlyStopping(patience=3, restore_best_weights=True),
        ReduceLROnPlateau(patience=1, factor=0.5, cooldown=1),
        CSVLogger("log.csv"),
    ]


@pytest.mark.parametrize("stop", [1, 2, 3, 5])
def test_a_resumed_run_is_the_uninterrupted_run(stop):
    loader = data()
    whole = trainer(*listeners(VALUES))
    history = whole.fit(loader, epochs=8)
    table = Path("log.csv").read_text("utf-8")
    saved = sorted(name for name in os.listdir() if name.startswith("best"))
    for name in os.listdir():
        os.remove(name)

    trainer(*listeners(VALUES)).fit(loader, epochs=stop)
    resumed = trainer(*listeners(VALUES)).resume(f"run-{stop}.st")
    assert resumed.epoch == stop
    assert resumed.fit(loader, epochs=8).history == history.history
    assert resumed.model.weight.tolist() == whole.model.weight.tolist()
    assert learning_rate(resumed.optimizer) == learning_rate(whole.optimizer)
    stopping, expected = resumed.callbacks[3], whole.callbacks[3]
    for name in ("wait", "best", "best_epoch", "stopped_epoch"):
        assert getattr(stopping, name) == getattr(expected, name)
    assert Path("log.csv").read_text("utf-8") == table
    assert sorted(name for name in os.listdir() if name.startswith("best")) == saved


# Progress.


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


EVALUATED = r" \d+s \d+[mu]s/step - loss: \d\.\d{4} - mae: \d\.\d{4}"


@pytest.mark.parametrize(
    ("verbose", "head"), [(1, r"4/4 ━{20}"), (2, r"4/4 -")]
)  # the form of Keras 3
def test_the_line_of_keras_in_a_file(verbose, head, capsys):
    run = trainer(metrics=[MeanAbsoluteError("mae")])
    line = ProgressLine(verbose)
    stopping = EarlyStopping(patience=1, min_delta=9, verbose=1)
    run.fit(data(), epochs=3, validation=data(), callbacks=[line, stopping])
    run.evaluate(data(), callbacks=[line])
    run.predict(data(), callbacks=[line])
    lines = capsys.readouterr().out.split("\n")
    evaluated = head + EVALUATED.replace(r"s \d", r"s - \d" if verbose == 2 else r"s \d")
    trained = evaluated + r" - val_loss: \d\.\d{4} - val_mae: \d\.\d{4}"
    predicted = evaluated.partition(" - loss")[0]
    expected = [
        "Epoch 1/3", trained, "Epoch 2/3", trained, "Epoch 2: early stopping", evaluated,
        predicted, "",
    ]  # fmt: skip
    assert len(lines) == len(expected)
    for found, pattern in zip(lines, expected, strict=True):
        assert re.fullmatch(pattern, found), found


def test_silence(capsys):
    run = trainer()
    run.fit(data(), epochs=1, callbacks=[ProgressLine(0)])
    run.evaluate(data(), callbacks=[ProgressLine(0)])
    assert capsys.readouterr() == ("", "")


def test_the_line_of_keras_on_a_terminal(monkeypatch):
    monkeypatch.setattr(progress, "_PAUSE", 0.0)
    monkeypatch.setattr(progress, "_columns", lambda: 60)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    wordy = LambdaCallback(on_train_batch_end=lambda batch, logs: progress.write(f"batch {batch}"))
    trainer(metrics=[MeanAbsoluteError("a_metric_with_a_long_name")]).fit(
        data(), epochs=1, callbacks=[ProgressLine(), wordy]
    )
    screen = shown(terminal.getvalue())
    assert screen[:5] == ["Epoch 1/1", "batch 0", "batch 1", "batch 2", "batch 3"]
    assert screen[5].startswith("4/4 ━━━━━━━━━━━━━━━━━━━━ 0s ")
    assert screen[6:] == [""]
    drawn = [part for part in terminal.getvalue().split("\r") if part.startswith("2/4")]
    assert drawn[0].startswith("2/4 ━━━━━━━━━━────────── ")
    assert len(drawn[0]) == 59


def shown(text):
    """What a terminal shows in the end: a carriage return writes over the line."""
    lines = []
    for line in text.split("\n"):
        cells = ""
        for part in line.split("\r"):
            cells = part + cells[len(part) :]
        lines.append(cells.rstrip())
    return lines


def test_an_interrupted_line_is_ended(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)

    def interrupt(batch, logs):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer().fit(
            data(),
            epochs=1,
            callbacks=[ProgressLine(), LambdaCallback(on_train_batch_end=interrupt)],
        )
    assert terminal.getvalue().endswith("\n")
    assert progress._displays == []


def test_the_steps_may_be_unknown(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    batches = list(data())

    class Stream:
        def __iter__(self):
            return iter(batches)

    trainer().fit(Stream(), epochs=1, callbacks=[ProgressLine()])
    assert "\r      1/Unknown 0s " in terminal.getvalue()
    assert shown(terminal.getvalue())[1].startswith("4/4 ━━━━━━━━━━━━━━━━━━━━ ")


def test_the_line_costs_little_because_it_reads_the_logs_rarely(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    read = []
    metric = FunctionMetric(lambda output, target: output - target, name="counted")
    monkeypatch.setattr(metric, "compute", lambda: read.append(1) or 0.0)
    monkeypatch.setattr(progress, "_PAUSE", 1e9)
    trainer(metrics=[metric]).fit(data(), epochs=2, callbacks=[ProgressLine()])
    assert len(read) == 4  # the first batch and the end of each epoch


def test_a_stream_that_knows_no_lines_gets_letters(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    trainer().fit(data(), epochs=1, callbacks=[ProgressLine()])
    stream.flush()
    assert b"4/4 ==================== 0s " in stream.buffer.getvalue()


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.0, "0.0000"), (0.87651, "0.8765"), (1e-4, "1.0000e-04"), (-2.5, "-2.5000"),
     (math.nan, "nan"), ([1, 2], "[1, 2]"), (0.001, "1.0000e-03")],
)  # fmt: skip
def test_numbers(number, text):
    assert progress._number(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0s"), (59, "59s"), (61, "1:01"), (3723, "1:02:03")]
)
def test_durations(seconds, text):
    assert progress._duration(seconds) == text


def test_the_bar_and_its_lines(monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    wordy = LambdaCallback(on_train_batch_end=lambda batch, logs: progress.write("word"))
    trainer().fit(data(), epochs=2, validation=data(), callbacks=[ProgressBar(), wordy])
    assert re.search(r"0%\|.*\| 0/8 \[.*step/s", terminal.getvalue())
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line != "word"] == [lines[4], lines[9]]
    assert re.fullmatch(r"epoch 1/2  loss \d\.\d{4}  val_loss \d\.\d{4}  \d\.\d\d s", lines[4])
    assert progress._displays == []


def test_without_a_terminal_or_tqdm_there_are_lines_alone(monkeypatch, capsys):
    trainer().fit(data(), epochs=2, callbacks=[ProgressBar()])
    monkeypatch.setattr(progress, "is_installed", lambda name: False)
    trainer().fit(data(), epochs=2, callbacks=[ProgressBar(), ProgressBar(lines=False)])
    output = capsys.readouterr()
    assert output.out.count("epoch 2/2") == 2
    assert output.err == ""


def test_metrics_by_name_or_function():
    def worst(output, target):
        return (output - target).abs()

    run = trainer(metrics=["mae", worst])
    history = run.fit(data(), epochs=1).history
    assert list(history) == ["loss", "mae", "worst"]
    assert history["mae"] == pytest.approx(history["worst"])
    with pytest.raises(ArgumentError, match=r"names that differ.*mae, mae"):
        trainer(metrics=["mae", "mae"])
    with pytest.raises(ArgumentError, match="none may be 'loss'"):
        trainer(metrics=[MeanAbsoluteError("loss")])
    with pytest.raises(ArgumentError, match="unknown metric"):
        trainer(metrics=["acuracy"])
