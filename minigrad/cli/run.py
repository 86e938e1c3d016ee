"""A training run: a network, its optimizer and what is known of them after each epoch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import minigrad
from minigrad.cli.failure import CommandError
from minigrad.cli.recipe import Recipe
from minigrad.tensor import Tensor
from minigrad.utils.data import DataLoader, TensorDataset

_TEST_BATCH = 1000


class Run:
    """A run of a recipe on a device, from the start or from where a checkpoint left it.

    `epoch` counts the complete ones, `started_epoch` those that were there at the start. `history`
    has their loss, accuracy, test_loss and test_accuracy, parts of 1. A checkpoint holds all that
    the next epoch depends on, so that a run that was stopped and resumed gives the very numbers of
    one that was not.
    """

    def __init__(self, recipe: Recipe, device: str) -> None:
        # Weights and the order of the images come from the one generator, so that its state is
        # all there is to save.
        minigrad.manual_seed(recipe.seed)
        self.recipe = recipe
        self.device = device
        self.epoch = self.started_epoch = 0
        self.history: list[dict[str, float]] = []
        self.model = recipe.make_model().to(device)
        self.optimizer = recipe.make_optimizer(self.model.parameters())
        self.schedule = recipe.make_schedule(self.optimizer)

    def checkpoint(self) -> dict[str, Any]:
        """All that the next epoch depends on."""
        return {
            "recipe": self.recipe.to_dict(),
            "epoch": self.epoch,
            "history": self.history,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "random": minigrad.get_rng_state(),
        }

    def restore(self, checkpoint: dict[str, Any], path: str) -> None:
        """Take up the checkpoint. Raises CommandError, naming `path`, where it does not fit."""
        try:
            self.model.load_state_dict(checkpoint["model"])
            self.optimizer.load_state_dict(checkpoint["optimizer"])
            self.schedule.load_state_dict(checkpoint["schedule"])
            minigrad.set_rng_state(checkpoint["random"])
            self.epoch = self.started_epoch = checkpoint["epoch"]
            self.history = checkpoint["history"]
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CommandError(f"{path}: what it holds does not fit its recipe: {error}") from error

    def train_epoch(
        self, images: Tensor, labels: Tensor, tell: Callable[[float], object]
    ) -> tuple[float, float]:
        """One pass over the images in a random order: the mean loss and the accuracy.

        `tell` is called after each step with its loss. Raises CommandError when the loss is not
        a number any more.
        """
        loader = DataLoader(TensorDataset(images, labels), self.recipe.batch_size, shuffle=True)
        self.model.train()
        total = 0.0
        correct = 0
        for batch, expected in loader:
            scores = self.model(batch)
            loss = minigrad.nn.functional.cross_entropy(scores, expected)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            value = loss.item()
            if not math.isfinite(value):
                raise CommandError(
                    f"the loss became {value} in epoch {self.epoch + 1}; try a smaller --lr than "
                    f"{self.recipe.lr}"
                )
            total += value * len(expected)
            correct += int((scores.argmax(1) == expected).sum().item())
            tell(value)
        self.schedule.step()
        return total / len(labels), correct / len(labels)

    def scores(self, images: Tensor) -> Tensor:
        """The scores (n, 10) of the network for images, without recording."""
        self.model.eval()
        with minigrad.no_grad():
            parts = [self.model(part) for part in images.split(_TEST_BATCH)]
        joined: Tensor = minigrad.cat(parts)
        return joined

    def evaluate(self, images: Tensor, labels: Tensor) -> tuple[float, float]:
        """The mean loss and the accuracy on images."""
        scores = self.scores(images)
        loss = minigrad.nn.functional.cross_entropy(scores, labels).item()
        return loss, (scores.argmax(1) == labels).sum().item() / len(labels)
