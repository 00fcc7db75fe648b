"""`report`: numbers of scikit-learn on deleted data."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from sklearn import metrics as sk

import keras_masked as km
from keras_masked.metrics.rows import drawn_array
from keras_masked.report import draws
from tests.report_data import DRAWS, NAMES, check, deleted, table

M = km.metrics


def test_every_number_is_of_scikit_learn_on_deleted_data() -> None:
    y, p = table()
    found = km.report(y, p, labels=NAMES, **DRAWS)
    assert found.metrics == ["auc", "brier", "accuracy", "rmse", "mae", "r2"]
    assert [row["label"] for row in found.rows] == [*NAMES, "macro"]
    for c, row in enumerate(found.rows[:3]):
        check(row, y[:, c], p[:, c])
        for name in deleted(y[:, c], p[:, c]):
            assert row[f"{name}/lower"] <= row[name] <= row[f"{name}/upper"]
    macro = np.mean([found.rows[c]["auc"] for c in (0, 2)])
    assert found.rows[3]["auc"] == pytest.approx(macro)
    assert np.isnan(found.rows[0]["rmse"]) and np.isnan(found.rows[1]["auc"])


def test_intervals_are_those_of_the_metric() -> None:
    y, p = table()
    found = km.report(y, p, [M.MeanSquaredError(name="m")], NAMES, missing="nan", seed=4, **DRAWS)
    metric = M.WithInterval(M.PerLabel(M.MeanSquaredError(name="m"), NAMES), seed=4, replicates=50)
    metric.update_state(y, p)
    expected = {key: float(value) for key, value in metric.result().items()}
    for row in found.rows:
        for end in ("", "/lower", "/upper"):
            key = f"m/{row['label']}{end}"
            assert row[f"m{end}"] == pytest.approx(expected[key], rel=1e-4)


def test_areas_of_replicates_are_those_of_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    """With ties and weights; the same if few replicates are drawn at once."""
    y, p = table()
    y, p, w = y[:, ::2], np.round(p[:, ::2], 1), np.arange(len(y)) % 4 + 0.5
    y[np.flatnonzero(y[:, 1] == 1)[2:], 1] = np.nan  # of two positives, some replicates have none
    options = {"labels": ["a", "b"], "sample_weight": w, "replicates": 25, "seed": 3}
    found = km.report(y, p, **options)
    counts = drawn_array(np.arange(len(y)), 25, 3)
    for c, row in enumerate(found.rows[:2]):
        ways = []
        for n in counts.T:
            seen = ~np.isnan(y[:, c]) & (n > 0)
            if len(set(y[seen, c])) == 2:
                score = sk.roc_auc_score(y[seen, c], p[seen, c], sample_weight=(n * w)[seen])
                ways.append(score)
        assert (len(ways) < 25) == (c == 1)
        ends = np.quantile(ways, [0.025, 0.975])
        np.testing.assert_allclose([row["auc/lower"], row["auc/upper"]], ends, atol=1e-5)
    monkeypatch.setattr(draws, "KEPT", 2000)
    again = km.report(y, p, **options)
    for row, other in zip(found.rows, again.rows, strict=True):
        assert {k: pytest.approx(v, abs=1e-5) for k, v in row.items() if k != "label"} == {
            k: v for k, v in other.items() if k != "label"
        }


def test_logits_markers_and_weights() -> None:
    y, p = table()
    y, p = y[:, ::2], p[:, ::2]
    marked = np.where(np.isnan(y), -1, y)
    found = km.report(marked, np.log(p / (1 - p)), missing=-1, labels=["a", "b"], **DRAWS)
    for c in range(2):
        check(found.rows[c], y[:, c], p[:, c])
    w = np.arange(len(y)) % 3.0
    found = km.report(y, p, sample_weight=w, confidence_level=None)
    assert found.header == ["label", "support", "auc", "brier", "accuracy"]
    seen = ~np.isnan(y[:, 0])
    expected = sk.roc_auc_score(y[seen, 0], p[seen, 0], sample_weight=w[seen])
    assert found.rows[0]["auc"] == pytest.approx(expected, abs=1e-5)


def test_weights_of_labels_of_several_kinds() -> None:
    y, p = table()
    w = np.random.default_rng(1).random(y.shape)
    found = km.report(y, p, labels=NAMES, sample_weight=w, confidence_level=None)
    for c, name, score in ((0, "auc", sk.roc_auc_score), (1, "mae", sk.mean_absolute_error)):
        seen = ~np.isnan(y[:, c])
        expected = score(y[seen, c], p[seen, c], sample_weight=w[seen, c])
        assert found.rows[c][name] == pytest.approx(expected, abs=1e-5)
        assert found.rows[c]["support"] == pytest.approx(w[seen, c].sum(), rel=1e-5)


def test_predictions_of_missing_labels_do_not_say_what_the_others_are() -> None:
    """Garbage there must not pass for logits, of which probabilities would be made again."""
    y, p = table()
    expected = km.report(y, p, labels=NAMES, confidence_level=None).rows
    for garbage in (-5.0, 1e30, -np.inf):
        found = km.report(y, np.where(np.isnan(y), garbage, p), labels=NAMES, confidence_level=None)
        assert found.rows == expected
    ids, scores = np.arange(60) % 5 - 1, np.random.default_rng(0).dirichlet(np.ones(4), 60)
    expected = km.report(ids, scores, missing=-1, confidence_level=None).rows
    scores[ids < 0] = 1e30
    assert km.report(ids, scores, missing=-1, confidence_level=None).rows == expected


def test_classes_and_distributions() -> None:
    rng = np.random.default_rng(0)
    ids, scores = rng.integers(-1, 4, 60), rng.dirichlet(np.ones(4), 60)
    found = km.report(ids, scores, missing=(-1, "nan"), **DRAWS)
    seen = ids >= 0
    assert found.metrics == ["accuracy", "cross-entropy"]
    expected = sk.accuracy_score(ids[seen], scores[seen].argmax(axis=1))
    assert found.rows[0]["accuracy"] == pytest.approx(expected)
    loss = sk.log_loss(ids[seen], scores[seen])
    assert found.rows[0]["cross-entropy"] == pytest.approx(loss, rel=1e-4)
    counts = rng.poisson(3, (40, 2))
    found = km.report(counts, np.log(np.full((40, 2, 1), 3.0)), distribution="poisson", **DRAWS)
    rmse = sk.root_mean_squared_error(counts[:, 1], np.full(40, 3.0))
    assert found.metrics[0] == "nll" and found.rows[1]["rmse"] == pytest.approx(rmse, rel=1e-4)
    y, p = table()
    gaussian = np.stack([p, np.zeros_like(p)], axis=-1)
    found = km.report(y, gaussian, distribution="gaussian", labels=NAMES, **DRAWS)
    assert found.metrics == ["nll", "rmse", "coverage 90%"]
    seen = ~np.isnan(y[:, 1])
    rmse = sk.root_mean_squared_error(y[seen, 1], p[seen, 1])
    assert found.rows[1]["rmse"] == pytest.approx(rmse, rel=1e-4)
    assert found.rows[1]["rmse/lower"] < rmse < found.rows[1]["rmse/upper"]


ONCE = pytest.mark.skipif(
    keras.config.backend() == "jax", reason="seconds of compilation for what NumPy puts together"
)


@pytest.mark.parametrize("number", [3, pytest.param(30, marks=ONCE)])
def test_groups(number: int) -> None:
    y, p = table(40 * number)
    groups = np.array([f"g{i:02}" for i in range(number)])[np.arange(40 * number) % number]
    found = km.report(y, p, labels=NAMES, groups=groups, **DRAWS)
    assert len(found.rows) == 4 * (number + 1)
    check(found.rows[0], y[:, 0], p[:, 0])
    for row in found.rows:
        if row["group"] != "all" and row["label"] != "macro":
            c, of_group = NAMES.index(row["label"]), groups == row["group"]
            check(row, y[of_group, c], p[of_group, c])
            assert np.isfinite(row["rmse/lower"]) == (number == 3 and c == 1)


def test_of_a_model_and_batches() -> None:
    y, p = table()
    model = keras.Sequential([keras.Input((3,)), keras.layers.Identity()])
    whole = km.report(y, p, labels=NAMES, **DRAWS)
    batches = [(p[:50], y[:50]), (p[50:], y[50:])]
    for data in ((p, y), batches):
        found = km.report(model=model, data=data, labels=NAMES, verbose=0, **DRAWS)
        assert str(found) == str(whole)


def test_metrics_without_intervals() -> None:
    y, p = table()
    asked = [M.MedianAbsoluteDeviation(name="mad", capacity=500), M.PerLabel(M.R2Score(), NAMES)]
    found = km.report(y, p, asked, NAMES, **DRAWS)
    seen = ~np.isnan(y[:, 1])
    mad = np.median(np.abs(y[seen, 1] - p[seen, 1]))
    assert found.rows[1]["mad"] == pytest.approx(mad, rel=1e-5)
    assert np.isnan(found.rows[1]["mad/lower"]) and np.isfinite(found.rows[1]["r2_score/lower"])


def test_bad_arguments() -> None:
    pandas = pytest.importorskip("pandas")
    y, p = (pandas.DataFrame(x, columns=list(NAMES)) for x in table())
    with pytest.raises(ValueError, match="same order"):
        km.report(y, p[p.columns[::-1]])
    y, p = table()
    with pytest.raises(ValueError, match="model and data"):
        km.report(y)
    with pytest.raises(ValueError, match="`y_true` and `y_pred`"):
        km.report(y, p[:, :2])
    with pytest.raises(ValueError, match="`labels`"):
        km.report(y, p, labels=["a", "b", "macro"])
    with pytest.raises(ValueError, match="parameters of a `distribution`"):
        km.report(y, p, distribution="gaussian")
    with pytest.raises(ValueError, match="`groups`"):
        km.report(y, p, groups=[1, 2], **DRAWS)
    with pytest.raises(ValueError, match="`metrics`"):
        km.report(y, p, [keras.metrics.Precision()], **DRAWS)
