"""Packages that only looking needs."""

from __future__ import annotations

import importlib
from typing import Any


def require(name: str, what: str) -> Any:
    """Imports an optional package, or says how to install it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise ImportError(
            f"{what} needs {package}, which is not installed: "
            f"`pip install keras_masked[report]`, or `pip install {package}`."
        ) from error
