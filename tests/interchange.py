"""Models saved on one backend and loaded on the others.

    KERAS_BACKEND=jax python -m tests.interchange write DIRECTORY
    KERAS_BACKEND=torch python -m tests.interchange read DIRECTORY

`write` trains a few small models and saves each, beside its data and what it computes. `read`
loads the files of every backend, and fails unless each computes the same and goes on training in
the same way.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tests.interchange_models import MODELS
from tests.one_context import share_one_context

BACKEND = keras.config.backend()


def fit(
    model: keras.Model, x: np.ndarray, labels: Any, batch_size: int = 12, **options: Any
) -> dict[str, Any]:
    options = {"shuffle": False, "verbose": 0, **options}
    return dict(model.fit(x, labels, batch_size=batch_size, **options).history)


def evaluate(
    model: keras.Model, x: np.ndarray, labels: Any, batch_size: int = 12, **options: Any
) -> dict[str, Any]:
    options = {"verbose": 0, "return_dict": True, **options}
    return dict(model.evaluate(x, labels, batch_size=batch_size, **options))


def computed(model: keras.Model, x: np.ndarray, labels: Any) -> dict[str, np.ndarray]:
    """What must be the same wherever the model is loaded; trains it on, last."""
    found = {
        f"compile config, {name}": np.array(json.dumps(value, sort_keys=True))
        for name, value in model.get_compile_config().items()
    }
    found["iterations"] = np.array(int(model.optimizer.iterations.numpy()))
    for i, prediction in enumerate(keras.tree.flatten(model.predict(x, verbose=0))):
        found[f"prediction {i}"] = np.asarray(prediction)
    for name, value in evaluate(model, x, labels).items():
        found[f"evaluate {name}"] = np.asarray(value)
    if model.run_eagerly:
        return found
    fit(model, x, labels)  # with the optimizer's moments
    for i, weight in enumerate(model.get_weights()):
        found[f"weight {i} after another epoch"] = weight
    return found


def difference(actual: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> str:
    """Says what differs first, or nothing."""
    if list(actual) != list(expected):
        return f"computes {list(actual)} instead of {list(expected)}"
    for name, value in expected.items():
        if value.dtype.kind == "U":
            if value != actual[name]:
                return f"{name}: {actual[name]} instead of {value}"
        elif not np.isfinite(value).all():
            return f"{name}: not finite where it was written"
        elif not np.allclose(actual[name], value, rtol=1e-3, atol=1e-4):
            return f"{name}: off by up to {np.abs(actual[name] - value).max()}"
    return ""


def write(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, build in MODELS.items():
        model, x, labels = build(jit_compile=False)
        if not model.run_eagerly:
            fit(model, x, labels, epochs=2)
        path = directory / f"{BACKEND}-{name}.keras"
        model.save(path)
        arrays = [] if labels is None else keras.tree.flatten(labels)
        data = {f"label {i}": y for i, y in enumerate(arrays)}
        np.savez(path.with_suffix(".npz"), x=x, **data, **computed(model, x, labels))
        print(f"wrote {path.name}")
    print(f"{BACKEND}: wrote {len(MODELS)} models")


def check(path: Path) -> str:
    """Loads one file and compares; returns what differs, or an empty string."""
    with np.load(path.with_suffix(".npz")) as file:
        expected = dict(file)
    x = expected.pop("x")
    labels = [expected.pop(name) for name in list(expected) if name.startswith("label ")]
    model = keras.saving.load_model(path)
    given = labels if len(labels) > 1 else labels[0] if labels else None
    return difference(computed(model, x, given), expected)


def read(directory: Path, allow_few: bool) -> bool:
    paths = sorted(directory.glob("*.keras"))
    failed = 0
    for path in paths:
        try:
            problem = check(path)
        except Exception as error:  # what fails to load must not hide the other files
            problem = f"{type(error).__name__}: {error}"
        failed += bool(problem)
        print(f"{path.name} on {BACKEND}: {problem or 'the same'}")
    writers = {path.name.split("-")[0] for path in paths}
    others = writers - {BACKEND}
    print(f"{BACKEND}: {len(paths) - failed} of {len(paths)} files of {sorted(writers)} the same")
    if len(others) < 2 and not allow_few:
        print(f"{BACKEND}: too few, files of two other backends are expected")
        return False
    return bool(paths) and not failed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=["write", "read"])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--allow-few", action="store_true", help="do without other backends")
    options = parser.parse_args()
    share_one_context()
    if options.action == "write":
        write(options.directory)
    elif not read(options.directory, options.allow_few):
        sys.exit(1)


if __name__ == "__main__":
    main()
