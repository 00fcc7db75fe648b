"""What constructors have in common: names by default, and arguments that they pass on."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Mapping
from typing import Any

import keras

from keras_masked import _backend
from keras_masked.validation import Check

DEFAULT: Any = object()
"""Stands for what an argument is by default in the class at hand."""


class Strict:
    """Mixin: constructors take what the class admits, and nothing else."""

    admits: dict[str, Check] = {}
    """What arguments may be, those of base classes included."""
    refuses: dict[str, str] = {}
    """Arguments that others have, and why this class has not."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Has the constructor check its arguments first, as the class of the user admits them."""
        super().__init_subclass__(**kwargs)
        for base in cls.__mro__[1:]:
            cls.admits = {**base.__dict__.get("admits", {}), **cls.admits}
        if "__init__" in cls.__dict__:
            cls.__init__ = _checked(cls.__dict__["__init__"])  # type: ignore[method-assign]

    @classmethod
    def checked(cls, **options: Any) -> dict[str, Any]:
        """The options of a function, checked as the class admits them."""
        return check_options(cls.admits, **options)


def check_options(admits: Mapping[str, Check], **options: Any) -> dict[str, Any]:
    """The options of a function, checked and kept as constructors do.

    Tensors are let pass: their values may not be known yet. So is everything under PyTorch's
    compiler, to which a number that changes between calls is none.
    """
    if keras.config.backend() == "torch" and not _backend.eager_torch():
        return options
    return {
        name: value if keras.ops.is_tensor(value) else admits[name](None, name, value)
        for name, value in options.items()
    }


def _checked(constructor: Any) -> Any:
    signature = inspect.signature(constructor)
    rest = next((p.name for p in signature.parameters.values() if p.kind is p.VAR_KEYWORD), "")

    @functools.wraps(constructor)
    def check(self: Any, *args: Any, **kwargs: Any) -> None:
        cls = type(self)
        try:
            given = signature.bind(self, *args, **kwargs)
        except TypeError as error:
            check_refused(cls, kwargs)
            raise TypeError(f"{cls.__name__}: {error}. See `help({cls.__name__})`.") from None
        for arguments in (given.arguments, given.arguments.get(rest, {})):
            for name, value in arguments.items():
                if name in cls.admits and value is not DEFAULT:
                    arguments[name] = cls.admits[name](cls.__name__, name, value)
        constructor(*given.args, **given.kwargs)

    check.__signature__ = signature  # type: ignore[attr-defined]  # Keras's layers look at it
    return check


class Named(Strict):
    """Mixin: a class is named after itself, and shows the arguments that it passes on.

    Constructors take `**masking`, the keyword arguments of the base class, and pass them on. To
    `help()` and `inspect.signature` they show them one by one, and the line of the docstring that
    stands for them is replaced by theirs.
    """

    common: type
    """A `TypedDict` of these arguments, documented under `Attributes:`."""
    default_missing: Any
    default_name: str

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Names the class, and spells out its common arguments."""
        super().__init_subclass__(**kwargs)
        if "default_name" not in cls.__dict__:
            cls.default_name = snake_case(cls.__name__)
        cls.__signature__ = _signature(cls)  # type: ignore[attr-defined]
        _document_common(cls)

    def __repr__(self) -> str:
        """The call that makes an equal object: `MeanSquaredError(missing=-9999.0)`."""
        return as_call(self)


LONG = 300
"""Arguments longer than this are cut where an object is shown."""


def as_call(obj: Any) -> str:
    """The call that makes an equal object, with the arguments that differ from the defaults."""
    shown, config = [], obj.get_config()
    for name, parameter in inspect.signature(type(obj)).parameters.items():
        value = config.get(name, DEFAULT)
        if isinstance(value, dict):  # the configuration of an object within
            value = getattr(obj, name, value)
        if value is DEFAULT or _is_default(obj, name, value, parameter.default):
            continue
        text = repr(value)
        text = text if len(text) <= LONG else f"{text[:LONG]}..."
        shown.append(text if parameter.default is parameter.empty else f"{name}={text}")
    return f"{type(obj).__name__}({', '.join(shown)})"


def _is_default(obj: Any, name: str, value: Any, default: Any) -> bool:
    if default is None and name == "dtype":
        return bool(value == keras.config.floatx())
    if default is None and name == "name":  # Keras's, with a number, or that of the object within
        own = re.sub(r"_\d+$", "", str(value)).replace("_", "") == type(obj).__name__.lower()
        within = (getattr(obj, each, None) for each in ("loss", "metric"))
        return own or value in [getattr(each, "name", None) for each in within]
    if name == "reduction" and default == "as_wrapped":
        return bool(value == getattr(getattr(obj, "loss", obj), "reduction", None))
    if isinstance(value, (list, tuple)) and isinstance(default, (list, tuple)):
        return tuple(value) == tuple(default)
    return type(value) is type(default) and bool(value == default)


def snake_case(name: str) -> str:
    """`MeanSquaredError` as `mean_squared_error`, `IoULoss` as `iou_loss`."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name.replace("IoU", "iou"))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _constructors(cls: type) -> list[Any]:
    """The constructors that a call runs through, until one that passes nothing on."""
    found = []
    for base in cls.__mro__:
        if "__init__" in base.__dict__:
            found.append(base.__dict__["__init__"])
            if not any(p.kind is p.VAR_KEYWORD for p in _parameters(found[-1])):
                break
    return found


def _parameters(function: Any) -> list[inspect.Parameter]:
    return list(inspect.signature(function).parameters.values())[1:]


def keywords_of(cls: type) -> frozenset[str]:
    """The names of all arguments that the constructor of a class takes."""
    named = [p for each in _constructors(cls) for p in _parameters(each)]
    return frozenset(p.name for p in named if p.kind is not p.VAR_KEYWORD)


def check_refused(cls: Any, given: dict[str, Any]) -> None:
    """Raises `ValueError` on what a class says why it does not take."""
    for name in getattr(cls, "refuses", {}).keys() & given.keys():
        raise ValueError(
            f"{cls.__name__} has no argument `{name}`: {cls.refuses[name]} "
            f"Received: {name}={given[name]!r}"
        ) from None


def check_keywords(self: Any, given: dict[str, Any]) -> None:
    """Raises `TypeError` on arguments that no constructor of the class, or of its bases, names."""
    cls = type(self)
    named = {p.name for base in cls.__mro__ if "__init__" in base.__dict__ for p in _named(base)}
    unknown = sorted(set(given) - named)
    if unknown:
        check_refused(cls, given)
        known = ", ".join(inspect.signature(cls).parameters)
        raise TypeError(f"{cls.__name__} has no argument {unknown[0]!r}. Its arguments: {known}.")


@functools.cache
def _named(base: Any) -> tuple[inspect.Parameter, ...]:
    return tuple(p for p in _parameters(base.__init__) if p.kind is not p.VAR_KEYWORD)


def _signature(cls: type[Named]) -> inspect.Signature:
    """That of the constructor, with the common arguments in place of what stands for them."""
    own, *others = [_parameters(each) for each in _constructors(cls)]
    parameters = [p for p in own if p.kind is not p.VAR_KEYWORD]
    if len(parameters) < len(own):
        shown = {p.name for p in parameters}
        names = getattr(cls.common, "__annotations__", {})
        common = [p for each in others for p in each if p.name in names and p.name not in shown]
        parameters += list({p.name: p for p in common}.values())
    return inspect.Signature([_with_default(cls, p) for p in parameters])


def _with_default(cls: type[Named], parameter: inspect.Parameter) -> inspect.Parameter:
    if parameter.default is not DEFAULT:
        return parameter
    return parameter.replace(default=getattr(cls, f"default_{parameter.name}"))


def _document_common(cls: type[Named]) -> None:
    """Replaces the line `**masking: ...` of the docstring by the lines of each argument."""
    if cls.__doc__ and (line := re.search(r"^ *\*\*masking: .*\n", cls.__doc__, re.MULTILINE)):
        lines = ""
        # Of a `TypedDict`, Python keeps no bases: those of the class have what it adds to.
        for each in [vars(base)["common"] for base in cls.__mro__[::-1] if "common" in vars(base)]:
            text = inspect.cleandoc(each.__doc__ or "").partition("Attributes:\n")[2].rstrip()
            lines += re.sub(r"^    ", " " * 8, text, flags=re.MULTILINE) + "\n" * bool(text)
        cls.__doc__ = cls.__doc__.replace(line[0], lines)
