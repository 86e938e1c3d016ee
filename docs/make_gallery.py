"""Writes docs/gallery.md: `python -m examples --all --out RUN`, `python docs/make_gallery.py RUN`.

The first command runs the examples in full; the second takes what they printed and drew in the
folder RUN. Without a folder the page is made anew from the outputs that are there: after a change
to the words of an example, not to its numbers.
"""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # this tree's examples, wherever this runs

from examples.__main__ import CHAPTERS, NAMES, title  # noqa: E402 - found by the line above

PAGE = Path(__file__).with_name("gallery.md")
KEPT = Path(__file__).with_name("gallery")
WIDTH = 900

HEAD = """# Gallery

Every example with what it prints and draws. Made from the examples by
`python docs/make_gallery.py`; change those, not this page. Each runs from a clone with
`python -m examples NAME`, shortened with `--quick`; `python -m examples` lists them.
"""


def take(run):
    """Keep the outputs of a run: the text as it is, the figure small."""
    from PIL import Image

    KEPT.mkdir(exist_ok=True)
    for name in NAMES:
        if (run / f"{name}.txt").exists() and (run / f"{name}.png").exists():
            shutil.copyfile(run / f"{name}.txt", KEPT / f"{name}.txt")
            image = Image.open(run / f"{name}.png").convert("RGB")
            if image.width > WIDTH:
                height = round(image.height * WIDTH / image.width)
                image = image.resize((WIDTH, height), Image.Resampling.LANCZOS)
            # The colours of small marks too, which the other methods give up first.
            image = image.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
            image.save(KEPT / f"{name}.png", optimize=True)


def section(name):
    """One example: its title, its figure, what it prints, its code."""
    code = (ROOT / "examples" / f"{name}.py").read_text("utf-8")
    printed = (KEPT / f"{name}.txt").read_text("utf-8")
    # The fence is "py": the programs of a page whose fences say "python" are run by the tests.
    return "\n".join([
        f"### {name}\n", title(name) + "\n", f"![{name}](gallery/{name}.png)\n",
        f"```text\n{printed}```\n",
        f"<details><summary>the code, `examples/{name}.py`</summary>\n",
        f"```py\n{code}```\n", "</details>\n",
    ])  # fmt: skip


def page():
    contents, sections = [], []
    for chapter, names in CHAPTERS.items():
        shown = [name for name in names if (KEPT / f"{name}.txt").exists()]
        contents += [f"**{chapter}**\n", *(f"- [{name}](#{name}): {title(name)}" for name in shown)]
        contents.append("")
        sections += [f"## {chapter}\n", *map(section, shown)]
    return "\n".join([HEAD, *contents, *sections])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        take(Path(sys.argv[1]))
    PAGE.write_text(page(), "utf-8")
    size = sum(path.stat().st_size for path in KEPT.glob("*.png")) / 1e6
    print(f"{PAGE.name}: {len(page().splitlines())} lines; pictures: {size:.2f} MB")
