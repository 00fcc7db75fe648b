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


def find_missing(labels: Tensor, missing: Missing) -> Tensor | None:
    """Returns a boolean tensor, true where a label is missing.

    Each marker is cast to the dtype of the labels and compared there, so call this before any
    cast: -9999 is -9984 in bfloat16, and equals the label only in that dtype. A marker that
    an integer dtype cannot hold matches nothing.

    Returns:
        `None` where the dtype alone tells that nothing can be missing (integer labels and
        `"nan"`, say), so that nothing is paid for masking.
    """
    dtype = backend.standardize_dtype(labels.dtype)
    markers = missing if isinstance(missing, tuple) else (missing,)
    found = None
    for marker in markers:
        if not _dtype_holds(dtype, marker):
            continue
        if marker == NAN:
            here = _backend.isnan(labels)
        elif dtype in ("float32", "float64"):
            # Not with a tensor of the number: `torch.compile` would then keep the result for the
            # backward pass rather than compare again, and be several times slower for it.
            here = labels == marker
        else:  # half precision must round the marker as it rounded the labels
            here = ops.equal(labels, ops.convert_to_tensor(marker, dtype=dtype))
        found = here if found is None else ops.logical_or(found, here)
    return found


def _dtype_holds(dtype: str, marker: Marker) -> bool:
    if backend.is_float_dtype(dtype):
        return True
    if isinstance(marker, str) or marker != marker // 1 or math.isinf(marker):
        return False
    if dtype == "bool":
        return marker in (0, 1)
    info = np.iinfo(dtype)
    return bool(info.min <= marker <= info.max)


def check_narrowing(received: Any, labels: Tensor, missing: Missing) -> None:
    """Raises where the backend's conversion has lost a marker: JAX narrows int64 to int32."""
    before = getattr(received, "dtype", None)
    after = backend.standardize_dtype(labels.dtype)
    if before is None or backend.standardize_dtype(before) == after:
        return
    for marker in missing if isinstance(missing, tuple) else (missing,):
        if _dtype_holds(backend.standardize_dtype(before), marker) > _dtype_holds(after, marker):
            raise ValueError(
                f"`missing={marker!r}` does not fit {after}, to which the backend converts "
                f"`y_true` of dtype {before}. Use a smaller marker, or float labels with NaN."
            )


def check_class_ids(received: Any, missing: Missing, classes: int) -> None:
    """Raises on ids outside the classes, where values are at hand: in arrays that are no tensors.

    Elsewhere such an id makes the result NaN.
    """
    if not isinstance(received, (np.ndarray, list, tuple)):  # a union breaks PyTorch's graph
        return
    ids = np.asarray(received)
    if ids.dtype.kind not in "iuf":
        return
    outside = ~((ids >= 0) & (ids < classes))
    for marker in missing if isinstance(missing, tuple) else (missing,):
        if _dtype_holds(ids.dtype.name, marker):
            outside &= ~np.isnan(ids) if marker == NAN else ids != np.array(marker, ids.dtype)
    if outside.any():
        raise ValueError(
            f"`y_true` holds class ids outside 0 ... {classes - 1} that `missing={missing!r}` does "
            f"not name. Received: {np.unique(ids[outside])[:5].tolist()}"
        )


def reject_masked_arrays(**arrays: Any) -> None:
    """Raises on NumPy masked arrays: the backends read the data under the mask as labels."""
    for name, array in arrays.items():
        if isinstance(array, np.ma.MaskedArray):
            raise ValueError(
                f"Argument `{name}` is a numpy masked array, whose mask no Keras backend sees. "
                "Mark the missing entries in the data instead, for example with "
                f"`{name}.astype('float32').filled(np.nan)`."
            )
