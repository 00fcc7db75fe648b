"""The pieces of `examples/vae.py`, in seconds."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import keras
import numpy as np
import pytest

pytestmark = pytest.mark.slow

PATH = Path(__file__).parent.parent / "examples" / "vae.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("vae_example", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_data(example: ModuleType) -> None:
    """Nothing of the holes is in what the model sees, and no digit is in both parts."""
    train, test = example.load(np.random.default_rng(0))
    assert (len(train.truth), len(test.truth)) == (1437, 360)
    for part in (train, test):
        gone = np.isnan(part.seen)
        assert 0.35 < gone.mean() < 0.45
        assert (gone.sum(axis=1) >= example.SQUARE**2).all()
        np.testing.assert_array_equal(part.seen[~gone], part.truth[~gone])
        assert set(part.digit) == set(range(10))


def test_error_is_that_of_the_holes(example: ModuleType) -> None:
    truth = np.array([[0.0, 1.0, 0.5]], "float32")
    digits = example.Digits(truth, np.array([[0.0, np.nan, np.nan]], "float32"), np.array([3]))
    fill = np.array([[9.0, 0.0, 0.5]])
    np.testing.assert_allclose(example.error_in_holes(digits, fill), np.sqrt(0.5), rtol=1e-6)


def test_model_learns_is_saved_and_drawn(example: ModuleType, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    keras.utils.set_random_seed(0)
    train, test = example.load(np.random.default_rng(0))
    model = example.build()
    example.fit(model, train.seen, 4)
    reconstruction = model.predict(test.seen, verbose=0)
    mean = np.broadcast_to(np.nanmean(train.seen, axis=0), test.seen.shape)
    fills = {"mean of the pixel": mean, "autoencoder": reconstruction}
    errors = {name: example.error_in_holes(test, fill) for name, fill in fills.items()}
    assert errors["autoencoder"] < errors["mean of the pixel"] < 0.32
    example.check_saved(model, test, tmp_path / "vae.keras")
    example.draw(tmp_path / "vae.png", test, fills, reconstruction, errors)
    assert (tmp_path / "vae.png").stat().st_size > 10_000
