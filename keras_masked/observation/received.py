"""What can be said of labels and predictions only as long as they are arrays of NumPy, or lists."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from keras import backend

from keras_masked import _backend
from keras_masked.formulas import Domain, Labels
from keras_masked.formulas.labels import UNIT
from keras_masked.observation.missing import (
    OVERFLOW,
    Missing,
    dtype_holds,
    find_missing_in_array,
    markers_of,
)
from keras_masked.observation.rejected import reject_arrays

Tensor = Any


def receive_labels(labels: Any, missing: Missing, name: str = "y_true") -> Tensor:
    """A tensor of labels in their own dtype, in which markers are found.

    Raises `ValueError` on what holds no numbers (`rejected.py`), and on what no backend would
    notice: markers or labels that become other numbers in the backend's dtype.
    """
    reject_arrays(**{name: labels})
    tensor = _backend.as_received(labels)
    _check_narrowing(labels, tensor, missing, name)
    return tensor


def at_hand(labels: Any) -> bool:
    """Whether values can be looked at for nothing: those of arrays that are no tensors."""
    return isinstance(labels, (np.ndarray, list, tuple))  # a union breaks PyTorch's graph


def as_array_of_numbers(labels: Any) -> np.ndarray | None:
    """Labels that are at hand as an array of numbers."""
    array = np.asarray(labels) if at_hand(labels) else None
    if array is None or array.dtype.kind in "iufb" or backend.is_float_dtype(array.dtype.name):
        return array
    return None


def _check_narrowing(labels: Any, tensor: Tensor, missing: Missing, name: str) -> None:
    """Raises where the backend's dtype cannot hold what is given: JAX narrows int64 to int32."""
    given = getattr(labels, "dtype", None)
    after = backend.standardize_dtype(tensor.dtype)
    if given is None or backend.standardize_dtype(given) == after:
        return
    before = backend.standardize_dtype(given)
    for marker in markers_of(missing):
        if dtype_holds(before, marker) > dtype_holds(after, marker):
            raise ValueError(
                f"`missing={marker!r}` does not fit {after}, to which the backend converts "
                f"`{name}` of dtype {before}. Use a smaller marker, or float labels with NaN."
            )
    array = as_array_of_numbers(labels)
    if array is None:
        return
    lost = None
    if array.dtype.kind in "iu" and backend.is_int_dtype(after):
        limits = np.iinfo(after)
        lost = (array < limits.min) | (array > limits.max)
    elif after == "float32" and any(
        not isinstance(marker, str) and abs(marker) >= OVERFLOW[after]
        for marker in markers_of(missing)
    ):
        lost = (np.abs(array) >= OVERFLOW[after]) & np.isfinite(array)
        lost &= ~find_missing_in_array(array, missing)
    if lost is not None and lost.any():
        raise ValueError(
            f"`{name}` of dtype {before} holds labels that do not fit {after}, to which the "
            f"backend converts it. Received: {np.unique(array[lost])[:5].tolist()}"
        )


def warn_if_swapped(y_true: Any, y_pred: Any, missing: Missing) -> None:
    """Warns where both are at hand, and what means a missing label is among predictions alone.

    Keras's argument order is the reverse of PyTorch's. A model that has diverged looks the same,
    which is why nothing is raised. Of numbers, those near 0 are predicted in earnest.
    """
    if not (at_hand(y_pred) and at_hand(y_true)):
        return
    predictions, labels = as_array_of_numbers(y_pred), as_array_of_numbers(y_true)
    if predictions is None or labels is None:
        return
    telling = tuple(m for m in markers_of(missing) if isinstance(m, str) or abs(m) > 1)
    if not find_missing_in_array(predictions, telling).any():
        return
    if not find_missing_in_array(labels, missing).any():
        warnings.warn(
            f"`y_pred` holds what `missing={missing!r}` says of labels, and `y_true` does not. "
            "Either the model has diverged, or the arguments are swapped: labels come first, "
            "(y_true, y_pred).",
            stacklevel=2,
        )


def check_class_ids(received: Any, missing: Missing, classes: int) -> None:
    """Raises on ids outside the classes, where values are at hand: in arrays that are no tensors.

    Elsewhere such an id makes the result NaN.
    """

    def inside(ids: np.ndarray) -> np.ndarray:
        return np.asarray((ids >= 0) & (ids < classes) & (ids == np.floor(ids)))

    _check(received, missing, inside, f"class ids outside 0 ... {classes - 1}, or between two,", "")


def check_domain(received: Any, missing: Missing, domain: Domain) -> None:
    """Raises on labels of impossible values where values are at hand; elsewhere they are NaN."""

    def inside(labels: np.ndarray) -> np.ndarray:
        return np.asarray(domain.holds(labels) | (labels != labels))  # NaN speaks for itself

    cure = " If they mean that nothing is known, name them: `missing={first}`."
    _check(received, missing, inside, f"labels that are not {domain.name} and", cure)


def check_probabilities(
    y_true: Any, y_pred: Any, sample_weight: Any, missing: Missing, label: Labels
) -> None:
    """Raises on finite predictions that are no probabilities, of labels that may not be hidden.

    Where values are at hand, and neither weights nor a Keras mask may hide anything; elsewhere
    such predictions make the result NaN.
    """
    p, y = as_array_of_numbers(y_pred), as_array_of_numbers(y_true)
    if p is None or y is None or sample_weight is not None:
        return
    outside = np.isfinite(p) & ~UNIT.holds(p)
    if not outside.any():
        return
    absent = find_missing_in_array(y, missing)
    if label.axes and not label.class_ids:
        absent = np.asarray(absent.any(axis=-1, keepdims=True))
    if absent.ndim < p.ndim:
        absent = absent[..., None]
    if absent.ndim == p.ndim:
        outside &= ~absent
    if outside.any():
        raise ValueError(
            "`y_pred` must hold probabilities, in [0, 1]; of logits say `from_logits=True`. "
            f"Received: {np.unique(p[outside])[:5].tolist()}"
        )


def check_errors(errors: Any, labels: Any, missing: Missing) -> bool:
    """Raises on negative errors of observed labels where values of both are at hand.

    Returns:
        Whether that is so, and all errors are finite, too: nothing is left to look at.
    """
    e = np.asarray(errors) if isinstance(errors, (int, float)) else as_array_of_numbers(errors)
    y = as_array_of_numbers(labels)
    if e is None or (y is None and e.size > 1):
        return False
    negative = (e < 0) & ~find_missing_in_array(e, missing)
    if negative.any() and e.size > 1:  # else of all labels
        assert y is not None
        if y.size == e.size:
            negative &= ~find_missing_in_array(y, missing).reshape(e.shape)
    if negative.any():
        raise ValueError(
            "Errors of labels are standard deviations and must not be negative, unless `missing` "
            f"names them: `missing={missing!r}`. Received: {np.unique(e[negative])[:5].tolist()}"
        )
    return bool(np.isfinite(e).all())


def _check(
    received: Any,
    missing: Missing,
    inside: Callable[[np.ndarray], np.ndarray],
    what: str,
    cure: str,
) -> None:
    labels = as_array_of_numbers(received)
    if labels is None:
        return
    outside = ~inside(labels)
    if not outside.any():
        return
    outside &= ~find_missing_in_array(labels, missing)
    if outside.any():
        found = np.unique(labels[outside])[:5].tolist()
        raise ValueError(
            f"`y_true` holds {what} that `missing={missing!r}` does not name. "
            f"Received: {found}.{cure.format(first=found[0])}"
        )
