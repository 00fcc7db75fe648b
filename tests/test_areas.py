"""Areas over all thresholds: what their bins can change, many columns, classes, logits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

import keras_masked as km
from tests.backend import to_numpy
from tests.test_metric_values import value_of

M = km.metrics
NAN = float("nan")
AREAS: list[tuple[Any, Any]] = [
    (M.ROCAUC, roc_auc_score),
    (M.AveragePrecision, average_precision_score),
]
OF_EACH = pytest.mark.parametrize(("cls", "score"), AREAS, ids=["roc", "precision"])


def crowded(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels as of assays, 5 % positive and 17 % missing, and logits that know some of them."""
    rng = np.random.default_rng(0)
    y = (rng.random((rows, columns)) < 0.05).astype("float32")
    logits = (2 * rng.normal(size=y.shape) - 3 + 2 * y).astype("float32")
    y[rng.random(y.shape) < 0.17] = NAN
    return y, logits


@OF_EACH
def test_bound_holds_and_is_small_by_default(cls: Any, score: Any) -> None:
    y, logits = crowded(8000, 3)
    p = (1 / (1 + np.exp(-logits.astype("float64")))).astype("float32")
    metric = M.PerLabel(cls(), ["a", "b", "c"], name="m")
    for part in (slice(0, 3000), slice(3000, 8000)):
        metric.update_state(y[part], p[part])
    found = [to_numpy(metric.result()[f"m/{c}"]) for c in "abc"]
    bounds = to_numpy(metric.error_bound())
    o = ~np.isnan(y)
    expected = [score(y[o[:, c], c], p[o[:, c], c]) for c in range(3)]
    assert (np.abs(np.subtract(found, expected)) <= bounds + 1e-6).all()
    assert bounds.max() < 1e-4
    assert bounds.min() > 0
    # Few bins: a wide bound, which still holds, also of weights and of logits.
    for bins in (30, 300):
        few = cls(bins=bins, from_logits=True)
        w = np.random.default_rng(1).random(8000) + 0.5
        value = value_of(few, (y[:, :1], logits[:, :1], w))
        exact = score(y[o[:, 0], 0], logits[o[:, 0], 0], sample_weight=w[o[:, 0]])
        assert abs(value - exact) <= to_numpy(few.error_bound())
        assert to_numpy(few.error_bound()) < 5 / bins


@OF_EACH
def test_order_is_kept_at_both_ends(cls: Any, score: Any) -> None:
    low = np.array([1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4], "float32")
    y = np.array([0, 1, 0, 0, 1, 0.0])
    for p in (low, 1 - low):
        metric = cls()
        assert value_of(metric, (y, p)) == pytest.approx(score(y, p), abs=1e-6)
        assert to_numpy(metric.error_bound()) == pytest.approx(0, abs=1e-6)
    logits = np.array([-60, -40, -30, 30, 40, 60.0])
    assert value_of(cls(from_logits=True), (y, logits)) == pytest.approx(score(y, logits), abs=1e-6)


@OF_EACH
@pytest.mark.parametrize("sparse", [True, False], ids=["ids", "one-hot"])
def test_classes_against_the_others(cls: Any, score: Any, sparse: bool) -> None:
    rng = np.random.default_rng(2)
    ids, p = rng.integers(0, 3, 90), rng.dirichlet(np.ones(3), 90).astype("float32")
    hidden = rng.random(90) < 0.3
    y: Any = np.where(hidden, -1, ids) if sparse else np.eye(3)[ids]
    if not sparse:
        y[hidden] = NAN
    truth, p_seen, w = np.eye(3)[ids[~hidden]], p[~hidden], rng.random(90)
    for average in ("macro", "weighted", "micro", None):
        metric = cls(num_classes=3, average=average, sparse_y_true=sparse)
        found = value_of(metric, (y[:40], p[:40], w[:40]), (y[40:], p[40:], w[40:]))
        expected = score(truth, p_seen, average=average, sample_weight=w[~hidden])
        bound = to_numpy(metric.error_bound()) + 1e-6
        assert (np.abs(found - expected) <= bound).all()
        assert to_numpy(metric.support()) == pytest.approx(w[~hidden].sum())
    with pytest.raises(ValueError, match="num_classes"):
        M.PerLabel(cls(num_classes=3), ["a", "b", "c"])


def test_what_is_no_probability() -> None:
    y, p = np.array([[1.0, 0.0], [0.0, NAN]]), np.array([[3.0, -1.0], [0.5, 7.0]])
    for cls in (M.ROCAUC, M.AveragePrecision, M.BrierScore, M.D2BrierScore, M.D2LogLossScore,
                M.ExpectedCalibrationError):  # fmt: skip
        with pytest.raises(ValueError, match=r"from_logits=True.*\[-1.0, 3.0\]"):
            cls().update_state(y, p)
        assert np.isfinite(value_of(cls(from_logits=True), (y, p)))
        assert np.isnan(value_of(cls(), (y, p, np.ones(2))))  # nobody may look
        p_hidden = np.array([[0.7, 0.1], [0.5, 7.0]])
        assert np.isfinite(value_of(cls(), (y, p_hidden)))


@pytest.mark.parametrize("weights", [False, True])
def test_quantile_bins(weights: bool) -> None:
    """Each has as many labels as the others; those of scikit-learn."""
    from tests.classification_oracles import calibration_error

    rng = np.random.default_rng(0)
    p = (rng.permutation(4000)[:150] + 0.5) / 4000
    p, y = 0.02 + 0.96 * p, (rng.random(150) < p).astype("float32")
    y[::4] = NAN
    o, w = ~np.isnan(y), rng.integers(1, 3, 150).astype("float64") if weights else np.ones(150)
    for norm in ("l1", "l2", "max"):
        metric = M.ExpectedCalibrationError(bins=7, norm=norm, binning="quantile")
        found = value_of(metric, (y[:60], p[:60], w[:60]), (y[60:], p[60:], w[60:]))
        expected = calibration_error(7, norm, binning="quantile")(y[o], p[o], w[o])
        np.testing.assert_allclose(found, expected, rtol=1e-5 if not weights else 0.1)
        support = to_numpy(metric.reliability()[2])
        np.testing.assert_allclose(support, w[o].sum() / 7, atol=3)


def test_exact_metrics_have_no_bound() -> None:
    with pytest.raises(ValueError, match="no error bound"):
        M.PerLabel(M.Recall(), ["a", "b"]).error_bound()


def test_mode_must_fit() -> None:
    for options in ({"mode": "top_label"}, {"mode": "binary", "num_classes": 3}):
        with pytest.raises(ValueError, match="mode"):
            M.ExpectedCalibrationError(**options)
