"""What `report` shows: text, tables, and one page that needs nothing else."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import keras_masked as km
from tests.report_data import DRAWS, NAMES, table

needs_matplotlib = pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None, reason="matplotlib is not installed"
)


def test_text_markdown_and_html() -> None:
    y, p = table()
    y[0, 1] = -9999
    y[3:6, 1] = -9999
    found = km.report(y, p, labels=["<a>", "b|c", "d"], **DRAWS)
    assert any("missing=-9999" in text for text in found.warnings)
    assert "missing=-9999" in str(found)
    infinite = km.report(y, np.where(y == -9999, np.inf, p), confidence_level=None)
    assert " inf" in str(infinite)
    assert str(found).splitlines()[0].split()[:3] == ["label", "support", "auc"]
    lines = found.to_markdown().splitlines()
    assert len(lines) == 6
    assert lines[3].startswith("| b\\|c | ")
    assert "&lt;a&gt;" in found._repr_html_()
    if importlib.util.find_spec("pandas"):
        frame = found.to_pandas()
        assert list(frame.index) == ["<a>", "b|c", "d", "macro"]
        assert frame.loc["d", "auc"] == found.rows[2]["auc"]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    y, p = table()
    km.report(y, p, labels=["<a>", "b", "c"], **DRAWS).save(tmp_path / "report.html")
    return tmp_path / "report.html"


@needs_matplotlib
def test_page_needs_nothing_else(saved: Path) -> None:
    text = saved.read_text()
    outside = re.findall(r"""(?:src|href)\s*=\s*["']([^"'#][^"']*)|url\((?!#)([^)]*)""", text)
    assert [each for each in outside if not each[0].startswith("data:")] == []
    assert "http://" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    assert text.count("<svg") == 4  # forest, reliability, errors, holes
    assert text.count("<tr>") == 5
    assert "&lt;a&gt;" in text and "<a>" not in text


@needs_matplotlib
def test_picture_has_values_and_intervals() -> None:
    y, p = table()
    found = km.report(y, p, labels=NAMES, **DRAWS)
    panels = found.plot().axes
    assert [panel.get_title() for panel in panels] == found.metrics
    x = panels[0].lines[0].get_xdata()
    np.testing.assert_allclose(x, [row["auc"] for row in found.rows])
    distribution = np.stack([p, np.zeros_like(p)], axis=-1)
    [(_, svg)] = km.report(y, distribution, distribution="gaussian", **DRAWS)._seen.pictures()
    assert svg.startswith("<svg")


BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


@needs_matplotlib
@pytest.mark.skipif(BROWSER is None, reason="there is no browser")
def test_in_a_browser(saved: Path, tmp_path: Path) -> None:
    """The console has no error, and a click sorts the table."""
    page = tmp_path / "clicked.html"
    click = '<script>document.querySelectorAll("th")[2].click()</script></body>'
    page.write_text(saved.read_text().replace("</body>", click))
    command = [
        str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
        f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "CONSOLE" not in done.stderr
    assert 'aria-sort="ascending"' in done.stdout
    cells = re.findall(r"<tr><td>([^<]*)</td>.*?</tr>", done.stdout)
    assert cells[-1] == "b"  # without an AUC
