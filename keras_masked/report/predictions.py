"""Labels and predictions, from wherever they come, and what kind of labels they are."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_masked import distributions
from keras_masked.layers.label_streams import as_array, label_batches
from keras_masked.observation import Missing, find_missing_ends_in_array, find_missing_in_array
from keras_masked.report import drawing
from keras_masked.report.bounds import kinds_of

Array = np.ndarray
BINARY, NUMBER, CLASS, DISTRIBUTION = "binary", "number", "class", "distribution"
MOST_PICTURES = 12
"""Up to so many labels have a picture of their own."""


@dataclasses.dataclass
class Predictions:
    """Labels and predictions of whole data, in columns.

    Attributes:
        y_true: Labels `(rows, ..., columns)`; on one more axis their ends, if they are censored.
        y_pred: Predictions; of classes and distributions with one more axis.
        weight: Weights, or `None`.
        missing: Which labels are missing.
        labels: Names of the columns.
        kinds: The kind of each column.
        distribution: What is predicted, or `None`.
        from_logits: Whether predictions of 0 and 1 are logits.
        censored: Whether labels are lower and upper ends.
    """

    y_true: Array
    y_pred: Array
    weight: Array | None
    missing: Missing
    labels: list[str]
    kinds: list[str]
    distribution: Any
    from_logits: bool
    censored: bool = False

    def columns(self, kind: str) -> list[int]:
        """The columns of a kind."""
        return [c for c, each in enumerate(self.kinds) if each == kind]

    def of(self, columns: list[int]) -> tuple[Array, Array]:
        """Labels and predictions of some columns."""
        if len(columns) == len(self.labels):
            return self.y_true, self.y_pred
        axes = self.y_true.ndim - self.censored
        y_true, y_pred = (np.take(x, columns, axes - 1) for x in (self.y_true, self.y_pred))
        return y_true, y_pred

    def weights(self, columns: list[int]) -> Array | None:
        """Weights of some columns."""
        weight, axes = self.weight, self.y_true.ndim - self.censored
        if weight is None or weight.ndim < axes or weight.shape[-1] != len(self.labels):
            return weight  # of rows, or of all labels alike
        return np.asarray(weight[..., columns])

    def hidden(self, columns: list[int]) -> Array:
        """Which labels of some columns are missing."""
        find = find_missing_ends_in_array if self.censored else find_missing_in_array
        return np.asarray(find(self.of(columns)[0], self.missing))

    def bounds(self) -> Array | None:
        """How many labels of each row, column and kind of bound there are; `None` if none can be.

        Without labels' middle axes, `(rows, columns, kinds)`.
        """
        if not self.censored:
            return None
        kinds = np.moveaxis(kinds_of(self.y_true, self.missing), 0, -1)
        return np.asarray(kinds.sum(axis=tuple(range(1, kinds.ndim - 2))))

    def observed(self, column: int) -> tuple[Array, Array]:
        """The observed labels of a column, or their ends, and the predictions for them."""
        seen = ~self.hidden([column])
        y, p = self.of([column])
        return y[seen].astype("float64"), p[seen].astype("float64")

    def pictures(self) -> list[tuple[str, str]]:
        """Titles and pictures of what fits the kinds of labels."""
        found = []
        for kind, title, draw in (
            (BINARY, "Reliability: how often 1 is observed where it is predicted",
             drawing.reliability),
            (NUMBER, "Errors over predictions", drawing.residuals),
            (DISTRIBUTION, "Probability integral transform: flat if distributions hold",
             drawing.uniformity),
        ):  # fmt: skip
            columns = self.columns(kind)[:MOST_PICTURES]
            if columns:
                parts = [(self.labels[c], *self._drawable(c)) for c in columns]
                svg = drawing.svg_of(functools.partial(draw, parts), title)
                found.append((title, svg))
        return found

    def _drawable(self, column: int) -> tuple[Array, Array]:
        """Labels and predictions; of distributions the probabilities of less than their ends."""
        y, p = self.observed(column)
        if self.kinds[column] == BINARY and self.from_logits:
            p = probabilities(p)
        if self.kinds[column] == DISTRIBUTION:
            ends = (y[:, 0], y[:, 1]) if self.censored else (y, y)
            low, high = (self._probabilities(end, p) for end in ends)
            return low, high
        if self.censored:  # the nearest values that the labels can have
            y = np.clip(p, y[:, 0], y[:, 1])
        return y, p

    def _probabilities(self, y: Array, p: Array) -> Array:
        """How probable less is than labels, which may be infinite."""
        if not len(y):
            return y
        finite = np.where(np.isinf(y), 1.0, y)
        cdf = self.distribution.cdf(ops.convert_to_tensor(finite), ops.convert_to_tensor(p))
        return np.where(np.isinf(y), y > 0, np.asarray(ops.convert_to_numpy(cdf), "float64"))


def gather(
    y_true: Any,
    y_pred: Any,
    model: Any,
    data: Any,
    weight: Any,
    missing: Missing,
    labels: Sequence[str] | None,
    distribution: Any,
    batch_size: int,
    steps: int | None,
    verbose: Any,
    censored: bool = False,
) -> Predictions:
    """Brings labels and predictions together, and finds out of what kind they are."""
    if (model is None) != (data is None) or (model is None) == (y_pred is None):
        raise ValueError(
            "Give labels and predictions, `report(y_true, y_pred)`, or a model and data, "
            "`report(model=model, data=(x, y))`."
        )
    if hasattr(y_true, "columns"):
        of_both = [[str(name) for name in getattr(y, "columns", ())] for y in (y_true, y_pred)]
        if of_both[0] != of_both[1] and sorted(of_both[0]) == sorted(of_both[1]):
            raise ValueError(
                "Arguments `y_true` and `y_pred` must have their columns in the same order. "
                f"Received: {of_both[0]} and {of_both[1]}"
            )
        labels = of_both[0] if labels is None else labels
    if model is not None:
        y_true, y_pred = _predict(model, data, batch_size, steps, verbose)
    y, p = as_array(y_true, "y_true"), as_array(y_pred, "y_pred")
    if not y.ndim or not p.ndim:
        raise ValueError(
            "Arguments `y_true` and `y_pred` must have at least one axis. "
            f"Received: y_true.shape={y.shape}, y_pred.shape={p.shape}"
        )
    ends = _ends(y) if censored else None
    y = y if ends is None else ends[..., 0]
    if distribution is not None:
        distribution = distributions.get(distribution)
    one_number = distribution is None and p.ndim == y.ndim + 1 and p.shape[-1] == 1
    stacked = p.ndim > y.ndim and not one_number
    if stacked != (distribution is not None) and (censored or not stacked):
        raise ValueError(
            "Argument `y_pred` must have one number for each label, or on one more axis the "
            "parameters of a `distribution`; labels that are lower and upper ends need "
            f"`censored=True`. Received: y_pred.shape={p.shape} for labels of shape {y.shape}, "
            f"distribution={distribution!r}, censored={censored}"
        )
    if y.ndim == 1 or (not stacked and p.ndim > y.ndim):
        y = y[..., None]
    if p.ndim == y.ndim - (0 if stacked else 1) or (stacked and p.ndim == y.ndim):
        p = p[..., None, :] if stacked else p[..., None]
    if y.shape != p.shape[: y.ndim]:
        raise ValueError(
            "Arguments `y_true` and `y_pred` must have the same rows and columns; lower and upper "
            "ends of labels need `censored=True`. Received: "
            f"y_true.shape={y.shape}, y_pred.shape={p.shape}"
        )
    columns = y.shape[-1]
    names = [str(c) for c in range(columns)] if labels is None else list(labels)
    if len(names) != columns or len(set(names)) < columns or "macro" in names:
        raise ValueError(
            "Argument `labels` must name each column by a distinct string, none of them "
            f"'macro'. Received: {len(names)} names for {columns} columns: labels={names}"
        )
    if ends is not None:
        kinds = [NUMBER if distribution is None else DISTRIBUTION] * columns
    elif stacked:
        kinds = [DISTRIBUTION if distribution is not None else CLASS] * columns
    else:
        kinds = [_kind(y[..., c], missing) for c in range(columns)]
    binary = [c for c, kind in enumerate(kinds) if kind == BINARY]
    shown = ~find_missing_in_array(y[..., binary], missing)  # hidden predictions may be anything
    with np.errstate(invalid="ignore"):
        scores = p[..., binary][shown] if binary else p[:0]
        from_logits = bool(((scores < 0) | (scores > 1)).any())
    weight = None if weight is None else as_array(weight, "sample_weight")
    y = y if ends is None else ends.reshape(*y.shape, 2)
    return Predictions(y, p, weight, missing, names, kinds, distribution, from_logits, censored)


def _ends(y: Array) -> Array:
    """Labels that have lower and upper ends; raises if they have not."""
    if y.ndim < 2 or y.shape[-1] != 2:
        raise ValueError(
            "With `censored=True`, `y_true` must have the shape (rows, ..., columns, 2), lower and "
            "upper ends, which `keras_masked.censored_labels` makes; errors of labels are not "
            f"taken. Received: y_true.shape={y.shape}"
        )
    return y


def probabilities(logits: Array) -> Array:
    """The sigmoid, without overflow in float32."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -80, 80))))


def _kind(y: Array, missing: Missing) -> str:
    seen = y[~find_missing_in_array(y, missing)]
    return BINARY if len(seen) and np.isin(seen, (0, 1)).all() else NUMBER


def _predict(
    model: Any, data: Any, batch_size: int, steps: int | None, verbose: Any
) -> tuple[Array, Array]:
    """All labels and predictions of a model."""
    if isinstance(data, (tuple, list)) and len(data) in (2, 3) and hasattr(data[0], "shape"):
        x, y = data[0], data[1]
        rows = x.shape[0]
        data = [(x[i : i + batch_size], y[i : i + batch_size]) for i in range(0, rows, batch_size)]
    found = []
    for x, y in label_batches(data, None, steps, verbose, lambda batch: batch[:2]):
        p = model.predict_on_batch(x) if hasattr(model, "predict_on_batch") else model(x)
        if isinstance(p, (dict, list, tuple)) or isinstance(y, dict):
            raise ValueError(
                "Argument `model` must have one output: give the labels and predictions of each "
                f"output instead, `report(y_true, y_pred)`. Received: {type(p).__name__}"
            )
        found.append((as_array(y), as_array(ops.convert_to_numpy(p))))
    if not found:
        raise ValueError("Argument `data` holds no batches.")
    labels, predictions = zip(*found, strict=True)
    return np.concatenate(labels), np.concatenate(predictions)
