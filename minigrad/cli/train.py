"""`minigrad train`: train a network on images, tell how it goes, save and plot the result."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import Any

import minigrad
from minigrad.backend import backend_for
from minigrad.backend.threads import THREAD_VARIABLES, set_blas_threads
from minigrad.cli.failure import CommandError
from minigrad.cli.figures import check_figure, draw_run
from minigrad.cli.images import classes_of, open_dataset, to_input
from minigrad.cli.recipe import Recipe, check_same, new_recipe, saved_recipe
from minigrad.cli.run import Part, Run
from minigrad.datasets import ImageDataset
from minigrad.extras import MissingExtra, require
from minigrad.io.atomic import check_writable
from minigrad.training import Callback
from minigrad.training.progress import ProgressBar

_RECIPE_OPTIONS = (
    "dataset", "model", "hidden", "epochs", "batch_size", "optimizer", "lr", "lr_decay", "seed",
)  # fmt: skip


class WeightsFile(Callback):
    """The file that a run is saved in after each epoch, and which epoch it holds."""

    order = 1  # the state of the other callbacks is saved too

    def __init__(self, path: str, epoch: int) -> None:
        self.path = path
        self._known = (epoch, _stamp(path))

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Write the run in the place of what was there."""
        self.trainer.save(self.path)
        self._known = (self.trainer.epoch, _stamp(self.path))

    def epoch(self, run: Run) -> int:
        """The epoch in the file; where the save was interrupted, the file tells how far it got."""
        epoch, stamp = self._known
        return epoch if _stamp(self.path) == stamp else run.epoch


def _stamp(path: str) -> tuple[int, int] | None:
    """What changes whenever the file is replaced."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def train(arguments: argparse.Namespace) -> int:
    """Train as the arguments say and give the exit status.

    Whatever can fail for want of a device, a package, a folder or a right fails before the work.
    """
    # Products this small gain little from a second thread, and where other programs run they wait
    # for it: at a load of 4 on two cores the convolutional network was nine times slower with two.
    if not any(name in os.environ for name in THREAD_VARIABLES):
        set_blas_threads(1)
    backend_for(arguments.device)
    given = {name: getattr(arguments, name) for name in _RECIPE_OPTIONS}
    saved = None
    if arguments.resume is not None:
        saved = minigrad.load(arguments.resume)
        check_same(saved_recipe(saved, arguments.resume), given, arguments.resume)
    model = given["model"] or (saved["recipe"]["model"] if saved else "mlp")
    path = _weights_path(arguments, model)
    figure = _figure_path(arguments, model)
    if path is not None and figure is not None and _same(path, figure):
        raise CommandError(f"--save and --plot both name {path}")

    compiled = arguments.compile
    parts = [open_dataset(given["dataset"], train=part) for part in (True, False)]
    if saved is None:
        run = Run(new_recipe(given, *parts[0].data.shape[1:]), arguments.device, compile=compiled)
    else:
        run = _resumed(saved, arguments, given["epochs"])
    training, testing = (_on_device(run.recipe, part, arguments.device) for part in parts)
    print(_description(run, parts))

    weights = None if path is None else WeightsFile(path, run.epoch)
    try:
        run.train(training, testing, [Progress()] if weights is None else [Progress(), weights])
    except KeyboardInterrupt:
        print(_interrupted(run, weights))
        return 130
    _report(run, parts[1], testing, path, figure)
    return 0


def _weights_path(arguments: argparse.Namespace, model: str) -> str | None:
    """Where the weights go, checked; None without safetensors, if nobody named a file."""
    asked: str | None = arguments.save or arguments.resume
    path = asked or f"{arguments.dataset}-{model}.safetensors"
    try:
        require("safetensors", "--save")
    except MissingExtra as error:
        if asked is not None:
            raise
        print(f"the weights will not be saved: {error}")
        return None
    check_writable(path)
    return path


def _figure_path(arguments: argparse.Namespace, model: str) -> str | None:
    """Where the figure goes, checked; None without matplotlib, if nobody named a file."""
    path: str = arguments.plot or f"{arguments.dataset}-{model}.png"
    try:
        check_figure(path)
    except MissingExtra as error:
        if arguments.plot is not None:
            raise
        print(f"there will be no figure: {error}")
        return None
    check_writable(path)
    return path


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _resumed(saved: dict[str, Any], arguments: argparse.Namespace, epochs: int | None) -> Run:
    """The run that was saved, to go on to `epochs` in all (None: as many as it was meant for)."""
    recipe = saved_recipe(saved, arguments.resume)
    if epochs is not None:
        recipe.epochs = epochs
    run = Run(recipe, arguments.device, compile=arguments.compile)
    run.restore(saved, arguments.resume)
    if run.epoch >= recipe.epochs:
        raise CommandError(
            f"--resume {arguments.resume}: that run has {run.epoch} epochs already; ask for more "
            f"in all, for example --epochs {run.epoch + 5}"
        )
    return run


def _on_device(recipe: Recipe, part: ImageDataset, device: str) -> Part:
    return Part(to_input(recipe, part.data.numpy(), part.highest, device), part.targets.to(device))


class Progress(ProgressBar):
    """A bar on a terminal, and a line for each epoch once it is saved."""

    order = 2

    def describe(self, epoch: int, logs: Mapping[str, float], seconds: float) -> str:
        """The line of an epoch."""
        epochs = self.params["epochs"]
        return (
            f"epoch {epoch + 1:>{len(str(epochs))}}/{epochs}  loss {logs['loss']:.4f}  accuracy "
            f"{100 * logs['accuracy']:6.2f} %  test {100 * logs['val_accuracy']:6.2f} %  "
            f"{seconds:5.2f} s"
        )


def _description(run: Run, parts: list[ImageDataset]) -> str:
    recipe = run.recipe
    weights = sum(parameter.numel() for parameter in run.model.parameters())
    text = (
        f"{recipe.dataset}: {len(parts[0]):,} images to train, {len(parts[1]):,} to test; "
        f"{_title(recipe)}; {weights:,} weights on {run.place}, seed {recipe.seed}"
    )
    return text if run.epoch == 0 else f"{text}; resumed after epoch {run.epoch}"


def _title(recipe: Recipe) -> str:
    hidden = " " + "-".join(map(str, recipe.hidden)) if recipe.hidden else ""
    return (
        f"{recipe.model}{hidden}, {recipe.optimizer} {recipe.lr:g}, batches of {recipe.batch_size}"
    )


def _interrupted(run: Run, weights: WeightsFile | None) -> str:
    stopped = f"interrupted after {run.epoch} of {run.recipe.epochs} epochs"
    if weights is None:
        return f"{stopped}; nothing was saved"
    path, epoch = weights.path, weights.epoch(run)
    if epoch > run.started_epoch:
        return f"{stopped}; {path} holds the run after epoch {epoch}: go on with --resume {path}"
    kept = f"; {path} is as it was" if os.path.exists(path) else ""
    return f"{stopped}; no epoch was complete, so nothing was saved{kept}"


def _report(
    run: Run, dataset: ImageDataset, testing: Part, weights: str | None, figure: str | None
) -> None:
    """Print the final accuracy and where things are; draw the figure."""
    scores = run.scores(testing)
    correct = int((scores.argmax(1) == testing.labels).sum().item())
    total = len(testing.labels)
    print(f"test accuracy: {100 * correct / total:.2f} % ({correct:,} of {total:,})")
    if weights is not None:
        print(f"weights: {weights}")
    if figure is not None:
        draw_run(
            figure, f"{run.recipe.dataset}: {_title(run.recipe)}", run.measured(),
            dataset.data.numpy(), dataset.targets.numpy(), scores.softmax(1).cpu().numpy(),
            classes_of(run.recipe.dataset),
        )  # fmt: skip
        print(f"figure: {figure}")
