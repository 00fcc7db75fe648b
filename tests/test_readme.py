"""The README and the front page of the site: their examples run, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import keras_masked as km

ROOT = Path(km.__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, ROOT / "docs" / "index.md"]


def fences(page: Path, *languages: str) -> list[str]:
    return re.findall(rf"(?ms)^```(?:{'|'.join(languages)})\n(.*?)^```", page.read_text())


@pytest.mark.parametrize("page", PAGES, ids=["readme", "front page"])
def test_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels of -9999 train nothing: what is logged is finite, and the report counts the others."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 5)).astype("float32"), rng.normal(size=(64, 3)).astype("float32")
    y[rng.random(y.shape) < 0.5] = -9999.0
    names = {"x": x, "y": y}
    for example in fences(page, "python"):
        example = example.replace('found.save("report.html")', "")  # needs matplotlib
        exec(compile(example, str(page), "exec"), names)
    history = names["model"].history.history  # type: ignore[attr-defined]
    assert set(history) == {"loss", "mae", "r2_score"}
    assert 0 < history["loss"][0] < 10
    if "found" in names:
        support = [row["support"] for row in names["found"].rows[:3]]  # type: ignore[attr-defined]
        assert support == list((y != -9999).sum(axis=0))


def test_first_two_commands() -> None:
    """The first shows what the package is for, the second checks all of it."""
    install = "python3 -m pip install --quiet nox && "
    demo, check = fences(README, "bash", "shell")[:2]
    assert demo == install + "python3 -m nox -s demo\n"
    assert check == install + "python3 -m nox\n"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "RELEASING.md"])
def test_links(name: str) -> None:
    text = re.sub(r"(?ms)^```.*?^```", "", (ROOT / name).read_text())
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if not link.startswith("https://"):
            assert (ROOT / link.partition("#")[0]).exists(), link
