"""The pieces of `examples/rain.py`, on fields small enough for a test."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

pytestmark = pytest.mark.slow

PATH = Path(__file__).parent.parent / "examples" / "rain.py"


@pytest.fixture(scope="module")
def rain() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rain", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fields(rain: ModuleType, count: int, size: int = 12):
    return rain.simulate(count, np.random.default_rng(0), size)


def test_data(rain: ModuleType) -> None:
    """Some rain, some of it heavy, some of it not seen; nothing else is missing."""
    x, y, truth = fields(rain, 60, 48)
    assert x.shape == (60, 48, 48, 2)
    assert y.shape == truth.shape == (60, 48, 48, 1)
    assert np.isfinite(x).all()
    assert truth.min() == 0 and truth.max() <= 1
    assert 0.2 < np.mean(truth > 0) < 0.6
    assert 0.003 < np.mean(truth >= rain.level(rain.HEAVY)) < 0.03
    assert 0.15 < np.isnan(y).mean() < 0.45
    assert (np.isnan(y) | (y == truth)).all()
    # What the network sees tells of the truth, but not all.
    for channel in (0, 1):
        assert 0.3 < np.corrcoef(x[..., channel].ravel(), truth.ravel())[0, 1] < 0.9


def test_scores(rain: ModuleType) -> None:
    """By hand, and whatever is predicted where nothing is known."""
    above, below = rain.level(rain.HEAVY) + 0.1, 0.0
    y = np.full((1, 6, 6, 1), below, "float32")
    y[0, 0, :4] = above
    y[0, 5] = np.nan
    prediction = np.full_like(y, below)
    prediction[0, 0, 2:] = above  # two hits, two misses, two false alarms
    prediction[0, 5] = above
    scores = dict(zip(rain.SCORES, rain.evaluate(y, prediction, 2.0), strict=True))
    assert scores["hit rate"] == pytest.approx(0.5)
    assert scores["CSI"] == pytest.approx(1 / 3, rel=1e-5)
    assert scores["false-alarm ratio"] == pytest.approx(0.5)
    assert scores["frequency bias"] == pytest.approx(1.0)
    assert scores["CSI at bias 1"] == pytest.approx(0.0)
    assert scores["FSS"] > scores["CSI"]
    cut = rain.unbiased_threshold(y, prediction)
    assert below <= cut <= above


@pytest.mark.parametrize("way", range(3))
def test_training_and_saving(rain: ModuleType, way: int, tmp_path: Path) -> None:
    name = list(rain.WAYS)[way]
    small = fields(rain, 8)
    epochs = []
    model = rain.train(name, {"train": small}, 1, 0, lambda: epochs.append(1))
    assert len(epochs) == 1
    assert np.isfinite(rain.predict(model, small.x)).all()
    line = rain.check_saved(model, small, tmp_path / "rain.keras")
    expected = ["MeanSquaredError()", "ExponentiallyWeightedMSE(a=5)", "window=5, threshold=0.7"]
    assert expected[way] in line


def test_picture(rain: ModuleType, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    small = fields(rain, 8)
    predictions = [small.x[..., :1] * factor for factor in (0.8, 1.6, 1.2)]
    scores = [rain.evaluate(small.y, prediction, 0.7) for prediction in predictions]
    rain.draw(tmp_path / "rain.png", small, predictions, scores)
    assert (tmp_path / "rain.png").stat().st_size > 10_000
    assert all(way.replace("\n", " ") in rain.table(scores) for way in rain.WAYS)
