"""`ByGroup`: every group as if it were alone, however data are split."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import r2_score

import keras_masked as km
from tests.backend import tensor, to_numpy
from tests.interval_data import EVERY, KINDS, LABELS, ROWS, binary, ends, result_of, table

M = km.metrics


def groups() -> np.ndarray:
    """Of 12 and 13 rows: JAX compiles for each number of rows."""
    return np.random.default_rng(5).permutation(ROWS) % 7


@EVERY
def test_each_group_as_if_alone(kind: str) -> None:
    make, of_classes = KINDS[kind]
    y, p = table()
    y, p = (x + np.float32(1000) * (groups()[:, None] == 3) for x in (y, p))  # far from the others
    y, p = binary(y, p) if of_classes else (y, p)
    for metric in (make(), M.PerLabel(make(), LABELS)):
        found = M.ByGroup(metric, 7)
        for rows in (slice(0, 45), slice(45, 90)):
            found.update_state(y[rows], p[rows], groups=groups()[rows])
        scores = to_numpy(found.scores()).reshape(-1, 7)
        for g in range(7):
            expected = result_of(metric, y[groups() == g], p[groups() == g])
            np.testing.assert_allclose(scores[:, g], expected, rtol=2e-5)
        np.testing.assert_array_equal(ends(found), scores.ravel())
        assert len(found.logged()) == scores.size


def test_ten_thousand_groups_of_deleted_rows() -> None:
    rng = np.random.default_rng(0)
    y, ids = rng.normal(size=20_000), rng.integers(0, 10_000, 20_000)
    y[rng.random(y.shape) < 0.3] = np.nan
    p = np.zeros_like(y)
    metric = M.ByGroup(M.MeanAbsoluteError(), 10_000)
    metric.update_state(y, p, groups=ids)
    seen = ~np.isnan(y)
    total = np.bincount(ids[seen], np.abs(y[seen]), minlength=10_000)
    count = np.bincount(ids[seen], minlength=10_000)
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(to_numpy(metric.scores()), total / count, rtol=1e-5)
    np.testing.assert_array_equal(to_numpy(metric.support()), count)


def test_names_of_groups_and_none() -> None:
    y, p = table()
    named = np.array(["south", "north", "elsewhere"])[groups() % 3]
    metric = M.ByGroup(M.PerLabel(M.R2Score(name="r2"), LABELS), ["north", "south"])
    other = type(metric).from_config(metric.get_config())
    metric.update_state(y[:40], p[:40], groups=named[:40])
    other.update_state(y[40:], p[40:], groups=list(named[40:]))
    metric.merge_state([other])
    found = dict(zip(metric.logged(), ends(metric), strict=True))
    for name in ("north", "south"):
        for c, label in enumerate(LABELS):
            rows = (named == name) & ~np.isnan(y[:, c])
            expected = r2_score(y[rows, c], p[rows, c])
            assert found[f"r2/{label}/{name}"] == pytest.approx(expected, rel=1e-4, abs=1e-6)
    tensors = M.ByGroup(M.MeanSquaredError(), 2)
    kept = groups() % 3 < 2
    tensors.update_state(y, p, groups=tensor(np.where(kept, groups() % 3, -1), "int32"))
    assert float(np.sum(to_numpy(tensors.support()))) == (~np.isnan(y[kept])).sum()
    assert np.isfinite(to_numpy(tensors.scores())).all()
    tensors.update_state(y, p, groups=tensor(groups() % 3, "int32"))  # 2 is no group
    assert np.isnan(to_numpy(tensors.scores())).all()


def test_bad_groups() -> None:
    y, p = table()
    metric = M.ByGroup(M.MeanSquaredError(), 3)
    for wrong in (None, groups(), groups()[:5] % 3, groups() * 0.5, tensor(groups() * 0.5)):
        with pytest.raises(ValueError, match="`groups`"):
            metric.update_state(y, p, groups=wrong)
    with pytest.raises(ValueError, match="`groups`"):
        M.ByGroup(M.MeanSquaredError(), 10_001)
