"""`report` of labels that are bounds: numbers of NumPy and SciPy in float64, on deleted labels."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from scipy import stats

import keras_masked as km
from keras_masked.report import drawing

M = km.metrics
INF, NAN = np.inf, np.nan
NAMES = ["a", "b"]
DRAWS = {"replicates": 30}
KINDS = ("exact", "below", "above", "between")


def bounds(rows: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Labels of every kind with holes, and normal distributions for them."""
    rng = np.random.default_rng(2)
    p = rng.normal(size=(rows, 2, 2)) * [1, 0.3]
    y = p[..., 0] + np.exp(p[..., 1] / 2) * rng.normal(size=(rows, 2))
    ends = np.stack([y, y], -1)
    ends[y > 0.8] = [0.8, INF]
    ends[y < -0.9] = [-INF, -0.9]
    some = np.arange(rows) % 5 == 0
    ends[some] = np.stack([np.floor(y), np.floor(y) + 1], -1)[some]
    ends[rng.random((rows, 2)) < 0.3] = NAN
    return ends.astype("float32"), p.astype("float32")


def deleted(ends: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """What is to be found of one column."""
    seen = ~np.isnan(ends).any(-1)
    low, high = ends[seen].astype("float64").T
    mean, log_variance = p[seen].astype("float64").T
    gap = mean - np.clip(mean, low, high)
    normal = stats.norm(mean, np.exp(log_variance / 2))
    exact = low == high
    f_low, f_high = normal.cdf(low), normal.cdf(high)
    chance = np.where(exact, 1, f_high - f_low)
    shared = np.clip(np.minimum(f_high, 0.95) - np.maximum(f_low, 0.05), 0, None) / chance
    covers = np.where(exact, (f_low >= 0.05) & (f_low <= 0.95), shared)
    with np.errstate(invalid="ignore"):
        density = normal.logpdf(low)
    counts = [exact, (low == -INF), (high == INF)]
    counts.append(~np.any(counts, axis=0))
    return {
        "rmse": np.sqrt(np.mean(gap**2)),
        "mae": np.mean(np.abs(gap)),
        "nll": -np.mean(np.where(exact, density, np.log(chance))),
        "coverage 90%": np.mean(covers),
        "support": seen.sum(),
        **{kind: found.sum() for kind, found in zip(KINDS, counts, strict=True)},
    }


def check(row: dict[str, Any], expected: dict[str, float], *names: str) -> None:
    for name in (*names, "support", *KINDS):
        assert row[name] == pytest.approx(expected[name], rel=1e-4), name


def test_every_number_is_of_numpy_on_deleted_labels() -> None:
    ends, p = bounds()
    found = km.report(ends, p[..., 0], labels=NAMES, censored=True, **DRAWS)
    assert found.metrics == ["rmse", "mae"]
    assert found.header[:6] == ["label", "support", *KINDS]
    expected = [deleted(ends[:, c], p[:, c]) for c in range(2)]
    for row, numbers in zip(found.rows[:2], expected, strict=True):
        check(row, numbers, "rmse", "mae")
        assert all(numbers[kind] > 0 for kind in KINDS)
        assert row["rmse/lower"] < row["rmse"] < row["rmse/upper"]
    macro = found.rows[2]
    assert [macro[k] for k in KINDS] == [sum(e[k] for e in expected) for k in KINDS]
    assert macro["mae"] == pytest.approx(np.mean([e["mae"] for e in expected]), rel=1e-4)
    assert str(found).split()[:6] == ["label", "support", *KINDS]
    # A marker in both ends is a hole; and one column needs no axis of its own.
    marked = np.where(np.isnan(ends), -99, ends)
    options: dict[str, Any] = {"censored": True, "confidence_level": None}
    again = km.report(marked, p[..., 0], labels=NAMES, missing=-99, **options)
    assert [row["mae"] for row in again.rows] == [row["mae"] for row in found.rows]
    check(km.report(ends[:, 0], p[:, 0, 0], **options).rows[0], expected[0], "rmse", "mae")


def test_distributions() -> None:
    ends, p = bounds()
    found = km.report(ends, p, labels=NAMES, distribution="gaussian", censored=True, **DRAWS)
    assert found.metrics == ["nll", "rmse", "coverage 90%"]
    for c in range(2):
        check(found.rows[c], deleted(ends[:, c], p[:, c]), *found.metrics)
        assert found.rows[c]["nll/lower"] < found.rows[c]["nll"] < found.rows[c]["nll/upper"]
    asked = [M.CalibrationError(censored=True, name="c"), M.OfMean(M.MeanAbsoluteError(
        name="mae", censored=True))]  # fmt: skip
    found = km.report(
        ends, p, asked, NAMES, distribution="gaussian", censored=True, confidence_level=None
    )
    metric = M.PerLabel(M.CalibrationError(censored=True), NAMES, name="c")
    metric.update_state(ends, p)
    for c, row in enumerate(found.rows[:2]):
        check(row, deleted(ends[:, c], p[:, c]), "mae")
        assert row["c"] == pytest.approx(float(metric.result()[f"c/{row['label']}"]), rel=1e-5)


ONCE = pytest.mark.skipif(
    keras.config.backend() == "jax", reason="seconds of compilation for what NumPy puts together"
)


@pytest.mark.parametrize("number", [2, pytest.param(21, marks=ONCE)])
def test_groups(number: int) -> None:
    ends, p = bounds(20 * number)
    groups = np.arange(20 * number) % number
    found = km.report(
        ends, p[..., 0], labels=NAMES, censored=True, groups=groups, confidence_level=None
    )
    assert len(found.rows) == 3 * (number + 1)
    for row in found.rows[3:]:
        if row["label"] != "macro":
            own, c = groups == int(row["group"]), NAMES.index(row["label"])
            check(row, deleted(ends[own, c], p[own, c]), "rmse", "mae")


def test_refuses_what_has_no_bounded_form() -> None:
    ends, p = bounds()
    values, y = p[..., 0], np.where(np.isinf(ends[..., 1]), NAN, ends[..., 1])
    for metric, words in (
        (M.R2Score(), "R2Score: .*no variance"),
        (M.AUC(), "AUC: it has no form"),
        (M.MeanAbsoluteError(), "`censored=True` to `MeanAbsoluteError`"),
    ):
        with pytest.raises(ValueError, match=f"`metrics`.*{words}"):
            km.report(ends, values, [metric], censored=True)
    with pytest.raises(ValueError, match="`censored=True` to `report`"):
        km.report(y, values, [M.MeanAbsoluteError(censored=True)])
    with pytest.raises(ValueError, match=r"\(rows, \.\.\., columns, 2\)"):
        km.report(y[:, :1], values[:, :1], censored=True)
    with pytest.raises(ValueError, match="parameters of a `distribution`"):
        km.report(ends, p, censored=True)
    for options in ({}, {"distribution": "gaussian"}):
        with pytest.raises(ValueError, match="ends.* need `censored=True`"):
            km.report(ends, p if options else values, **options)
    with pytest.raises(ValueError, match="lower end is above"):
        km.report(ends[..., ::-1], values, censored=True)
    with pytest.raises(ValueError, match="`censored`"):
        km.report(ends, values, censored="yes")  # type: ignore[arg-type]


@pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None, reason="matplotlib is not installed"
)
def test_pictures(tmp_path: Path) -> None:
    ends, p = bounds()
    found = km.report(ends, p[..., 0], labels=NAMES, censored=True, **DRAWS)
    found.save(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text().count("<svg") == 3  # forest, errors, holes
    near, mean = found._seen._drawable(0)
    gaps = deleted(ends[:, 0], p[:, 0])
    assert np.mean(np.abs(near - mean)) == pytest.approx(gaps["mae"], rel=1e-5)
    found = km.report(ends, p, labels=NAMES, distribution="gaussian", censored=True, **DRAWS)
    low, high = found._seen._drawable(1)
    assert (low <= high).all() and low.min() == 0 and high.max() == 1
    histogram = M.PITHistogram(bins=10, censored=True)
    histogram.update_state(ends[:, 1:], p[:, 1:])
    [bars] = drawing.uniformity([("b", low, high)]).axes[0].containers
    shares = [bar.get_height() for bar in bars]
    np.testing.assert_allclose(shares, keras.ops.convert_to_numpy(histogram.result()), atol=1e-5)
