"""`minigrad predict`: what an image shows, by the weights of a training run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import minigrad
from minigrad.backend import backend_for
from minigrad.cli.failure import CommandError
from minigrad.cli.images import classes_of, open_dataset, read_image, to_input
from minigrad.cli.recipe import Recipe, saved_recipe
from minigrad.tensor import Tensor

BAR = 30


def predict(arguments: argparse.Namespace) -> int:
    """Print the label of an image file or of an image of the test set, and all probabilities."""
    if (arguments.image is None) == (arguments.index is None):
        raise CommandError("name an image file, or an image of the test set with --index N")
    if arguments.image is not None and arguments.dataset is not None:
        raise CommandError("--dataset says whose test set --index counts in; leave it out")
    backend_for(arguments.device)
    checkpoint = minigrad.load(arguments.weights)
    recipe = saved_recipe(checkpoint, arguments.weights)
    model = load_model(recipe, checkpoint, arguments.weights).to(arguments.device)
    if arguments.image is not None:
        image, highest, label = read_image(arguments.image, recipe), 255, None
        what = arguments.image
    else:
        name = arguments.dataset or recipe.dataset
        dataset = open_dataset(name, train=False)
        image, label = _at(dataset, arguments.index, recipe, name)
        highest = dataset.highest
        what = f"image {arguments.index} of the test set of {name}"
    scores = scores_of(model, to_input(recipe, image[None], highest, arguments.device))
    probabilities = scores.softmax(1)[0].tolist()
    _show(what, probabilities, classes_of(recipe.dataset), label)
    return 0


def load_model(recipe: Recipe, checkpoint: Any, path: str) -> Any:
    """The network of a checkpoint with its weights. Raises CommandError where they do not fit."""
    model = recipe.make_model()
    try:
        model.load_state_dict(checkpoint["model"])
    except (KeyError, RuntimeError) as error:
        raise CommandError(f"{path}: the weights do not fit the recipe: {error}") from error
    return model


def scores_of(model: Any, images: Tensor) -> Tensor:
    """The scores (n, classes) of the network for images, without recording."""
    model.eval()
    with minigrad.no_grad():
        scores: Tensor = model(images)
    return scores


def _at(dataset: Any, index: int, recipe: Recipe, name: str) -> tuple[Any, int]:
    if index >= len(dataset):
        raise CommandError(
            f"--index {index}: the test set of {name} has images 0 to {len(dataset) - 1}"
        )
    image = dataset.data[index].numpy()
    if image.shape != (recipe.height, recipe.width):
        raise CommandError(
            f"--dataset {name}: its images have {image.shape[0]} x {image.shape[1]} pixels, and "
            f"the network takes {recipe.height} x {recipe.width}"
        )
    return image, int(dataset.targets[index].item())


def _show(
    what: str, probabilities: Sequence[float], classes: Sequence[str], label: int | None
) -> None:
    order = sorted(range(len(probabilities)), key=lambda i: -probabilities[i])
    verdict = ""
    if label is not None:
        verdict = " (right)" if order[0] == label else f" (wrong: it is {classes[label]})"
    print(f"{what}: {classes[order[0]]}{verdict}")
    width = max(map(len, classes))
    for i in order:
        bar = "█" * round(BAR * probabilities[i])
        print(f"  {classes[i]:>{width}}  {100 * probabilities[i]:6.2f} %  {bar}".rstrip())
