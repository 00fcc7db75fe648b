"""The recipes whose code is of one backend or needs a package: blocks that say where they run."""

from __future__ import annotations

import re
from pathlib import Path

import keras
import pytest

PAGES = Path(__file__).parent.parent / "docs" / "recipes"
BLOCK = re.compile(r"((?:^% runs [^\n]*\n)+)\n```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, set[str], set[str], str]]:
    """A name, backends (none: any), packages and the code."""
    found = []
    for page in sorted(PAGES.glob("*.md")):
        for i, (marks, code) in enumerate(BLOCK.findall(page.read_text())):
            on = set(re.findall(r"\w+", " ".join(re.findall(r"% runs on: (.*)", marks))))
            needed = set(re.findall(r"\w+", " ".join(re.findall(r"% runs with: (.*)", marks))))
            found.append((f"{page.stem}-{i}", on, needed, code))
    return found


BLOCKS = blocks()


@pytest.mark.parametrize(("on", "needed", "code"), [b[1:] for b in BLOCKS],
                         ids=[b[0] for b in BLOCKS])  # fmt: skip
@pytest.mark.filterwarnings("default")  # of the packages; the code is what is looked at
def test_recipe(on: set[str], needed: set[str], code: str) -> None:
    if on and keras.config.backend() not in on:
        pytest.skip(f"is of {' and '.join(sorted(on))}")
    for package in needed:
        pytest.importorskip(package)
    exec(compile(code, "recipe", "exec"), {"__name__": "recipe"})


def test_no_block_is_forgotten() -> None:
    assert len(BLOCKS) > 8
    marks = sum(page.read_text().count("\n% runs ") for page in PAGES.glob("*.md"))
    with_both = sum(bool(on) and bool(needed) for _, on, needed, _ in BLOCKS)
    assert marks == len(BLOCKS) + with_both
