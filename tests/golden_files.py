"""Comparing messages with files in `tests/golden`, so that a change of words is seen."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"


def check_golden(name: str, text: str, **places: object) -> None:
    """Assert that `text` is what `tests/golden/<name>.txt` holds.

    Each of `places`, such as `folder=tmp_path`, is written as `<folder>`, because it differs from
    run to run. With MINIGRAD_WRITE_GOLDEN=1 in the environment the file is written instead.
    """
    for word, value in sorted(places.items(), key=lambda item: -len(str(item[1]))):
        text = text.replace(str(value), f"<{word}>")
    path = FOLDER / f"{name}.txt"
    if os.environ.get("MINIGRAD_WRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n", "utf-8")
    assert path.exists(), f"there is no {path}; its text would be:\n{text}"
    assert text + "\n" == path.read_text("utf-8")
