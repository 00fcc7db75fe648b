"""One row of the case table: a public loss or metric under one set of options; and its data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray


@dataclasses.dataclass(frozen=True)
class Case:
    """One public object under one set of options.

    Attributes:
        make: Builds ours; takes `missing=`, `reduction=` (losses), `dtype=` and so on.
        keras: Builds Keras's of the same name, if there is one.
        data: Draws labels and predictions.
        oracle: Of a loss: label losses of deleted data. Of a metric: its value on deleted data.
        label_axes: How many axes of `y_pred` are one label.
        stacked: Whether the last of them holds parameters.
        blind: Whether the value is the same for any prediction.
        row_weight: What a row weighs, where it has a value: (labels, weights) -> weight.
        represents: The kind of row that this one stands for: see `tests/laws.py`.
        without: Laws that this row cannot have, by the name of the test (`test_x`, or
            `test_x@torch` on one backend), and why. A reason that names a file has a test there.
        no_best: Whether the best value of a metric is in the middle.
        infinite: The value at an infinite prediction, where it is not that of Keras.
        half_error: How far a metric may be off in half precision beside its relative rounding:
            (data, precision) -> error.
        class_ids: Whether labels are class ids.
        per_column: Whether the value is a mean over columns that each have one.
        per_row: Whether the value is a mean over rows that each have one.
        empty: The value where nothing is observed.
        keras_weighs_rows: Whether Keras's takes weights of shape `(batch,)`.
        class_wise: Whether classes are columns of their own, so that labels can have none.
        min_rank: How many axes the labels must have.
        covers: The public name.
    """

    covers: str
    make: Callable[..., Any]
    data: Callable[..., tuple[Array, Array]]
    oracle: Callable[..., Any]
    keras: Callable[..., Any] | None = None
    label: str = ""
    label_axes: int = 0
    class_ids: bool = False
    per_column: bool = False
    per_row: bool = False
    empty: float = np.nan
    wrapped: bool = False
    keras_weighs_rows: bool = True
    class_wise: bool = False
    min_rank: int = 1
    stacked: bool = False
    blind: bool = False
    represents: str = ""
    row_weight: Callable[[Array, Array], float] = lambda y, w: float(np.mean(w))
    without: dict[str, str] = dataclasses.field(default_factory=dict, hash=False)
    no_best: bool = False
    infinite: float | None = None
    half_error: Callable[[Draw, float], float] = lambda data, precision: 0.0

    def __str__(self) -> str:
        return self.covers + (f"-{self.label}" if self.label else "")

    @property
    def rows_are_labels(self) -> bool:
        return self.label_axes > self.stacked

    @property
    def vector(self) -> bool:
        """Whether one label is a vector in `y_true`."""
        return self.label_axes > self.stacked and not self.class_ids

    @property
    def logits(self) -> bool:
        """Whether predictions are logits."""
        return "logits" in self.label


def with_options(cls: Any, **options: Any) -> Callable[..., Any]:
    return lambda **kwargs: cls(**options, **kwargs)


def wrapping(cls: Any, inner: Callable[[], Any], **options: Any) -> Callable[..., Any]:
    return lambda **kwargs: cls(inner(), **options, **kwargs)


VECTOR = {"label_axes": 1}
STACKED = {"label_axes": 1, "stacked": True}
STACKED_VECTOR = {"label_axes": 2, "stacked": True}
NO_SLOPE = {"test_gradient_of_labels": "class ids have no gradient"}
ITS_OWN = {"test_half_gradients_are_finite": "the wrapped formula's own affair",
           "test_counters_do_not_saturate": "the wrapped metric's own affair"}  # fmt: skip
TOP_K = {"test_infinite_predictions_are_as_in_keras@tensorflow":
         "TensorFlow's op calls every row with an infinity wrong"}  # fmt: skip
ARGMAX = dict.fromkeys(("test_visibility", "test_divergence_stays_visible"),
                       "Keras's own argmax swallows NaN: a listed limit")  # fmt: skip
IDS = {"label_axes": 1, "class_ids": True, "without": NO_SLOPE}
LOGITS = {"from_logits": True}
SMOOTH = {"label_smoothing": 0.2}


LABELS = (5, 5)
"""Shape of the labels in most laws: as many rows as columns, so that axes mixed up show."""


@dataclasses.dataclass
class Draw:
    """Complete data, and which labels to take away."""

    y: Array
    p: Array
    observed: Array

    def with_missing(self, marker: float = np.nan) -> Array:
        """Labels with `marker` where missing."""
        y = self.y.copy()
        y[~self.observed] = marker
        return y


def draw(case: Case, shape: tuple[int, ...] = LABELS, seed: int = 0, missing: float = 0.4) -> Draw:
    """Labels and predictions in float32 (as float64 values), of which some are to be missing."""
    rng = np.random.default_rng(seed)
    y, p = case.data(rng, shape)
    # The same for every row of the table: JAX compiles deleted data once for each number of labels.
    observed = np.random.default_rng([seed, len(shape), 1]).random(shape) >= missing
    if len(shape) > 1 and missing:
        observed[0] = False  # a row with no label
        observed[1] = True
    if case.per_column:
        observed[1:3] = True
        y[1:3] = np.array([0.0, 1.0]).reshape(-1, *(1,) * (y.ndim - 1))
    return Draw(y.astype("float32"), p.astype("float32"), observed)
