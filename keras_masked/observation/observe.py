"""What a loss or metric may see of its inputs: labels, predictions, and which of them count."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from keras import backend, ops

from keras_masked import _backend
from keras_masked.formulas import NUMBER, Labels, nearest
from keras_masked.observation import shapes
from keras_masked.observation.censored import (
    check_ends,
    receive_ends,
    take_ends_apart,
    with_ends,
)
from keras_masked.observation.hiding import Hidden
from keras_masked.observation.missing import Missing, find_missing
from keras_masked.observation.received import (
    at_hand,
    check_class_ids,
    check_domain,
    receive_labels,
    warn_if_swapped,
)
from keras_masked.observation.rejected import reject_arrays
from keras_masked.observation.shapes import move_to_end
from keras_masked.observation.stacked import (
    align_errors,
    align_parameters,
    standardize_errors,
    take_apart,
)

Tensor = Any


WITH_AXES = ("y_true", "y_pred", "observed", "weight", "error", "upper")
"""What an observation holds with the axes of the labels."""


@dataclasses.dataclass(frozen=True)
class Observation:
    """Aligned inputs and their masks.

    Attributes:
        y_true: Labels, in the dtype of the computation (class ids: as received).
        y_pred: Predictions, in the dtype of the computation.
        observed: Boolean tensor of the labels' shape: neither missing nor masked. `None` where
            that is known of every label.
        weight: Weights of the labels' shape, 0 where a label is not observed, or `None`.
        dtype: The dtype of what is returned to the user.
        holes: Boolean tensor of the shape of `y_true`, true for the missing entries of labels of
            which others are observed, or `None`.
        error: Standard deviations of the labels' errors, where labels come with them, or `None`.
        upper: Of censored labels the upper ends, of which `y_true` holds the lower ones, or `None`.
        one_column: Whether the model put out an axis of one behind the labels, which is no longer
            here: all labels are one column, whatever lies on their last axis.
    """

    y_true: Tensor
    y_pred: Tensor
    observed: Tensor | None
    weight: Tensor | None
    dtype: str
    holes: Tensor | None = None
    error: Tensor | None = None
    upper: Tensor | None = None
    one_column: bool = False

    @property
    def target(self) -> Tensor:
        """What predictions are compared with: labels, or the nearest values that they can have."""
        if self.upper is None:
            return self.y_true
        return nearest(self.y_true, self.upper, self.y_pred)

    @property
    def hidden(self) -> Hidden | None:
        """Where neither label nor prediction may be seen, as a function; `None` if nowhere."""
        if self.weight is not None:
            return lambda: self.weight == 0.0  # no tensor: see `find_missing`
        if self.observed is not None:
            return lambda: ops.logical_not(self.observed)
        return None

    @property
    def weights(self) -> Tensor:
        """Weights in any case, of labels of a single entry each: 1 where nothing else is said."""
        if self.weight is not None:
            return self.weight
        if self.observed is not None:
            return ops.cast(self.observed, self.y_pred.dtype)
        return ops.ones_like(self.y_pred)

    def in_columns(self) -> Observation:
        """The observation with the columns on the last axis of the labels, if need be one of one.

        Keras's squeeze rule makes of labels `(B, T)` and predictions `(B, T, 1)`, as recurrent
        layers put them out, T columns, and of `(B, T, 1)` twice a single one.
        """
        if not self.one_column:
            return self
        axis = len(self.y_true.shape)  # before the parameters of stacked predictions
        expanded: dict[str, Any] = {}
        for name in WITH_AXES:
            x = getattr(self, name)
            expanded[name] = x if x is None else ops.expand_dims(x, axis)
        return dataclasses.replace(self, **expanded)

    def restrict(self, mask: Tensor) -> Observation:
        """The observation without the labels where `mask`, of the labels' shape, is false."""
        mask = ops.cast(mask, "bool")
        observed = mask if self.observed is None else ops.logical_and(self.observed, mask)
        weight = self.weight
        if weight is not None:
            weight = ops.where(mask, weight, ops.zeros_like(weight))
        return dataclasses.replace(self, observed=observed, weight=weight)

    def weighted(self, sample_weight: Tensor | None, losses: Tensor) -> Observation:
        """The observation with weights of the shape of `losses`, which some formula made.

        As in Keras, a single loss can have several weights; it is then repeated.
        """
        if sample_weight is None:
            return self
        weight = ops.convert_to_tensor(sample_weight, dtype=losses.dtype)
        if len(losses.shape):
            weight = shapes.expand_from_left(weight, tuple(losses.shape), name="sample_weight")
            weight = ops.broadcast_to(weight, ops.shape(losses))
        observed = self.observed
        if observed is not None:
            observed = ops.broadcast_to(observed, ops.shape(weight))
            weight = ops.where(observed, weight, ops.zeros_like(weight))
        return dataclasses.replace(self, observed=observed, weight=weight)


def compute_dtype(dtype: str) -> str:
    """Half precision computes in float32: a slope of 1 / p overflows float16 at p = 1e-5."""
    return "float32" if dtype in ("float16", "bfloat16") else dtype


def observe(
    y_true: Tensor,
    y_pred: Tensor,
    sample_weight: Tensor | None = None,
    label: Labels = NUMBER,
    *,
    missing: Missing,
    dtype: str | None = None,
    error: Tensor | None = None,
) -> Observation:
    """Finds what is observed, aligns shapes, and expands masks and weights from the left.

    Args:
        y_true: Labels.
        y_pred: Predictions, which may carry a Keras mask.
        sample_weight: Scalar, one value per row, or one per label.
        label: What a label is.
        missing: The `missing=` policy.
        dtype: The dtype of the result; by default that of `y_pred`, as in Keras's functions.
        error: The errors of the labels, where they come apart.
    """
    if label.stacked:
        apart = take_ends_apart if label.censored else take_apart
        value, error, first = apart(y_true, y_pred, error, label.errors)
        seen = observe(
            value, first, sample_weight, label.of_first_parameter, missing=missing, dtype=dtype
        )
        known = seen.weight is None and _backend.get_keras_mask(first) is None
        first = seen.y_pred
        seen = dataclasses.replace(seen, y_pred=align_parameters(y_pred, first))
        if error is None:
            return seen
        value = value[..., 0] if label.censored else value
        error, certain = standardize_errors(error, value, missing, known)
        error = ops.cast(align_errors(error, first), seen.y_pred.dtype)
        seen = dataclasses.replace(seen, error=error)
        return seen if certain is None else seen.restrict(align_errors(certain, first))
    if label.censored:
        return observe_ends(y_true, y_pred, sample_weight, label, missing, dtype)
    axis = label.axis
    reject_arrays(y_pred=y_pred, sample_weight=sample_weight)
    mask = _backend.get_keras_mask(y_pred)
    received, y_true = y_true, receive_labels(y_true, missing)
    class_ids = label.class_ids or (label.by_shape and holds_class_ids(y_true, y_pred))
    warn_if_swapped(received, y_pred, missing)
    known = mask is None and sample_weight is None and at_hand(received)  # these may hide anything
    y_pred = ops.convert_to_tensor(y_pred)
    if dtype is None:
        dtype = backend.standardize_dtype(y_pred.dtype)
        dtype = dtype if backend.is_float_dtype(dtype) else backend.floatx()
    y_pred = ops.cast(y_pred, compute_dtype(dtype))
    put_out = len(y_pred.shape)
    if class_ids:
        rank = put_out
        y_true, y_pred = move_to_end(y_true, axis, rank), move_to_end(y_pred, axis, rank)
        y_true = shapes.align_class_ids(y_true, y_pred)
        if known and not label.any_id:
            check_class_ids(received, missing, y_pred.shape[-1] + label.more_classes)
    else:
        y_true, y_pred = shapes.align_labels(y_true, y_pred)
        rank = len(y_pred.shape)
        if rank == 0:
            raise ValueError(
                "`y_true` and `y_pred` must have at least one axis. "
                f"Received: y_pred.shape={tuple(y_pred.shape)}"
            )
        y_true, y_pred = move_to_end(y_true, axis, rank), move_to_end(y_pred, axis, rank)

    entries = 0 if class_ids or label.pairwise else label.axes
    absent, holes = find_missing(y_true, missing, entries), None
    if label.pairwise and absent is not None:
        holes, absent = absent, ops.all(absent, axis=tuple(range(-label.axes, 0)))
    one_column = not label.axes and axis in (-1, rank - 1) and put_out == rank + 1
    if not class_ids:
        y_true = ops.cast(y_true, compute_dtype(dtype))
        if label.domain is not None:
            if known:
                check_domain(received, missing, label.domain)
            else:
                impossible = ops.logical_not(label.domain.holds(y_true))
                y_true = _backend.set_where(impossible, y_true, float("nan"))
    static = tuple(y_pred.shape[: rank - label.axes])
    dynamic = tuple(ops.shape(y_pred)[: rank - label.axes])

    def expand(x: Tensor, name: str) -> Tensor:
        x = x if label.axes else move_to_end(x, axis, rank)
        return ops.broadcast_to(shapes.expand_from_left(x, static, name=name), dynamic)

    observed = None if absent is None else ops.logical_not(absent)
    if mask is not None:
        mask = expand(ops.cast(ops.convert_to_tensor(mask), "bool"), "mask")
        observed = mask if observed is None else ops.logical_and(observed, mask)
    weight = None
    if sample_weight is not None:
        weight = expand(ops.convert_to_tensor(sample_weight, dtype=y_pred.dtype), "sample_weight")
        if observed is not None:
            # Also where a weight is NaN: it belongs to a label that nobody looks at.
            weight = ops.where(observed, weight, ops.zeros_like(weight))
    return Observation(y_true, y_pred, observed, weight, dtype, holes, one_column=one_column)


def observe_ends(
    y_true: Tensor,
    y_pred: Tensor,
    sample_weight: Tensor | None,
    label: Labels,
    missing: Missing,
    dtype: str | None,
) -> Observation:
    """As `observe`, of labels `(..., labels, 2)`: their lower and upper ends."""
    if sample_weight is None and _backend.get_keras_mask(y_pred) is None:
        check_ends(y_true, missing, label.domain)
    ends = receive_ends(y_true, y_pred, missing)
    plain = dataclasses.replace(label, censored=False, domain=None)
    seen = observe(ends[..., 0], y_pred, sample_weight, plain, missing=(), dtype=dtype)
    bounded: Observation = with_ends(seen, ends, missing, label.domain)
    return bounded


def holds_class_ids(y_true: Tensor, y_pred: Tensor) -> bool:
    """Whether `y_true` has the shape of class ids, rather than of vectors, for `y_pred`."""
    y_true, y_pred = (_shape(x) for x in (y_true, y_pred))
    if len(y_true) == len(y_pred):
        return len(y_true) > 0 and y_true[-1] == 1 and y_pred[-1] != 1
    return len(y_true) == len(y_pred) - 1


def _shape(x: Tensor) -> tuple[Any, ...]:
    return tuple(np.shape(x)) if isinstance(x, (list, tuple)) else tuple(ops.shape(x))
