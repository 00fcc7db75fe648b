"""The pieces of `examples/assay.py`, on few molecules."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from unittest import mock

import numpy as np
import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture(scope="module")
def assay() -> ModuleType:
    spec = importlib.util.spec_from_file_location("assay", EXAMPLES / "assay.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with mock.patch.object(sys, "path", [str(EXAMPLES), *sys.path]):  # as for a script
        spec.loader.exec_module(module)
    return module


def molecules(rows: int) -> tuple[list[Counter[str]], np.ndarray]:
    """Labels that are sums of counts of fragments, a third of them missing."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4, (rows, 6))
    y = np.log1p(x) @ rng.normal(size=(6, 4)) * 10 + 100
    y[rng.random(y.shape) < 1 / 3] = np.nan
    return [Counter(dict(zip("abcdef", row.tolist(), strict=True))) for row in x], y


def test_the_rule_of_censoring(assay: ModuleType) -> None:
    """The truth lies between the ends, and about half of the values are bounds."""
    _, y = molecules(2000)
    known, outside = assay.censor(y, np.random.default_rng(0))
    some = np.isfinite(y)
    np.testing.assert_array_equal(np.isnan(known).any(-1), ~some)
    assert np.all((known[..., 0] <= y + 1e-4)[some]) and np.all((known[..., 1] >= y - 1e-4)[some])
    np.testing.assert_array_equal(np.isinf(known).any(-1), outside)
    assert 0.45 < outside[some].mean() < 0.75
    assert np.all(known[some & ~outside][:, 0] == y[some & ~outside].astype("float32"))


@pytest.mark.slow
def test_training_and_picture(assay: ModuleType, tmp_path: Path) -> None:
    """Bounds taken for values are worst out of range; the likelihood is not."""
    pytest.importorskip("matplotlib")
    split = assay.make_split(*molecules(1280), seed=0)
    scores = np.empty((2, len(assay.WAYS), 1, 4))
    with mock.patch.object(assay, "EPOCHS", 30):
        for i, way in enumerate(assay.WAYS):
            found = assay.predict(assay.train(split, way, 0), split.x_test)
            assert found.shape == split.truth.shape
            scores[:, i, 0] = assay.rmse(split, found)
    means = scores.mean(axis=(2, 3))
    assert means[1, 3] < 0.8 * means[1, 1]
    text = assay.table(scores)
    assert all(way in text for way in assay.WAYS)
    assay.draw(tmp_path / "assay.png", scores)
    assert (tmp_path / "assay.png").stat().st_size > 10_000
