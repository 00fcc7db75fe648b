"""The `missing=` policy: which labels the user says are missing, and finding them."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np
from keras import backend, ops

from keras_masked import _backend

Tensor = Any


Marker = str | int | float


Missing = Marker | tuple[Marker, ...]


NAN = "nan"


CLASS_IDS = (-1, NAN)
"""What is missing by default among sparse class ids."""


def standardize_missing(missing: Any) -> Missing:
    """Checks `missing=` and returns it in the form that configs store.

    NaN is stored as the string `"nan"`, because a NaN in a config would make two equal configs
    compare as different.
    """
    if isinstance(missing, list | tuple):
        if not missing:
            raise ValueError(
                "Argument `missing` must name at least one value. Received an empty "
                f"{type(missing).__name__}. Pass 'nan' (the default), a number, or several of "
                "these in a tuple."
            )
        return tuple(_standardize_marker(marker) for marker in missing)
    return _standardize_marker(missing)


def _standardize_marker(marker: Any) -> Marker:
    if isinstance(marker, str) and marker.lower() == NAN:
        return NAN
    if isinstance(marker, numbers.Real | np.number) and not isinstance(marker, bool | np.bool_):
        number = marker.item() if isinstance(marker, np.number) else marker
        if isinstance(number, float) and math.isnan(number):
            return NAN
        if isinstance(number, int | float):
            return number
    raise ValueError(
        "Argument `missing` must be 'nan', a number, or a non-empty tuple of these. "
        f"Received: {marker!r} (of type {type(marker).__name__})."
    )


def join_markers(missing: Missing, marker: Marker | None) -> Missing:
    """`missing` with one more marker, such as Keras's `ignore_class`, if there is one."""
    if marker is None:
        return missing
    return (*(missing if isinstance(missing, tuple) else (missing,)), marker)


OVERFLOW: dict[str, float] = {
    "float16": 65520.0,
    "bfloat16": 2.0**128 - 2.0**119,
    "float32": 2.0**128 - 2.0**103,
    "float64": 2**1024,
}
"""From here on, numbers become infinite."""


def find_missing(labels: Tensor, missing: Missing, label_axes: int = 0) -> Tensor | None:
    """Returns a boolean tensor, true where a label is missing.

    Labels are compared before any cast, with markers rounded as they are: -9999 is -9984 in
    bfloat16, and equals the label only in that dtype. Those of float64 are compared in float32,
    since `fit` makes arrays of them so, and a marker may have been rounded before: -99.99 read from
    a file of float32 is -99.98999786. A marker that an integer dtype cannot hold matches nothing.

    Args:
        labels: Labels in the dtype in which they were received.
        missing: The `missing=` policy.
        label_axes: How many last axes form one label. It is missing if any of its entries is NaN,
            or all of them equal a number.

    Returns:
        `None` where the dtype alone tells that nothing can be missing (integer labels and
        `"nan"`, say), so that nothing is paid for masking.
    """
    dtype = backend.standardize_dtype(labels.dtype)
    found = None
    for marker in markers_of(missing):
        if not dtype_holds(dtype, marker):
            continue
        here = _equals(labels, marker, dtype)
        if label_axes:
            of_all = ops.any if marker == NAN else ops.all
            here = of_all(here, axis=tuple(range(-label_axes, 0)))
        found = here if found is None else ops.logical_or(found, here)
    return found


def find_missing_in_array(labels: np.ndarray, missing: Missing, label_axes: int = 0) -> np.ndarray:
    """As `find_missing`, of what no backend has converted yet."""
    axes = tuple(range(-label_axes, 0))
    found = np.zeros(labels.shape[: labels.ndim - label_axes], bool)
    for marker in markers_of(missing):
        if not dtype_holds(labels.dtype.name, marker):
            continue
        here = _equals_in_array(labels, marker)
        if label_axes:
            here = (np.any if marker == NAN else np.all)(here, axis=axes)
        found |= here
    return found


def markers_of(missing: Missing) -> tuple[Marker, ...]:
    """The markers that a policy names."""
    return missing if isinstance(missing, tuple) else (missing,)


def dtype_holds(dtype: str, marker: Marker) -> bool:
    """Whether labels of a dtype can be equal to a marker."""
    if backend.is_float_dtype(dtype):
        return True
    if isinstance(marker, str) or marker != marker // 1 or math.isinf(marker):
        return False
    if dtype == "bool":
        return marker in (0, 1)
    info = np.iinfo(dtype)
    return bool(info.min <= marker <= info.max)


def _equals(labels: Tensor, marker: Marker, dtype: str) -> Tensor:
    if isinstance(marker, str):
        return _backend.isnan(labels)
    if dtype == "float64" and abs(marker) < OVERFLOW["float32"]:
        labels, dtype = ops.cast(labels, "float32"), "float32"
    if dtype in ("float32", "float64"):
        # Not with a tensor of the number: `torch.compile` would then keep the result for the
        # backward pass rather than compare again, and be several times slower for it.
        here = labels == as_number(marker, dtype)
        if dtype == "float64" and not math.isinf(marker):  # infinite once it has been in float32
            here = ops.logical_or(here, labels == as_number(marker, "float32"))
        return here
    # Half precision must round the marker as it rounded the labels.
    number = as_number(marker, dtype) if backend.is_float_dtype(dtype) else int(marker)
    return ops.equal(labels, ops.convert_to_tensor(number, dtype=dtype))


def _equals_in_array(labels: np.ndarray, marker: Marker) -> np.ndarray:
    dtype = labels.dtype.name
    if isinstance(marker, str):
        return np.asarray(labels != labels)
    if not backend.is_float_dtype(dtype):
        return np.asarray(labels == labels.dtype.type(int(marker)))
    if dtype not in OVERFLOW:  # such as NumPy's long doubles
        dtype = "float64"
    if dtype == "float64" and abs(marker) < OVERFLOW["float32"]:
        dtype = "float32"
        with np.errstate(over="ignore"):
            labels = labels.astype(dtype)
    here = np.asarray(labels == np.float64(as_number(marker, dtype)).astype(labels.dtype))
    if dtype == "float64" and not math.isinf(marker):  # infinite once it has been in float32
        here |= labels == as_number(marker, "float32")
    return here


def as_number(marker: Marker, dtype: str) -> float:
    """The marker as a float, infinite where it is so in the dtype: backends have errors for it."""
    if isinstance(marker, str):
        return math.nan
    if abs(marker) < OVERFLOW[dtype]:
        return float(marker)
    return math.inf if marker > 0 else -math.inf
