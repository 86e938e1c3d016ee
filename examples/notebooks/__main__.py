"""Build the notebooks and execute them: `python -m examples.notebooks [NAME ...] [--out FOLDER]`.

Each `.py` file of this folder becomes an `.ipynb` with its outputs. It needs jupytext, nbclient and
ipykernel, which `pip install ".[examples]"` brings.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("[!_]*.py"))


def build(name: str, folder: Path) -> Path:
    """Execute one notebook in an empty kernel and write it; raises the error of a cell."""
    import jupytext
    from nbclient import NotebookClient

    notebook = jupytext.read(HERE / f"{name}.py")
    folder.mkdir(parents=True, exist_ok=True)
    NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    path = folder / f"{name}.ipynb"
    jupytext.write(notebook, path)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.notebooks")
    parser.description = "Build the notebooks and execute them."
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all by default: {NAMES}")
    parser.add_argument("--out", type=Path, default=Path("notebooks"), help="folder to write to")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(NAMES))
    if unknown:
        parser.error(f"there is no notebook {unknown[0]!r}; there are {', '.join(NAMES)}")
    for name in arguments.names or NAMES:
        start = time.perf_counter()
        path = build(name, arguments.out)
        print(f"{path} ({time.perf_counter() - start:.0f} s)")


if __name__ == "__main__":
    main()
