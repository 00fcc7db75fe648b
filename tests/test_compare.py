"""`compare`: paired bootstrap of the same rows, against permutation tests on deleted data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

import keras_masked as km

LABELS = ["a", "b"]


def table(shift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    y = rng.normal(size=(300, 2)).astype("float32")
    hard = rng.normal(size=y.shape)  # for both
    first = y + hard + 0.3 * rng.normal(size=y.shape)
    second = y + hard * (1 + shift) + 0.3 * rng.normal(size=y.shape)
    y[rng.random(y.shape) < 0.4] = np.nan
    return y, first.astype("float32"), second.astype("float32")


@pytest.mark.parametrize("shift", [0.0, 0.06, 0.5])
def test_p_value_of_a_permutation_test(shift: float) -> None:
    y, first, second = table(shift)
    # Enough that chance alone moves a p-value by about 0.01.
    options = {"labels": LABELS, "replicates": 10_000}
    found = km.compare(y, first, second, km.metrics.MeanAbsoluteError(), **options)
    for c, label in enumerate(LABELS):
        seen = ~np.isnan(y[:, c])
        errors = [np.abs(p[seen, c] - y[seen, c]) for p in (first, second)]
        gap = errors[0] - errors[1]
        assert found.difference[label] == pytest.approx(gap.mean(), rel=1e-4, abs=1e-6)
        theirs = stats.permutation_test(
            (gap,), np.mean, permutation_type="samples", n_resamples=10_000, rng=0
        )
        assert found.p_value[label] == pytest.approx(theirs.pvalue, abs=0.03)
        half = 1.96 * gap.std() / np.sqrt(len(gap))
        ends = [gap.mean() - half, gap.mean() + half]
        np.testing.assert_allclose([found.lower[label], found.upper[label]], ends, atol=0.2 * half)
    macro = np.mean([found.difference[label] for label in LABELS])
    assert found.difference["macro"] == pytest.approx(macro, rel=1e-4, abs=1e-6)


def test_one_number_and_any_metric() -> None:
    y, first, second = table(0.5)
    binary = np.where(np.isnan(y), np.nan, y > 0)[:, :1]
    scores = [1 / (1 + np.exp(-p[:, :1])) for p in (first, second)]
    found = km.compare(binary, *scores, km.metrics.AUC(2000), replicates=100)
    seen = ~np.isnan(binary)
    areas = [roc_auc_score(binary[seen], p[seen]) for p in scores]
    assert [found.first, found.second] == pytest.approx(areas, abs=1e-3)
    assert found.difference == pytest.approx(areas[0] - areas[1], abs=2e-3)
    assert found.lower < found.difference < found.upper
    same = km.compare(binary, scores[0], scores[0], km.metrics.AUC(), replicates=100)
    assert (same.difference, same.lower, same.upper, same.p_value) == (0, 0, 0, 1)


def test_undefined_label_and_text() -> None:
    y, first, second = table(0.5)
    y[:, 1] = np.nan
    found: Any = km.compare(y, first, second, km.metrics.R2Score(), labels=LABELS, replicates=50)
    assert np.isnan(found.difference["b"]) and np.isnan(found.p_value["b"])
    assert found.difference["macro"] == pytest.approx(found.difference["a"])
    assert str(found).splitlines()[2].split() == [
        "label", "first", "second", "difference", "lower", "upper", "p",
    ]  # fmt: skip
    assert "<table>" in found._repr_html_()
