"""Intersection over union of classes, from a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import backend, ops

from keras_masked import _backend
from keras_masked.formulas.labels import NUMBER, VECTOR
from keras_masked.metrics.accumulator import sums_dtype
from keras_masked.metrics.base import MaskedMetric, defined_mean, quotient, register
from keras_masked.metrics.contingency import contingency_table, greatest
from keras_masked.observation import (
    CLASS_IDS,
    NAN,
    Missing,
    Observation,
    align_labels,
    check_class_ids,
    find_missing,
    join_markers,
    observe,
    receive_labels,
    reject_arrays,
)
from keras_masked.validation import (
    BOOLEAN,
    CLASS_ID,
    FINITE,
    INTEGER,
    POSITIVE_INTEGER,
    optional,
    several,
)

Tensor = Any


@register
class IoU(MaskedMetric):
    r"""Intersection over union, averaged over the target classes.

    $$M = \frac{1}{|T|} \sum_{c \in T} \frac{C_{cc}}{\sum_k C_{ck} + \sum_k C_{kc} - C_{cc}}, \quad
      C_{jk} = \sum_i o_i w_i \, [y_i = j, \, p_i = k]$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. Target classes that
    occur neither among the observed labels nor the predictions made for them leave the mean; NaN if
    all do.

    Args:
        num_classes: Number of classes.
        target_class_ids: The classes whose mean is taken.
        name: Name of the metric.
        dtype: Dtype of the result.
        ignore_class: One more id that is missing, as in Keras.
        sparse_y_true: Whether labels are ids; else vectors, whose greatest entry is that of the
            class, and missing if any entry is NaN or all equal a marker.
        sparse_y_pred: Whether predictions are ids; else one score per class.
        axis: The axis of the classes, where not sparse.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ...)`, with an axis of classes where not sparse; the
    result is a scalar.

    Raises:
        ValueError: If a target class, or an id that is at hand and not named missing, is none of
            the classes. Elsewhere such an id makes the result NaN.

    Example:

    >>> metric = keras_masked.metrics.IoU(num_classes=2, target_class_ids=[0])
    >>> metric.update_state(np.array([0, 0, 1, 1, -1]), np.array([0, 1, 0, 1, 0]))
    >>> round(float(metric.result()), 4)  # 1 / (2 + 2 - 1)
    0.3333

    Source: `keras.metrics.IoU`.
    """

    _direction = "up"

    admits = {
        "num_classes": POSITIVE_INTEGER,
        "target_class_ids": several(CLASS_ID),
        "ignore_class": optional(INTEGER),
        "sparse_y_true": BOOLEAN,
        "sparse_y_pred": BOOLEAN,
        "axis": INTEGER,
    }

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
        *,
        missing: Missing = CLASS_IDS,
    ) -> None:
        targets = [int(each) for each in target_class_ids]
        if max(targets) >= num_classes or min(targets) < 0:
            raise ValueError(
                f"{type(self).__name__}: target class id {max(targets)} is out of range, which is "
                f"[0, {num_classes}). "
                f"Received: target_class_ids={targets}"
            )
        super().__init__(
            name,
            dtype,
            missing=missing,
            num_classes=num_classes,
            target_class_ids=targets,
            ignore_class=ignore_class,
            sparse_y_true=sparse_y_true,
            sparse_y_pred=sparse_y_pred,
            axis=axis,
        )
        self.target_class_ids = self._options["target_class_ids"] = targets  # a list, as in Keras
        self.label = NUMBER if sparse_y_pred else VECTOR
        self._state = self.accumulator((num_classes, num_classes))

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Adds a batch.

        Args:
            y_true: Labels, some of them missing.
            y_pred: Predictions.
            sample_weight: Weights: a scalar, one per row, or one per label.
        """
        seen = self.observe(y_true, y_pred, sample_weight)
        self._state.add(contingency_table(seen, self.num_classes, self.num_classes))

    def observe(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Observation:
        """Finds what is observed, and makes ids of vectors."""
        reject_arrays(y_true=y_true, y_pred=y_pred, sample_weight=sample_weight)
        mask = _backend.get_keras_mask(y_pred)
        missing = join_markers(self.missing, self.ignore_class)
        if not self.sparse_y_true and not self.sparse_y_pred:
            align_labels(_backend.as_received(y_true), ops.convert_to_tensor(y_pred))
        if self.sparse_y_true:
            if mask is None and sample_weight is None:  # these may hide any id
                check_class_ids(y_true, missing, self.num_classes)
        else:
            y_true, missing = self._dense_labels(y_true), join_markers(NAN, self.ignore_class)
        y_pred = ops.stop_gradient(ops.convert_to_tensor(self._class_of(y_pred)))
        if not self.sparse_y_pred:
            y_pred = greatest(y_pred, self.axis)
        if mask is not None:
            _backend.set_keras_mask(y_pred, mask)
        return observe(y_true, y_pred, sample_weight, missing=missing, dtype=sums_dtype(self))

    def _class_of(self, y_pred: Tensor) -> Tensor:
        """The class that each prediction says, or its scores."""
        return y_pred

    def _dense_labels(self, y_true: Tensor) -> Tensor:
        """Ids of label vectors, NaN where missing."""
        y_true = receive_labels(y_true, self.missing)
        absent = find_missing(ops.moveaxis(y_true, self.axis, -1), self.missing, label_axes=1)
        ids = greatest(y_true, self.axis)
        if absent is None:
            return ids
        return ops.where(absent, ops.full_like(ids, float("nan")), ids)

    def result(self) -> Tensor:
        """Returns the mean over the target classes that occur, NaN if none does."""
        both, union = self._of_targets()
        # A label or prediction that is not a number could belong to any class.
        ious = quotient(both, union) + ops.zeros_like(union) * ops.sum(self._state.value)
        value = defined_mean(ious, ops.ones_like(ious), ops.not_equal(union, 0))
        return ops.cast(value, self.dtype)

    def is_defined(self) -> Tensor:
        """Whether any target class occurs, or could: what is not a number may be of any."""
        occurs = ops.any(ops.not_equal(self._of_targets()[1], 0))
        return ops.logical_or(occurs, ops.isnan(ops.sum(self._state.value)))

    def _of_targets(self) -> tuple[Tensor, Tensor]:
        """How many labels are of each target class in both, and in either."""
        counts = self._state.value
        both = ops.diagonal(counts)
        union = ops.sum(counts, axis=0) + ops.sum(counts, axis=1) - both
        targets = ops.convert_to_tensor(list(self.target_class_ids), dtype="int32")
        return ops.take(both, targets, axis=0), ops.take(union, targets, axis=0)

    @property
    def total_cm(self) -> Tensor:
        """The confusion matrix: labels down, predictions across."""
        return self._state.value

    def support(self) -> Tensor:
        """Returns how many labels the result rests on: the sum of their weights, if any."""
        return ops.sum(self._state.value)


@register
class BinaryIoU(IoU):
    r"""Intersection over union of binary labels, averaged over the target classes 0 and 1.

    $$M = \frac{1}{|T|} \sum_{c \in T} \frac{C_{cc}}{\sum_k C_{ck} + \sum_k C_{kc} - C_{cc}}, \quad
      C_{jk} = \sum_i o_i w_i \, [y_i = j, \, (p_i \ge t) = k]$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. Target classes that
    occur neither among the observed labels nor the predictions made for them leave the mean; NaN if
    all do.

    Args:
        target_class_ids: The classes whose mean is taken: `[0]`, `[1]` or `[0, 1]`.
        threshold: Predictions from it on say 1.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ...)`; the result is a scalar.

    Raises:
        ValueError: If a target class is neither 0 nor 1, or a label that is at hand.

    Example:

    >>> metric = keras_masked.metrics.BinaryIoU(target_class_ids=[1], threshold=0.3)
    >>> metric.update_state(np.array([0, 1, 0, 1, -1]), np.array([0.1, 0.2, 0.4, 0.7, 0.9]))
    >>> round(float(metric.result()), 4)  # 1 / (2 + 2 - 1)
    0.3333

    Source: `keras.metrics.BinaryIoU`.
    """

    admits = {"threshold": FINITE}

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
        *,
        missing: Missing = CLASS_IDS,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype, missing=missing)
        self.threshold = threshold

    def _class_of(self, y_pred: Tensor) -> Tensor:
        y_pred = ops.convert_to_tensor(y_pred)
        if not backend.is_float_dtype(backend.standardize_dtype(y_pred.dtype)):
            y_pred = ops.cast(y_pred, "float32")
        predicted_positive = ops.cast(y_pred >= self.threshold, "float32")
        unknown = ops.full_like(predicted_positive, float("nan"))
        return ops.where(ops.isnan(y_pred), unknown, predicted_positive)

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs to build an equal metric."""
        return {
            "name": self.name,
            "dtype": self.dtype,
            "missing": self.missing,
            "target_class_ids": self._options["target_class_ids"],
            "threshold": self.threshold,
        }


@register
class MeanIoU(IoU):
    r"""Intersection over union, averaged over all classes.

    $$M = \frac{1}{K} \sum_{c} \frac{C_{cc}}{\sum_k C_{ck} + \sum_k C_{kc} - C_{cc}}, \quad
      C_{jk} = \sum_i o_i w_i \, [y_i = j, \, p_i = k]$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. Classes that occur
    neither among the observed labels nor the predictions made for them leave the mean; NaN if all
    do.

    Args:
        num_classes: Number of classes.
        name: Name of the metric.
        dtype: Dtype of the result.
        ignore_class: One more id that is missing, as in Keras.
        sparse_y_true: Whether labels are ids; else vectors, whose greatest entry is that of the
            class, and missing if any entry is NaN or all equal a marker.
        sparse_y_pred: Whether predictions are ids; else one score per class.
        axis: The axis of the classes, where not sparse.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ...)`, with an axis of classes where not sparse; the
    result is a scalar.

    Raises:
        ValueError: If an id that is at hand and not named missing is none of the classes.
            Elsewhere such an id makes the result NaN.

    Example:

    >>> metric = keras_masked.metrics.MeanIoU(num_classes=2)
    >>> metric.update_state(np.array([0, 0, 1, 1, -1]), np.array([0, 1, 0, 1, 0]))
    >>> round(float(metric.result()), 4)  # (1 / 3 + 1 / 3) / 2
    0.3333

    Source: `keras.metrics.MeanIoU`.
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
        *,
        missing: Missing = CLASS_IDS,
    ) -> None:
        super().__init__(
            num_classes,
            range(num_classes),
            name,
            dtype,
            ignore_class,
            sparse_y_true,
            sparse_y_pred,
            axis,
            missing=missing,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs to build an equal metric."""
        config = super().get_config()
        del config["target_class_ids"]
        return config
