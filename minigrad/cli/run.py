"""A training run: a Trainer that is made from a recipe, and whose state holds the recipe."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import minigrad
from minigrad import nn
from minigrad.cli.failure import CommandError
from minigrad.cli.recipe import Recipe
from minigrad.tensor import Tensor
from minigrad.training import Callback, Trainer
from minigrad.training.metrics import SparseCategoricalAccuracy
from minigrad.utils.data import DataLoader, TensorDataset

_TEST_BATCH = 1000


class Run(Trainer):
    """A run of a recipe on a device, from the start or from where a checkpoint left it.

    `epoch` counts the complete ones, `started_epoch` those that were there at the start. A
    checkpoint holds all that the next epoch depends on, so that a run that was stopped and resumed
    gives the very numbers of one that was not.
    """

    def __init__(self, recipe: Recipe, device: str, *, compile: bool = False) -> None:
        # Weights and the order of the images come from the one generator, so that its state is
        # all there is to save.
        minigrad.manual_seed(recipe.seed)
        model = recipe.make_model().to(device)
        optimizer = recipe.make_optimizer(model.parameters())
        super().__init__(
            model,
            optimizer,
            nn.CrossEntropyLoss(),
            metrics=[SparseCategoricalAccuracy("accuracy")],
            callbacks=[Divergence()],
            scheduler=recipe.make_schedule(optimizer),
            compile=compile,
        )
        self.recipe = recipe
        self.place = device
        self.started_epoch = 0

    def state_dict(self) -> dict[str, Any]:
        """All that the next epoch depends on, and the recipe."""
        return {"recipe": self.recipe.to_dict(), **super().state_dict()}

    def restore(self, checkpoint: Mapping[str, Any], path: str) -> None:
        """Take up the checkpoint. Raises CommandError, naming `path`, where it does not fit."""
        try:
            self.load_state_dict(checkpoint)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CommandError(f"{path}: what it holds does not fit its recipe: {error}") from error
        self.started_epoch = self.epoch

    def train(self, training: Part, testing: Part, callbacks: list[Callback]) -> None:
        """Train to the last epoch of the recipe; the test images are looked at after each one.

        Raises CommandError when the loss is not a number any more.
        """
        loader = DataLoader(training, self.recipe.batch_size, shuffle=True)
        held_out = DataLoader(testing, _TEST_BATCH)
        self.fit(loader, epochs=self.recipe.epochs, validation=held_out, callbacks=callbacks)

    def scores(self, testing: Part) -> Tensor:
        """The scores (n, 10) of the network for the images, without recording."""
        scores: Tensor = self.predict(DataLoader(testing, _TEST_BATCH))
        return scores

    def measured(self) -> list[dict[str, float]]:
        """Loss, accuracy, test_loss and test_accuracy of each epoch, parts of 1."""
        columns = self.history.history
        names = [name.replace("val_", "test_") for name in columns]
        return [dict(zip(names, values)) for values in zip(*columns.values())]


class Part(TensorDataset):
    """The images and labels of a part of the data set, on the device."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        super().__init__(images, labels)
        self.labels = labels


class Divergence(Callback):
    """Ends a run whose loss is not a number any more."""

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Look at the loss after each batch."""
        loss = self.trainer.mean_loss()
        if not math.isfinite(loss):
            raise CommandError(
                f"the loss became {loss} in epoch {self.trainer.epoch + 1}; try a smaller --lr "
                f"than {self.trainer.recipe.lr}"
            )
