"""The pieces of `examples/language_model.py`, on a few passages."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

PATH = Path(__file__).parent.parent / "examples" / "language_model.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("language_model", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_data(example: ModuleType) -> None:
    """Ids are the tokens that follow; prompts and padding are ignored; frequencies say little."""
    words, texts = example.read()
    train, test = example.passages(texts, len(words), seed=0)
    assert 2000 < len(words) < 4000
    assert len(train[0]) > 8 * len(test[0]) > 1000
    for tokens, ids in (train, test):
        observed = ids[:, :-1] != example.IGNORED
        np.testing.assert_array_equal(ids[:, :-1][observed], tokens[:, 1:][observed])
        assert (ids[:, : example.PROMPT // 2] == example.IGNORED).all()
        assert (ids[tokens == example.PADDING] == example.IGNORED).all()
        assert 0.5 < np.mean(ids != example.IGNORED) < 0.7
    assert 100 < example.by_frequency(train[1], test[1]) < len(words)
    assert example.text(np.array([2, 2]), ["", "?", "word"]) == "word word"


@pytest.mark.slow
def test_training(example: ModuleType) -> None:
    """A little is learnt of a few passages, and the model says words."""
    words, texts = example.read()
    train, _ = example.passages(texts, len(words), seed=0)
    few = [part[:128] for part in train]
    model, predictor = example.build(len(words), seed=0)
    before = model.evaluate(few, verbose=0, return_dict=True)
    model.fit(few, batch_size=32, epochs=3, verbose=0)
    after = model.evaluate(few, verbose=0, return_dict=True)
    assert after["perplexity"] < 0.5 * before["perplexity"]
    given, said = example.complete(predictor, few[0][0], np.random.default_rng(0))
    assert len(given) == len(said) == example.PROMPT // 2
    assert said.min() > example.UNKNOWN
