"""AUC and cross-entropy on the holes of a real table, against scikit-learn on deleted data.

Only the labels are real; the predictions are drawn, and better than chance. The table is not part
of the package: without it, nothing runs here. `examples/tox21.py` trains on it.
"""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score, log_loss, precision_score, recall_score, roc_auc_score

import keras_masked as km

TABLE = Path(__file__).parents[2] / "shared" / "data" / "tox21.csv.gz"
ASSAYS = range(12)
BINS = 256  # a power of two: predictions in the middle of a bin are exact in float32

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not TABLE.is_file(), reason=f"{TABLE.name} is not there"),
]


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    """0, 1, or NaN where missing; one column per assay."""
    with gzip.open(TABLE, "rt", newline="", encoding="utf-8") as lines:
        _, *rows = csv.reader(lines)
    return np.array([[float(cell or "nan") for cell in row[: len(ASSAYS)]] for row in rows])


@pytest.fixture(scope="module")
def logits(labels: np.ndarray) -> np.ndarray:
    """Continuous predictions, crowded near probabilities of 0; for missing labels, too."""
    noise = np.random.default_rng(0).normal(size=labels.shape)
    return (2 * noise - 3 + 2 * np.nan_to_num(labels)).astype("float32")


@pytest.fixture(scope="module")
def probabilities(logits: np.ndarray) -> np.ndarray:
    """Probabilities in the middle between two of `BINS + 1` evenly spaced thresholds."""
    return (np.floor(BINS / (1 + np.exp(-logits))) + 0.5) / BINS


def deleted(labels: np.ndarray, predictions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    observed = np.isfinite(labels)
    return labels[observed], predictions[observed]


def auc_by_deletion(labels: np.ndarray, predictions: np.ndarray, assay: int) -> float:
    return float(roc_auc_score(*deleted(labels[:, assay], predictions[:, assay])))


def test_table_is_the_one_we_know(labels: np.ndarray) -> None:
    assert labels.shape == (8014, 12)
    assert np.isnan(labels).mean() == pytest.approx(0.17, abs=0.005)
    assert np.isnan(labels).any(axis=1).mean() == pytest.approx(0.61, abs=0.005)


@pytest.mark.parametrize("assay", ASSAYS)
def test_auc_of_an_assay(labels: np.ndarray, probabilities: np.ndarray, assay: int) -> None:
    metric = km.metrics.AUC(num_thresholds=BINS + 1)
    metric.update_state(labels[:, assay], probabilities[:, assay])
    expected = auc_by_deletion(labels, probabilities, assay)
    assert float(metric.result()) == pytest.approx(expected, abs=1e-5)
    assert float(metric.support()) == np.isfinite(labels[:, assay]).sum()


@pytest.mark.parametrize("assay", ASSAYS)
def test_auc_of_continuous_predictions(labels: np.ndarray, logits: np.ndarray, assay: int) -> None:
    # In steps of 0.01 in the logit, less than 0.2 % of the pairs share one: half of that is 1e-3.
    thresholds = 1 / (1 + np.exp(-np.arange(-12, 12.005, 0.01)))
    metric = km.metrics.AUC(thresholds=thresholds, from_logits=True)
    metric.update_state(labels[:, assay], logits[:, assay])
    expected = auc_by_deletion(labels, logits, assay)
    assert float(metric.result()) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("batch", [501, 8014])
def test_multi_label_auc_is_the_mean_however_split(
    labels: np.ndarray, probabilities: np.ndarray, batch: int
) -> None:
    metric = km.metrics.AUC(num_thresholds=BINS + 1, multi_label=True)
    for start in range(0, len(labels), batch):
        rows = slice(start, start + batch)
        metric.update_state(labels[rows], probabilities[rows])
    expected = np.mean([auc_by_deletion(labels, probabilities, assay) for assay in ASSAYS])
    assert float(metric.result()) == pytest.approx(expected, abs=1e-5)
    np.testing.assert_array_equal(metric.support(), np.isfinite(labels).sum(axis=0))


def test_garbage_at_missing_labels_is_not_seen(
    labels: np.ndarray, probabilities: np.ndarray
) -> None:
    garbage = np.where(np.isnan(labels), np.nan, probabilities)
    for metric in (km.metrics.AUC(multi_label=True), km.metrics.BinaryCrossentropy()):
        metric.update_state(labels, probabilities)
        expected = float(metric.result())
        metric.reset_state()
        metric.update_state(labels, garbage)
        assert float(metric.result()) == expected


@pytest.mark.parametrize("batch", [501, 8014])
def test_binary_crossentropy(labels: np.ndarray, probabilities: np.ndarray, batch: int) -> None:
    metric = km.metrics.BinaryCrossentropy()
    for start in range(0, len(labels), batch):
        rows = slice(start, start + batch)
        metric.update_state(labels[rows], probabilities[rows])
    expected = log_loss(*deleted(labels, probabilities))
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)
    loss = km.losses.BinaryCrossentropy()(labels, probabilities)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_each_assay_in_one_pass(labels: np.ndarray, probabilities: np.ndarray) -> None:
    """AUC, F1, precision and recall of each assay are scikit-learn's on deleted data."""
    names = [f"assay_{c}" for c in ASSAYS]
    said = probabilities > 0.5
    oracles = {
        "auc": (km.metrics.AUC(num_thresholds=BINS + 1), roc_auc_score, probabilities),
        "f1": (km.metrics.F1Score(threshold=0.5), f1_score, said),
        "precision": (km.metrics.Precision(), precision_score, said),
        "recall": (km.metrics.Recall(), recall_score, said),
    }
    for name, (inner, oracle, scores) in oracles.items():
        metric = km.metrics.PerLabel(inner, names, show_support=True, name=name)
        for start in range(0, len(labels), 1000):
            rows = slice(start, start + 1000)
            metric.update_state(labels[rows], probabilities[rows])
        found = {key: float(value) for key, value in metric.result().items()}
        expected = []
        for c, assay in enumerate(names):
            expected.append(oracle(*deleted(labels[:, c], scores[:, c])))
            assert found[f"{name}/support/{assay}"] == np.isfinite(labels[:, c]).sum()
        np.testing.assert_allclose([found[f"{name}/{a}"] for a in names], expected, rtol=1e-5)
        np.testing.assert_allclose(found[f"{name}/macro"], np.mean(expected), rtol=1e-5)
