"""Whole programs in the manner of well-known ones give the same losses on torch and on minigrad."""

import importlib
import pkgutil

import numpy as np
import pytest
import torch

import minigrad
from tests import programs

NAMES = sorted(
    module.name
    for module in pkgutil.iter_modules(programs.__path__)
    if hasattr(importlib.import_module(f"tests.programs.{module.name}"), "main")
)

# The two libraries add in another order, so each step differs by a few units in the last place,
# and training multiplies what the steps before it have left: by less than a thousand in these
# programs.  That is a thousand units in the last place of either dtype; a wrong constant, an
# epsilon at another place or a gradient that is lost shows at the third to eighth digit.
TOLERANCE = {"float64": 1e-12, "float32": 1e-4}


@pytest.fixture(params=["float64", "float32"])
def dtype(request):
    for library in (torch, minigrad):
        library.set_default_dtype(getattr(library, request.param))
    yield request.param
    for library in (torch, minigrad):
        library.set_default_dtype(library.float32)


def test_there_are_enough_programs():
    assert len(NAMES) >= 20


@pytest.mark.parametrize("name", NAMES)
def test_a_program_gives_the_same_losses(name, dtype):
    main = importlib.import_module(f"tests.programs.{name}").main
    expected = main(torch)
    found = main(minigrad)
    assert len(expected) > 5
    assert np.std(expected) > 0
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
