"""Optional packages: imported on first use, or an error that says which extra installs them."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

DISTRIBUTION = "minigrad-engine"
_EXTRA_OF = {
    "PIL": "data",
    "h5py": "keras",
    "matplotlib": "plot",
    "pooch": "data",
    "safetensors": "io",
    "sklearn": "sklearn",
    "tqdm": "data",
}
_PACKAGE_OF = {"PIL": "pillow", "sklearn": "scikit-learn"}


class MissingExtra(ModuleNotFoundError):
    """An optional package is needed that is not installed; the message says how to install it."""


def require(module: str, purpose: str) -> Any:
    """The optional module `module`, which may be dotted.

    Raises MissingExtra, naming `purpose` and the command that installs it, when it is missing.
    """
    top = module.partition(".")[0]
    try:
        importlib.import_module(top)
    except ModuleNotFoundError as error:
        if error.name != top:
            raise
        package = _PACKAGE_OF.get(top, top)
        raise MissingExtra(
            f"{purpose} needs the package '{package}', which is not installed; "
            f'install it with: pip install "{DISTRIBUTION}[{_EXTRA_OF[top]}]"',
            name=top,
        ) from None
    return importlib.import_module(module)


def is_installed(module: str) -> bool:
    """Whether the optional module can be imported, without importing it."""
    return importlib.util.find_spec(module) is not None
