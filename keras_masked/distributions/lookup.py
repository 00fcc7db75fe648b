"""Families by name, and their configurations."""

from __future__ import annotations

from typing import Any

from keras_masked import serialization
from keras_masked.distributions.base import KNOWN, Distribution


def serialize(distribution: Distribution) -> Any:
    """Returns the configuration of a distribution.

    >>> config = keras_masked.distributions.serialize(keras_masked.distributions.Gaussian())
    >>> type(keras_masked.distributions.deserialize(config)).__name__
    'Gaussian'
    """
    return serialization.serialize(distribution)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Returns the distribution of a configuration.

    >>> type(keras_masked.distributions.deserialize("gaussian")).__name__
    'Gaussian'
    """
    return serialization.deserialize(config, KNOWN, custom_objects)


def get(identifier: Any) -> Distribution:
    """Returns a distribution by name, configuration, class or instance.

    >>> type(keras_masked.distributions.get("gaussian")).__name__
    'Gaussian'

    Raises:
        ValueError: If nothing is known under this name.
    """
    found = identifier
    if isinstance(found, dict) or (isinstance(found, str) and found in KNOWN):
        found = deserialize(found)
    if isinstance(found, type) and issubclass(found, Distribution):
        found = found()
    if not isinstance(found, Distribution):
        raise ValueError(
            "Argument `distribution` must be 'gaussian', an instance of "
            "`keras_masked.distributions.Distribution`, or its configuration. "
            f"Received: distribution={identifier!r}"
        )
    return found


def get_if_any(identifier: Any) -> Distribution | None:
    """Returns a distribution as `get` does, and `None` for `None`."""
    return None if identifier is None else get(identifier)
