"""The pieces of `examples/survival.py`, on a few women and epochs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

pytestmark = pytest.mark.slow

PATH = Path(__file__).parent.parent / "examples" / "survival.py"


@pytest.fixture(scope="module")
def survival() -> ModuleType:
    pytest.importorskip("sksurv")
    spec = importlib.util.spec_from_file_location("survival_example", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pieces(survival: ModuleType, tmp_path: Path) -> None:
    """Data, labels as they were known at a time, every way, scores, picture."""
    x, y = survival.load()
    assert x.shape == (686, 8) and np.isfinite(x).all()
    assert np.isinf(y[..., 1]).mean() == pytest.approx(0.56, abs=0.01)
    known = survival.until(y, 3.0)
    assert known[..., 0].max() == 3 and (np.isinf(known[..., 1]) >= np.isinf(y[..., 1])).all()
    assert 0.3 < survival.had_event(y, 3.0) < 0.5
    train, test = np.arange(0, 300), np.arange(300, 400)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    risks, scores = {}, {}
    for way in survival.WAYS:
        risk = survival.fit(way, x[train], y[train], 20, 0)(x[test])
        assert risk.shape == (100, 3) and (np.diff(risk, axis=1) > 0).all()
        risks[way] = risk
        found = survival.judge(y[train], y[test], risk)
        assert (found[0] > 0.4).all() and (found[1] < 0.4).all(), way
        scores[way] = np.stack([found, found])
    assert all(way in survival.table(scores) for way in survival.WAYS)
    pytest.importorskip("matplotlib")
    survival.draw(tmp_path / "survival.png", y[test], risks, scores)
    assert (tmp_path / "survival.png").stat().st_size > 10_000
