"""`report`: numbers of scikit-learn on deleted data, and one page that needs nothing else."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn import metrics as sk

import keras_masked as km

M = km.metrics
NAMES = ["toxic", "level", "irritant"]
DRAWS = {"replicates": 50}
needs_matplotlib = pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None, reason="matplotlib is not installed"
)


def table(rows: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Two binary columns, and one of numbers between them."""
    rng = np.random.default_rng(3)
    z = rng.normal(size=(rows, 3))
    noisy = z + rng.normal(size=z.shape)
    y = np.where([True, False, True], z > 0, z)
    p = np.where([True, False, True], 1 / (1 + np.exp(-noisy)), noisy)
    y = np.where(rng.random(y.shape) < 0.4, np.nan, y)
    return y.astype("float32"), p.astype("float32")


def deleted(y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    seen = ~np.isnan(y)
    y, p = y[seen], p[seen].astype("float64")
    if np.isin(y, (0, 1)).all():
        return {
            "auc": sk.roc_auc_score(y, p),
            "brier": sk.brier_score_loss(y, p),
            "accuracy": sk.accuracy_score(y, p > 0.5),
        }
    rmse, mae = sk.root_mean_squared_error(y, p), sk.mean_absolute_error(y, p)
    return {"rmse": rmse, "mae": mae, "r2": sk.r2_score(y, p)}


def check(row: dict[str, Any], y: np.ndarray, p: np.ndarray) -> None:
    assert row["support"] == (~np.isnan(y)).sum()
    for name, expected in deleted(y, p).items():
        assert row[name] == pytest.approx(expected, abs=1e-5, nan_ok=True)


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
