"""What the command line of every example may say: `--quick`, and `--out` for its figure.

    from settings import out, quick

It also lets the examples find the package of this folder where none is installed.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

_parser = argparse.ArgumentParser()
_parser.add_argument("--quick", action="store_true", help="a short run: fewer samples and steps")
_parser.add_argument(
    "--out", type=Path, default=Path(), metavar="FOLDER", help="where the figure is saved"
)
_options = _parser.parse_args()
_options.out.mkdir(parents=True, exist_ok=True)

quick: bool = _options.quick
out: Path = _options.out
