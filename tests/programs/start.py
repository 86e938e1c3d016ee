"""What programs begin with: numbers and weights that are the same whichever library is used."""

import math

import numpy as np


def generator(seed=0):
    """NumPy's generator of random numbers."""
    return np.random.default_rng(seed)


def given(torch, array):
    """An array as a tensor: floats in the default dtype, integers as they are."""
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    return tensor.to(torch.get_default_dtype()) if tensor.is_floating_point() else tensor


def begin(torch, model, seed=0):
    """The model with weights that depend on the seed, their names and shapes alone."""
    rng = generator(seed)
    state = {}
    for name, old in model.state_dict().items():
        shape = tuple(old.shape)
        if old.ndim < 2 or not old.is_floating_point():
            state[name] = old.clone()
            if "bias" in name:
                state[name] = given(torch, rng.normal(0, 0.1, shape))
        else:
            scale = 1 / math.sqrt(math.prod(shape[1:]))
            state[name] = given(torch, rng.normal(0, scale, shape))
    model.load_state_dict(state)
    return model


def digits(torch, count=64, side=8):
    """Small pictures of ten kinds, a blurred pattern for each and noise, with their labels."""
    rng = generator(7)
    patterns = rng.normal(0, 1, (10, 1, side, side))
    labels = rng.integers(0, 10, count)
    images = patterns[labels] + rng.normal(0, 0.3, (count, 1, side, side))
    return given(torch, images), given(torch, labels)


TEXT = (
    "it was the best of times, it was the worst of times, it was the age of wisdom, it was the "
    "age of foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the "
    "season of light, it was the season of darkness, it was the spring of hope. "
)


def characters(torch, text=TEXT):
    """The numbers of a text's characters, and how many different ones there are."""
    known = sorted(set(text))
    return given(torch, np.array([known.index(c) for c in text])), len(known)
