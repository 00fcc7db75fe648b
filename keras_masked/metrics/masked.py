"""`Masked`: any other metric, lifted over missing labels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
from keras import ops

from keras_masked import _backend, serialization
from keras_masked.formulas import Labels
from keras_masked.losses import masked as losses
from keras_masked.metrics.base import MaskedMetric, register
from keras_masked.observation import NAN, Missing, replace
from keras_masked.validation import FILL, LABEL_AXES

Tensor = Any

OF_ROWS = ("PearsonCorrelation", "ConcordanceCorrelation", "CosineSimilarity")
"""Keras metrics whose value for a row is no mean over its labels."""

OF_VECTORS = (
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "KLDivergence",
    "OneHotIoU",
    "OneHotMeanIoU",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
)
"""Keras metrics of a whole vector, which make no sense of single entries."""

FUNCTIONS_OF_VECTORS = (
    "categorical_accuracy",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
)
"""Keras functions of a whole vector beside those that are losses."""

OF_VALUES = (keras.metrics.Mean.update_state, keras.metrics.Sum.update_state)
"""Of Keras metrics without labels and predictions, and of subclasses that leave it so."""

BATCH_DETECTING = ("Hinge", "SquaredHinge")
"""Keras metrics that look for 0/1 labels in the whole batch: a fill of 0.5 would hide them."""


@register
class Masked(MaskedMetric):
    """Lifts another Keras or third-party metric.

    Labels are flattened to `(n, 1)`, or to `(n, classes)` with `label_axes=1`, and passed on with
    a weight of 0 and a `fill` where hidden. So the metric must take `sample_weight`, and treat an
    entry of weight 0 as absent; whether it does cannot be checked from outside.

    Args:
        metric: A `keras.metrics.Metric`.
        label_axes: How many last axes of `y_pred` form one label: 0 for element-wise metrics, 1
            for metrics of vectors (one-hot labels, class ids).
        fill: What stands in for hidden (labels, predictions): numbers or vectors that the wrapped
            metric can compute with.
        name: Name of the metric; by default, that of the wrapped one.
        dtype: Dtype of the result; by default, that of the wrapped metric.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)` with `label_axes=0`; with `label_axes=1`,
    `y_pred` `(batch, ..., classes)` and `y_true` of that shape or without the last axis.

    Raises:
        ValueError: If the wrapped metric is known not to treat weight 0 as absent, is one of
            ours, or needs `label_axes=1`.

    Example:

    >>> metric = keras_masked.metrics.Masked(keras.metrics.Precision())
    >>> y_true = np.array([[1.0, np.nan], [0.0, 1.0]])
    >>> y_pred = np.array([[0.9, 0.8], [0.7, 0.1]])
    >>> metric.update_state(y_true, y_pred)
    >>> float(metric.result())  # of 0.9 and 0.7, one is right
    0.5

    Source: none; the counterpart of `keras_masked.losses.Masked`.
    """

    refuses = {
        "censored": "what is wrapped takes one number a label, and knows of no bounds. Use a "
        "metric of keras_masked with that argument."
    }
    admits = {"label_axes": LABEL_AXES, "fill": FILL}

    def __init__(
        self,
        metric: keras.metrics.Metric,
        label_axes: int = 0,
        fill: tuple[Any, Any] = (0.5, 0.5),
        name: str | None = None,
        dtype: Any = None,
        *,
        missing: Missing = NAN,
    ) -> None:
        check_wrapped(metric, label_axes, fill)
        if dtype is None and keras.backend.is_float_dtype(
            metric.dtype
        ):  # ids are counted in integers
            dtype = metric.dtype
        super().__init__(name or metric.name, dtype, missing=missing)
        self.metric = metric
        self.label_axes = label_axes
        # Nobody knows which ids the wrapped metric takes.
        self.label = Labels(axes=label_axes, by_shape=label_axes == 1, any_id=True)
        self._fill = tuple(fill)
        if hasattr(metric, "_direction"):
            self._direction = metric._direction
        self._count = self.accumulator()

    @property
    def fill(self) -> tuple[Any, Any]:
        """What stands in for hidden (labels, predictions)."""
        return (self._fill[0], self._fill[1])

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
        weight = seen.weight
        if weight is None and seen.observed is not None:
            whole = "int" in self.metric.dtype  # a count, which warns of other weights
            weight = ops.cast(seen.observed, "int32" if whole else seen.y_pred.dtype)
        last = seen.y_pred.shape[-1] if self.label_axes else 1
        y_true = replace(seen.y_true, seen.hidden, self.fill[0])
        y_true = ops.reshape(
            y_true, (-1, last if len(seen.y_true.shape) == len(seen.y_pred.shape) else 1)
        )
        y_pred = ops.reshape(replace(seen.y_pred, seen.hidden, self.fill[1]), (-1, last))
        if weight is not None:
            weight = ops.reshape(weight, (-1,))
        self.metric.update_state(y_true, y_pred, sample_weight=weight)
        if weight is not None:
            self._count.add(ops.sum(weight))
        else:
            self._count.add(ops.sum(ops.ones_like(y_pred[:, 0])))

    def result(self) -> Any:
        """Returns the wrapped metric's result, NaN where nothing has been observed."""
        nothing = ops.equal(self._count.value, 0)

        def known(value: Tensor) -> Tensor:
            value = ops.convert_to_tensor(value)
            if not keras.backend.is_float_dtype(keras.backend.standardize_dtype(value.dtype)):
                return value
            if keras.backend.is_float_dtype(self.dtype):
                value = ops.cast(value, self.dtype)
            return ops.where(nothing, ops.full_like(value, float("nan")), value)

        return keras.tree.map_structure(known, self.metric.result())

    def support(self) -> Tensor:
        """Returns how many labels the result rests on: the sum of their weights, if any."""
        return self._count.value

    def reset_state(self) -> None:
        """Resets the wrapped metric, in its own way, and the count."""
        self.metric.reset_state()
        self._count.reset()

    def merge_state(self, metrics: Iterable[MaskedMetric]) -> None:
        """Adds the variables of other metrics, which Keras takes for sums, too.

        Args:
            metrics: Metrics of the same class and options, around the same metric.

        Raises:
            ValueError: If one is of another class, or has other options.
        """
        metrics = list(metrics)
        super().merge_state(metrics)
        for other in metrics:
            assert isinstance(other, Masked)
            theirs = zip(self.metric.variables, other.metric.variables, strict=True)
            for mine, variable in theirs:
                mine.assign(mine + ops.convert_to_tensor(variable))

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs, the wrapped metric included."""
        config = {"metric": serialization.serialize(self.metric), "label_axes": self.label_axes}
        return {**super().get_config(), **config, "fill": self.fill}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Masked:
        """Builds the metric from its config."""
        wrapped = keras.saving.deserialize_keras_object(config["metric"])
        metric = super().from_config({**config, "metric": wrapped})
        assert isinstance(metric, cls)
        return metric


def check_wrapped(metric: Any, label_axes: int, fill: Any) -> None:
    """Raises on what cannot be lifted."""
    if not isinstance(metric, keras.metrics.Metric):
        raise ValueError(
            "Argument `metric` must be an instance of `keras.metrics.Metric`. "
            f"Received: metric={metric!r}"
        )
    if isinstance(metric, MaskedMetric):
        raise ValueError(f"Argument `metric` is masked already. Received: metric={metric!r}")
    if type(metric).update_state in OF_VALUES:
        raise ValueError(f"{metric!r} takes no labels and predictions.")
    if label_axes == 0 and _is_keras(metric, OF_VECTORS + OF_ROWS):
        raise ValueError(
            f"{metric!r} is a metric of whole vectors. Pass `label_axes=1`. Received: label_axes=0"
        )
    if _is_keras(metric, BATCH_DETECTING) and fill[0] != 1:
        raise ValueError(
            f"{metric!r} looks for 0/1 labels in the whole batch, hidden ones included. "
            f"Pass `fill=(1, 0.5)`. Received: fill={fill!r}"
        )
    if isinstance(metric, keras.metrics.MeanMetricWrapper):
        check_function(_backend.function_of(metric), label_axes, fill)


def check_function(fn: Any, label_axes: int, fill: Any) -> None:
    """Raises on Keras's functions and losses that would give something else of single labels."""
    if losses.is_keras(fn, losses.ACROSS_ROWS):
        raise ValueError(
            f"{fn!r} cannot be averaged over labels: its value for one depends on the others."
        )
    name = getattr(fn, "__name__", "")
    of_vectors = name in FUNCTIONS_OF_VECTORS and getattr(keras.metrics, name, None) is fn
    if label_axes == 0 and (of_vectors or losses.is_keras(fn, losses.OF_VECTORS)):
        raise ValueError(
            f"{fn!r} is a function of whole vectors. Pass `label_axes=1`. Received: label_axes=0"
        )
    if losses.is_keras(fn, losses.BATCH_DETECTING) and fill[0] != 1:
        raise ValueError(
            f"{fn!r} looks for 0/1 labels in the whole batch, hidden ones included. "
            f"Pass `fill=(1, 0.5)`. Received: fill={fill!r}"
        )


def _is_keras(metric: Any, names: tuple[str, ...]) -> bool:
    """Whether `metric` is one of Keras's metrics of these names."""
    found = [getattr(keras.metrics, name, None) for name in names]
    return isinstance(metric, tuple(cls for cls in found if cls is not None))
