"""The pieces of `examples/survey.py`, on few stars."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import keras
import numpy as np
import pytest

PATH = Path(__file__).parent.parent / "examples" / "survey.py"


@pytest.fixture(scope="module")
def survey() -> ModuleType:
    spec = importlib.util.spec_from_file_location("survey", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def stars(survey: ModuleType):
    return survey.simulate(2024, np.random.default_rng(0))


def test_data(survey: ModuleType, stars) -> None:
    """Spectra in order, and labels as far from the truth as their errors say."""
    x, y, truth = stars
    assert x.shape == (2024, survey.PIXELS + 1)
    assert y.shape == (2024, 5, 2)
    assert truth.shape == (2024, 5)
    assert all(part.dtype == "float32" for part in stars)
    assert np.isfinite(x).all()
    flux = x[:, :-1]
    assert 0.5 < flux.mean() < 0.95
    assert flux.std(axis=0).max() > 0.1  # lines that differ from star to star
    observed = y[..., 0] != survey.MISSING
    errors = y[..., 1][observed]
    assert (errors > 0).all()
    z = ((y[..., 0] - truth)[observed]) / errors
    np.testing.assert_allclose([z.mean(), z.std()], [0, 1], atol=0.05)
    # Known errors differ from label to label and from star to star.
    of_mg = y[observed[:, 3], 3, 1]
    assert np.quantile(of_mg, 0.9) > 1.8 * np.quantile(of_mg, 0.1)


def test_gaps(survey: ModuleType, stars) -> None:
    """About 30 %, both numbers at once, most where an abundance is hard to tell."""
    x, y, truth = stars
    missing = y[..., 0] == survey.MISSING
    np.testing.assert_array_equal(missing, y[..., 1] == survey.MISSING)
    assert 0.25 < missing.mean() < 0.35
    assert 0.015 < missing.all(axis=1).mean() < 0.05
    for hard in (truth[:, 0] > 5200, truth[:, 2] < -0.8, x[:, -1] < np.median(x[:, -1])):
        assert missing[hard, 3].mean() > missing[~hard, 3].mean() + 0.1


def test_loss_curves(survey: ModuleType) -> None:
    """The minimum is at the logarithm of the squared difference."""
    squares, s = np.array([0.1, 1.0, 10.0]), np.linspace(-4, 4, 801)
    curves = survey.loss_curves(squares, s)
    np.testing.assert_allclose(s[curves.argmin(axis=1)], np.log(squares), atol=0.006)
    np.testing.assert_allclose(curves.min(axis=1), (1 + np.log(squares)) / 2, atol=1e-4)


def test_residuals_are_those_of_the_metric(survey: ModuleType, stars) -> None:
    """Errors of the labels included, and none of a label that is missing."""
    spread = np.log(np.array(survey.ERRORS) ** 2) * np.ones((len(stars.y), 1))
    prediction = np.stack([stars.truth, spread], axis=-1).astype("float32")
    residual, scatter = survey.residuals(stars, prediction)
    np.testing.assert_array_equal(np.isnan(residual), stars.y[..., 0] == survey.MISSING)
    metric = survey.metrics()[3]
    metric.update_state(stars.y, prediction)
    assert float(metric.result()) == pytest.approx(np.nanstd(residual / scatter), rel=1e-4)


@pytest.mark.slow
def test_training_saving_and_picture(survey: ModuleType, stars, tmp_path: Path) -> None:
    """Learns something from a thousand stars; the model from the file says the same."""
    pytest.importorskip("matplotlib")
    few = survey.Stars(*(part[:1024] for part in stars))
    rest = survey.Stars(*(part[1024:] for part in stars))
    progress = keras.utils.Progbar(8, verbose=0)
    model, best = survey.train(few, rest, 8, 0, progress)
    assert 1 <= best <= 8
    loaded = survey.save_and_load(model, rest, tmp_path / "survey.keras")
    scores = survey.evaluate(loaded, rest)
    assert all(np.isfinite(value) for value in scores.values())
    prediction = survey.predict(loaded, rest.x)
    observed = rest.y[..., 0] != survey.MISSING
    for k, label in enumerate(survey.LABELS):
        assert f"mae/{label}" in scores
        here = observed[:, k]
        error = np.abs(prediction[here, k, 0] - rest.y[here, k, 0]).mean()
        assert scores[f"mae/{label}"] == pytest.approx(error, rel=1e-3)
    assert scores["mae/teff"] < 0.9 * np.abs(rest.truth[:, 0] - few.truth[:, 0].mean()).mean()
    assert all(title in survey.table(scores) for title in survey.TITLES)
    assert "has none" in survey.against_truth(rest, prediction)
    survey.draw(tmp_path / "survey.png", rest, prediction, scores)
    assert (tmp_path / "survey.png").stat().st_size > 10_000
