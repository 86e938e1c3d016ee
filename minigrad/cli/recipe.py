"""A recipe: the data set, the network and the way to train it, with good defaults for each.

`minigrad.nn` and `minigrad.optim` are reached through `minigrad`, which loads them on first use,
so that `--help` and bad arguments are answered at once.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

import minigrad
from minigrad.cli.failure import CommandError


class Choice(NamedTuple):
    """A data set: its class, the mean and deviation of its pixels in [0, 1], and how it is framed.

    `margin` is what its images leave free on each side, as a part of their width; `by_weight` says
    whether the centre of gravity is in the middle, or the middle of what is drawn.
    """

    name: str
    mean: float
    deviation: float
    margin: float
    by_weight: bool


DATASETS = {
    "digits": Choice("Digits", 0.3053, 0.3760, margin=0.0, by_weight=False),
    "mnist": Choice("MNIST", 0.1307, 0.3081, margin=4 / 28, by_weight=True),
    "fashion-mnist": Choice("FashionMNIST", 0.2860, 0.3530, margin=0.0, by_weight=False),
}
MODELS = ("mlp", "cnn")
OPTIMIZERS = {
    "adam": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
    "sgd": "SGD",
}
# These two take a longer step than those that scale it by the size of recent gradients.
_LONG_STEP = {"adagrad": 0.01, "sgd": 0.02}
_EXTRA = {"sgd": {"momentum": 0.9}}
CLASSES = 10

_DEFAULTS: dict[tuple[str, str], dict[str, Any]] = {
    ("digits", "mlp"): {"hidden": [256, 128], "epochs": 20, "lr": 0.002, "lr_decay": 0.9},
    ("digits", "cnn"): {"hidden": [64], "epochs": 12, "lr": 0.002, "lr_decay": 0.9},
    ("mnist", "mlp"): {"hidden": [128], "epochs": 5, "lr": 0.001, "lr_decay": 0.5},
    ("mnist", "cnn"): {"hidden": [], "epochs": 3, "lr": 0.002, "lr_decay": 0.6},
    ("fashion-mnist", "mlp"): {"hidden": [256], "epochs": 10, "lr": 0.001, "lr_decay": 0.8},
    ("fashion-mnist", "cnn"): {"hidden": [128], "epochs": 5, "lr": 0.002, "lr_decay": 0.6},
}


@dataclass
class Recipe:
    """Everything that decides how a run goes, apart from the data and the device."""

    dataset: str
    model: str
    hidden: list[int]
    epochs: int
    batch_size: int
    optimizer: str
    lr: float
    lr_decay: float
    seed: int
    height: int
    width: int
    mean: float
    deviation: float

    def make_model(self) -> Any:
        """The network, with new weights: images (n, 1, height, width) to scores (n, 10)."""
        nn = minigrad.nn
        layers: list[Any] = []
        if self.model == "cnn":
            layers, features = _convolutions(self.height, self.width)
        else:
            features = self.height * self.width
        layers.append(nn.Flatten())
        for size in self.hidden:
            layers += [nn.Linear(features, size), nn.ReLU()]
            features = size
        return nn.Sequential(*layers, nn.Linear(features, CLASSES))

    def make_optimizer(self, parameters: Any) -> Any:
        """The optimizer of these parameters."""
        kind: Any = getattr(minigrad.optim, OPTIMIZERS[self.optimizer])
        return kind(parameters, lr=self.lr, **_EXTRA.get(self.optimizer, {}))

    def make_schedule(self, optimizer: Any) -> Any:
        """The schedule that lowers the learning rate after each epoch.

        It does not look at the number of epochs, so that a run can be made longer later.
        """
        return minigrad.optim.lr_scheduler.ExponentialLR(optimizer, self.lr_decay)

    def to_dict(self) -> dict[str, Any]:
        """The recipe as a dict, to be saved."""
        return asdict(self)


def new_recipe(given: dict[str, Any], height: int, width: int) -> Recipe:
    """The recipe of what the user gave; what is None takes its default for the data set."""
    choice = DATASETS[given["dataset"]]
    model = given["model"] or MODELS[0]
    optimizer = given["optimizer"] or "adam"
    defaults = {
        "batch_size": 64 if (given["dataset"], model) in _LARGE_BATCH else 32,
        "seed": 0,
        **_DEFAULTS[given["dataset"], model],
    }
    if optimizer in _LONG_STEP:
        defaults["lr"] = _LONG_STEP[optimizer]
    chosen = {name: given[name] if given[name] is not None else defaults[name] for name in defaults}
    return Recipe(
        dataset=given["dataset"],
        model=model,
        optimizer=optimizer,
        height=height,
        width=width,
        mean=choice.mean,
        deviation=choice.deviation,
        **chosen,
    )


def saved_recipe(checkpoint: Any, path: str) -> Recipe:
    """The recipe in a loaded checkpoint. Raises CommandError where there is none."""
    stored = checkpoint.get("recipe") if isinstance(checkpoint, dict) else None
    names = {field.name for field in fields(Recipe)}
    if not isinstance(stored, dict) or stored.keys() != names:
        raise CommandError(f"{path} holds no training run; name a file that 'minigrad train' saved")
    return Recipe(**stored)


def check_same(recipe: Recipe, given: dict[str, Any], path: str) -> None:
    """Raise CommandError where the user asks for another run than the one saved in `path`."""
    for name in ("dataset", "model", "hidden", "batch_size", "optimizer", "lr", "lr_decay", "seed"):
        asked, was = given[name], getattr(recipe, name)
        if asked is not None and asked != was:
            option = name if name == "dataset" else "--" + name.replace("_", "-")
            raise CommandError(
                f"--resume {path}: that run has {option} {_spelled(was)}, not {_spelled(asked)}; "
                "leave the option out, or start a new run without --resume"
            )


def _spelled(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value)) or "0"
    return str(value)


_LARGE_BATCH = {("mnist", "cnn"), ("fashion-mnist", "cnn")}


def _convolutions(height: int, width: int) -> tuple[list[Any], int]:
    """Two convolutions for images of this size, and the number of features they give.

    The pool stands before the ReLU: the result is the same, as both are increasing, at a quarter
    of the work for the ReLU.
    """
    nn = minigrad.nn
    if min(height, width) < 16:
        layers = [
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.MaxPool2d(2),
            nn.ReLU(),
        ]
        return layers, 32 * (height // 2) * (width // 2)
    layers = [
        nn.Conv2d(1, 16, 5),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 5),
        nn.MaxPool2d(2),
        nn.ReLU(),
    ]
    rows, columns = (((size - 4) // 2 - 4) // 2 for size in (height, width))
    return layers, 32 * rows * columns
