"""The tests as if a package were not installed: `python -m tests.without numba [ARGUMENT ...]`.

The arguments are pytest's. The processes that tests start do without the package, too; another
package of its name, which a test puts in its place, is found.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

# Python imports a module of this name at every start.
_CUSTOM = """
import sys
from importlib.machinery import PathFinder

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        found = super().find_spec(name, path)
        return None if found and name == {hidden!r} and found.origin == {origin!r} else found

sys.meta_path[sys.meta_path.index(PathFinder)] = Finder
"""


def main(hidden: str, *arguments: str) -> int:
    """Run pytest, and hand on its exit status."""
    with tempfile.TemporaryDirectory() as folder:
        found = find_spec(hidden)
        custom = _CUSTOM.format(hidden=hidden, origin=found and found.origin)
        Path(folder, "sitecustomize.py").write_text(custom, "utf-8")
        paths = [folder, os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
        command = [sys.executable, "-m", "pytest", *arguments]
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
