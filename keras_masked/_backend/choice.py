"""Imports Keras before anything else does, to say what to do where its backend is not installed."""

from __future__ import annotations

import importlib.util
import os

try:
    import keras  # noqa: F401
except ModuleNotFoundError as error:
    BACKENDS = ("jax", "tensorflow", "torch")
    if error.name not in BACKENDS:
        raise
    chosen = (
        "KERAS_BACKEND says so" if os.environ.get("KERAS_BACKEND") else "nothing says otherwise"
    )
    installed = [name for name in BACKENDS if importlib.util.find_spec(name)]
    cure = (
        f"Installed: {', '.join(installed)}. Before keras is imported, `export KERAS_BACKEND="
        f'{installed[0]}` in the shell, or `os.environ["KERAS_BACKEND"] = "{installed[0]}"` in the '
        f"first lines of a script."
        if installed
        else "Nor is any other. Install one: `pip install jax`, say, or tensorflow, or torch; then "
        "`export KERAS_BACKEND=jax`."
    )
    raise ModuleNotFoundError(
        f"Keras takes {error.name} for its backend ({chosen}), which is not installed. {cure}",
        name=error.name,
    ) from error
