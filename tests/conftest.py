"""What every test starts from: one thread for the arithmetic, a fixed seed, default settings."""

import os

# One worker per core already fills the machine; BLAS threads on top of that only wait for each
# other.  Set before NumPy is imported, for the workers that inherit it too.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("MPLBACKEND", "Agg")
# Kernels are compiled when a test first needs them: what it compares does not change under it.  A
# lock makes the workers compile a family once; the others load it.
os.environ.setdefault("MINIGRAD_KERNELS", "wait")

from collections.abc import Iterator  # noqa: E402 - the variables come first

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

import minigrad  # noqa: E402

# The same examples on every run, so that a red suite means a changed package.  New ones are
# drawn by the long run: `pytest --hypothesis-profile=fuzz`.
_slow_is_fine = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile(
    "suite", derandomize=True, database=None, deadline=None, suppress_health_check=_slow_is_fine
)
settings.register_profile(
    "fuzz", max_examples=5000, deadline=None, suppress_health_check=_slow_is_fine
)
settings.load_profile("suite")


@pytest.fixture(autouse=True)
def fresh_start() -> Iterator[None]:
    """Seed the generator, and undo what a test may leave set for the next."""
    dtype = minigrad.get_default_dtype()
    minigrad.manual_seed(0)
    yield
    minigrad.set_default_dtype(dtype)
