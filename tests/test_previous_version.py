"""What the version before had: its public names are where they were, its models load."""

import importlib
import json
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_masked as km

WRITTEN = Path(__file__).parent / "data" / "v0_1_0"
MODELS = json.loads((WRITTEN / "evaluations.json").read_text())
NAMES = json.loads((WRITTEN / "public_names.json").read_text())
HIDDEN = -12345.0  # stands for NaN, which JSON has not


@pytest.mark.parametrize("module", NAMES)
def test_public_names_are_where_they_were(module):
    found = importlib.import_module(module)
    assert [name for name in NAMES[module] if not hasattr(found, name)] == []


def test_only_public_names_are_shown():
    assert sorted(set(dir(km)) - {"__version__"}) == sorted(km.__all__)
    assert "replicas" in dir(km)


@pytest.mark.parametrize("name", MODELS["models"])
def test_models_load_and_evaluate_as_before(name):
    # Written on JAX. `compiled` holds losses and metrics as classes, functions and wrappers.
    facts = MODELS["models"][name]
    model = keras.saving.load_model(WRITTEN / f"{name}.keras")
    model.jit_compile = False  # as JAX has it; PyTorch would take seconds for each
    y_true = np.array(facts["y_true"])
    y_true[y_true == HIDDEN] = np.nan
    y_true = y_true.astype(facts["dtype"] if "int" in facts["dtype"] else "float32")
    found = model.evaluate(np.array(MODELS["x"], "float32"), y_true, verbose=0, return_dict=True)
    assert found.keys() == facts["evaluate"].keys()
    for key, wanted in facts["evaluate"].items():
        wanted = np.array([np.nan if each is None else each for each in wanted])
        np.testing.assert_allclose(np.ravel(found[key]), wanted, rtol=1e-5, err_msg=key)
