"""`masked`: one word that makes what `compile` takes right with missing labels."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import keras

from keras_masked import _backend, losses, metrics, serialization
from keras_masked.constructors import keywords_of
from keras_masked.observation import Missing

SHAPE_DECIDES = {"accuracy": "Accuracy", "acc": "Accuracy"} | dict.fromkeys(
    ("crossentropy", "ce"), "Crossentropy"
)
"""Words for which Keras chooses a metric or a loss by the shapes that arrive."""

MODULES: dict[str, Any] = {"loss": losses, "metric": metrics}
KERAS: dict[str, Any] = {"loss": keras.losses, "metric": keras.metrics}
BASES: dict[str, type] = {"loss": keras.losses.Loss, "metric": keras.metrics.Metric}


def _by_function_name(kind: str) -> dict[str, type]:
    """The classes of this package by the names of the functions beside them."""
    classes = [each for each in vars(MODULES[kind]).values() if inspect.isclass(each)]
    return {each.default_name: each for each in classes if hasattr(each, "default_name")}


CLASSES = {kind: _by_function_name(kind) for kind in MODULES}


def masked(
    anything: Any, missing: Missing | None = None, *, kind: str | None = None, **options: Any
) -> Any:
    """Makes what `compile` takes right with missing labels, in the structure that it has.

    Each loss and metric of Keras becomes the one of that name here, with the options that it had;
    any other is wrapped in `Masked`. A string or a function is a metric in a list, and a loss
    otherwise, unless a loss or a metric stands beside it.

    Args:
        anything: A string, function, loss, metric or configuration; lists, tuples and dicts of
            these, as for several outputs; or a compiled model, for which the arguments to compile
            it again are returned.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these. By default what
            the object says, NaN if it says nothing.
        kind: `"loss"` or `"metric"`, where strings and functions alone do not tell, as in
            `loss=masked(["mse", "mae"], kind="loss")`.
        **options: Further options of each loss or metric, `average="macro"` say.

    Returns:
        The same structure of losses and metrics of this package.

    Raises:
        TypeError: If a loss or metric has no such option.
        ValueError: If something cannot be lifted; the message says why.

    Example:

    >>> model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)])
    >>> model.compile(
    ...     "sgd",
    ...     loss=keras_masked.masked("mse", missing=-9999.0),
    ...     metrics=keras_masked.masked(["mae", keras.metrics.R2Score()], missing=-9999.0),
    ... )
    >>> x, y = np.ones((2, 4)), np.array([[1.0, -9999.0, 0.5], [2.0, 1.0, -9999.0]])
    >>> sorted(model.evaluate(x, y, verbose=0, return_dict=True))
    ['loss', 'mae', 'r2_score']

    Source: none.
    """
    if kind not in (None, *MODULES):
        raise ValueError(f'Argument `kind` must be "loss" or "metric". Received: kind={kind!r}')
    if missing is not None:
        options["missing"] = missing
    if isinstance(anything, keras.Model):
        return _arguments(anything, options)
    kinds = {found for leaf in _leaves(anything) if (found := _kind_of(leaf))}
    if len(kinds) > 1:
        raise ValueError(
            "Losses and metrics together cannot be lifted: call `masked` for each. "
            f"Received: {anything!r}"
        )
    if kind and kinds - {kind}:
        raise ValueError(f"{anything!r} holds a {kinds.pop()}. Received: kind={kind!r}")
    return _lift(anything, kind or (kinds.pop() if kinds else None), options)


def _arguments(model: keras.Model, options: dict[str, Any]) -> dict[str, Any]:
    """What a model was compiled with, lifted, its optimizer as it is."""
    if not model.compiled:
        raise ValueError(
            f"The model {model.name!r} is not compiled: there is nothing to lift. Compile it, or "
            "lift its losses and metrics one by one."
        )
    found = _backend.compiled_with(model)
    for name in ("loss", "metrics", "weighted_metrics"):
        kind = "loss" if name == "loss" else "metric"
        found[name] = _lift(found[name], kind, options)
    return {**found, "optimizer": model.optimizer}


def _is_config(value: Any) -> bool:
    return isinstance(value, dict) and {"class_name", "config"} <= set(value)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, dict) and not _is_config(value):
        yield from _leaves(list(value.values()))
    else:
        yield value


def _kind_of(leaf: Any) -> str | None:
    """Whether a loss or a metric; `None` if that depends on where it stands."""
    for kind, base in BASES.items():
        if isinstance(leaf, base) or (inspect.isclass(leaf) and issubclass(leaf, base)):
            return kind
    return None


def _lift(value: Any, kind: str | None, options: dict[str, Any], listed: bool = False) -> Any:
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        lifted = [_lift(each, kind, options, listed=True) for each in value]
        return type(value)(*lifted) if hasattr(value, "_fields") else type(value)(lifted)
    if isinstance(value, dict) and not _is_config(value):
        return {name: _lift(each, kind, options, listed) for name, each in value.items()}
    return _lift_one(value, kind or ("metric" if listed else "loss"), options)


def _lift_one(leaf: Any, kind: str, options: dict[str, Any]) -> Any:
    if _is_config(leaf):
        leaf = keras.saving.deserialize_keras_object(leaf)
        kind = _kind_of(leaf) or kind
    if inspect.isclass(leaf):
        leaf = leaf()
    if isinstance(leaf, str):
        return _of_name(leaf, kind, options)
    if isinstance(leaf, BASES[kind]):
        return _of_object(leaf, kind, options)
    if callable(leaf):
        return _of_function(leaf, kind, options)
    raise ValueError(f"Expected a {kind}, its name, or a function. Received: {leaf!r}")


def _of_name(name: str, kind: str, options: dict[str, Any]) -> Any:
    if ending := SHAPE_DECIDES.get(name.lower()):
        raise ValueError(
            f"{name!r} leaves the choice of a {kind} to Keras, which makes it once it sees data. "
            f"Write which: of `keras_masked.{MODULES[kind].__name__.split('.')[-1]}`, "
            f"`Binary{ending}`, `Categorical{ending}` (one-hot labels) or "
            f"`SparseCategorical{ending}` (class ids)."
        )
    try:
        found = KERAS[kind].get(name)
    except ValueError:
        found = MODULES[kind].get(name)  # raises, naming what there is
    named = {"name": name} if kind == "metric" else {}  # the word under which Keras logs it
    if isinstance(found, BASES[kind]):
        return _of_object(found, kind, {**named, **options})
    return _of_function(found, kind, {**named, **options})


def _of_object(found: Any, kind: str, options: dict[str, Any]) -> Any:
    cls = type(found)
    if not cls.__module__.startswith("keras_masked."):
        if cls is not getattr(KERAS[kind], cls.__name__, None) or not hasattr(
            MODULES[kind], cls.__name__
        ):
            return MODULES[kind].Masked(found, **options)
        cls = getattr(MODULES[kind], cls.__name__)
    config = _backend.options_of(found)
    if "missing" not in config and "metric" in config:  # such as `PerLabel`: the metric inside says
        own = {key: value for key, value in options.items() if key in config}
        rest = {key: value for key, value in options.items() if key not in config}
        inner = _lift_one(config["metric"], kind, rest)
        return cls.from_config({**config, **own, "metric": serialization.serialize(inner)})
    if unknown := sorted(set(options) - keywords_of(cls)):
        raise TypeError(f"{cls.__name__} has no argument {unknown[0]!r}.")
    if not keras.backend.is_float_dtype(str(found.dtype)):
        del config[
            "dtype"
        ]  # of Keras's IoUs, which count in integers; ours count exactly in floats
    return cls.from_config({**config, **options})


def _of_function(function: Callable[..., Any], kind: str, options: dict[str, Any]) -> Any:
    name = getattr(function, "__name__", "")
    for module in (KERAS[kind], MODULES[kind]):
        if name in CLASSES[kind] and function is getattr(module, name, None):
            return CLASSES[kind][name](**options)
    if kind == "loss":
        return losses.Masked(function, **options)
    wrapped = keras.metrics.MeanMetricWrapper(function, name=options.pop("name", name) or None)
    return metrics.Masked(wrapped, **options)
