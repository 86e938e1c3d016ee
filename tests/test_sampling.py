"""grid_sample and affine_grid against torch's, and their refusals."""

import numpy
import pytest
import torch

import minigrad
from minigrad.errors import ArgumentError, DtypeError
from minigrad.nn.functional.sampling import affine_grid, grid_sample

RANDOM = numpy.random.default_rng(0)
IMAGES = RANDOM.normal(size=(2, 3, 4, 5))
# Inside the images, at their edges and far outside.
PLACES = RANDOM.uniform(-2.8, 2.8, size=(2, 6, 3, 2))


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("padding_mode", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_grid_sample_is_torch_s(mode, padding_mode, align_corners):
    results = []
    for library in (minigrad, torch):
        images = library.tensor(IMAGES, requires_grad=True)
        places = library.tensor(PLACES, requires_grad=True)
        function = grid_sample if library is minigrad else torch.nn.functional.grid_sample
        sampled = function(images, places, mode, padding_mode, align_corners)
        (
            sampled * library.tensor(numpy.cos(numpy.arange(108)).reshape(2, 3, 6, 3))
        ).sum().backward()
        gradients = [images.grad] + ([places.grad] if mode == "bilinear" else [])
        results.append([sampled.detach().numpy(), *(grad.numpy() for grad in gradients)])
    for ours, theirs in zip(*results):
        # Sums of four products of float64.
        assert numpy.allclose(ours, theirs, rtol=1e-12, atol=1e-13)


# torch warns of an image of one cell with align_corners.
@pytest.mark.parametrize(
    ("size", "align_corners"),
    [
        ((2, 3, 4, 5), False),
        ((2, 3, 4, 5), True),
        ((2, 1, 1, 3), False),
        ((2, 1, 3, 4, 5), False),
        ((2, 1, 3, 4, 5), True),
    ],
)
def test_affine_grid_is_torch_s(size, align_corners):
    theta = RANDOM.normal(size=(2, len(size) - 2, len(size) - 1))
    ours = affine_grid(minigrad.tensor(theta), size, align_corners)
    theirs = torch.nn.functional.affine_grid(torch.tensor(theta), size, align_corners)
    assert numpy.allclose(ours.numpy(), theirs.numpy(), rtol=1e-12, atol=1e-13)


def test_what_does_not_fit_is_refused():
    images, places = minigrad.tensor(IMAGES), minigrad.tensor(PLACES)
    with pytest.raises(ArgumentError, match="'padding_mode' must be one of"):
        grid_sample(images, places, padding_mode="wrap")
    with pytest.raises(ArgumentError, match=r"got \[3, 4, 5\] and \[2, 6, 3, 2\]"):
        grid_sample(images[0], places)
    with pytest.raises(DtypeError, match="one floating dtype, got float64 and float32"):
        grid_sample(images, places.float())
    with pytest.raises(ArgumentError, match=r"'theta' must be \(N, 2, 3\)"):
        affine_grid(minigrad.zeros(2, 3, 2), (2, 3, 4, 5))
