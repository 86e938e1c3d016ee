"""What a Trainer saves, so that a run that is resumed goes on as if it had never stopped."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import minigrad
from minigrad.errors import ArgumentError
from minigrad.io import load
from minigrad.training.feed import Feed
from minigrad.training.history import History

if TYPE_CHECKING:
    from minigrad.training.trainer import Trainer

__all__ = ["read_state", "restore", "restore_run", "state_of"]


def state_of(trainer: Trainer) -> dict[str, Any]:
    """All that the next epoch depends on."""
    # States that were taken up and that no run has handed out yet are still the callbacks'.
    callbacks = trainer.saved_callbacks or [
        {"class": type(callback).__name__, "state": callback.state_dict()}
        for callback in trainer.listening
    ]
    optimizer, scheduler = trainer.optimizer, trainer.scheduler
    return {
        "kinds": _kinds(trainer),
        "epoch": trainer.epoch,
        "step": trainer.step,
        "model": trainer.model.state_dict(),
        "optimizer": None if optimizer is None else optimizer.state_dict(),
        "scheduler": None if scheduler is None else scheduler.state_dict(),
        "history": trainer.history.state_dict(),
        "callbacks": callbacks,
        "random": minigrad.get_rng_state(),
        "data": trainer.data_state if trainer.feed is None else trainer.feed.state_dict(),
    }


def restore(trainer: Trainer, state: Mapping[str, Any]) -> None:
    """Take up a state; raises ArgumentError, KeyError or RuntimeError where it does not fit."""
    for name, mine in _kinds(trainer).items():
        saved = state["kinds"][name]
        if mine != saved:
            raise ArgumentError(
                f"the saved run had {saved or 'none'} as its {name} and this Trainer has "
                f"{mine or 'none'}; make it as it was made then"
            )
    trainer.model.load_state_dict(state["model"])
    if trainer.optimizer is not None:
        trainer.optimizer.load_state_dict(state["optimizer"])
    if trainer.scheduler is not None:
        trainer.scheduler.load_state_dict(state["scheduler"])
    trainer.history = History()
    trainer.history.load_state_dict(state["history"])
    trainer.epoch = state["epoch"]
    trainer.step = state["step"]
    trainer.saved_callbacks = list(state["callbacks"])
    trainer.data_state = state["data"]
    trainer.resumed = True
    trainer.listening = trainer.callbacks
    minigrad.set_rng_state(state["random"])


def _kinds(trainer: Trainer) -> dict[str, str | None]:
    """The classes whose state would mean nothing to another."""
    parts = {"optimizer": trainer.optimizer, "scheduler": trainer.scheduler}
    return {name: None if part is None else type(part).__name__ for name, part in parts.items()}


def restore_run(trainer: Trainer, callbacks: Iterable[Any], feed: Feed) -> None:
    """Hand the saved states to the callbacks of the same class, in order, and to the data."""
    saved, trainer.saved_callbacks = trainer.saved_callbacks, []
    if trainer.resumed and trainer.data_state is not None:
        feed.load_state_dict(trainer.data_state)
    trainer.resumed = False
    for callback in callbacks:
        for position, entry in enumerate(saved):
            if entry["class"] == type(callback).__name__:
                callback.load_state_dict(entry["state"])
                del saved[position]
                break


def read_state(path: str | os.PathLike[str]) -> Mapping[str, Any]:
    """What `Trainer.save` wrote; raises ArgumentError for a file that holds something else."""
    state = load(path)
    if not isinstance(state, Mapping) or not {"model", "epoch", "history"} <= set(state):
        raise ArgumentError(
            f"{os.fspath(path)} holds no state of a Trainer; a model's weights alone are loaded "
            "with model.load_state_dict(minigrad.load(path))"
        )
    return state
