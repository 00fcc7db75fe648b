"""`register`, `get`, `serialize` and `deserialize`, shared by losses and metrics."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import keras

from keras_masked.constructors import keywords_of

T = TypeVar("T")

KERAS: dict[str, Any] = {"loss": keras.losses, "metric": keras.metrics}


def register(package: str) -> Callable[[T], T]:
    """Registers classes and functions, so that saved models load without `custom_objects`.

    Losses and metrics have a package each: in one package, a metric would replace the loss of the
    same name.
    """
    decorator: Callable[[T], T] = keras.saving.register_keras_serializable(package=package)
    return decorator


def serialize(obj: Any) -> Any:
    """Returns the configuration of an object or function, as Keras's own `serialize`."""
    return keras.saving.serialize_keras_object(obj)


def plain(options: dict[str, Any]) -> dict[str, Any]:
    """Options with objects among them as their configurations."""
    return {k: serialize(v) if hasattr(v, "get_config") else v for k, v in options.items()}


def deserialize(config: Any, known: dict[str, Any], custom_objects: dict[str, Any] | None) -> Any:
    """Returns the object of a configuration, or of a short name in `known`."""
    if isinstance(config, str):
        if config not in known:
            raise ValueError(f"Unknown name {config!r}.{near(config, known)}")
        found = known[config]
        return found() if inspect.isclass(found) else found
    # A configuration with a module says whose class it means; only short ones mean ours. Keras
    # would return a name that is not in `module_objects` as if it were an object.
    full = config.get("module") or config.get("registered_name")
    ours = None if full or config.get("class_name") not in known else known
    return keras.saving.deserialize_keras_object(
        config, custom_objects=custom_objects, module_objects=ours
    )


def get(identifier: Any, known: dict[str, Any], kind: str) -> Any:
    """Returns the object or function that a name, configuration, class or object stands for."""
    if identifier is None:
        return None
    found = identifier
    if isinstance(identifier, dict):
        found = deserialize(identifier, known, None)
    elif isinstance(identifier, str):
        found = known.get(identifier)
    if inspect.isclass(found):
        return found()
    if callable(found):
        return found
    other = {"loss": "metric", "metric": "loss"}.get(kind, "")
    if other and isinstance(identifier, str) and hasattr(KERAS[other], identifier):
        raise ValueError(f"{identifier!r} is a {other}, and no {kind}.")
    raise ValueError(
        f"Could not interpret the {kind} identifier {identifier!r}. Expected a {kind}, its "
        f"configuration, or a name.{near(identifier, known)}"
    )


def near(name: Any, known: dict[str, Any]) -> str:
    """The names most like one that is not known, or where all stand."""
    of_its_style = sorted(known, key=lambda each: each.islower() == str(name).islower())
    plain = {each.lower().replace("_", ""): each for each in of_its_style}
    key = str(name).lower().replace("_", "").replace(" ", "")
    matches = difflib.get_close_matches(key, plain, n=3, cutoff=0.7)
    if isinstance(name, str) and matches:
        return f" Did you mean {' or '.join(repr(plain[each]) for each in matches)}?"
    return f" The names: {', '.join(sorted(known))}."


def check_config_keys(cls: type, config: dict[str, Any]) -> None:
    """Raises on keys that the constructor does not take, naming them."""
    accepted = keywords_of(cls)
    unknown = sorted(set(config) - accepted)
    if unknown:
        raise ValueError(
            f"Unknown key(s) {unknown} in the config of {cls.__name__}. "
            f"Known are: {sorted(accepted)}."
        )
