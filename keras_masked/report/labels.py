"""`describe_labels`: what to know of labels before training on them."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from keras_masked.layers.label_streams import (
    as_array,
    features_of,
    label_batches,
    labels_of,
)
from keras_masked.observation import NAN, Missing, standardize_missing
from keras_masked.report import drawing, tables
from keras_masked.report.bounds import KINDS
from keras_masked.report.optional import require
from keras_masked.report.statistics import LabelStatistics
from keras_masked.report.suspicions import rounded_markers, warnings_of
from keras_masked.validation import BOOLEAN

HEADER = ("label", "observed", "share", "min", "max", "mean", "distinct")
LONG = 50_000_000
"""Arrays of so many entries have a progress bar."""


class LabelDescription:
    """What `describe_labels` has found; prints as a table, also in notebooks.

    Attributes:
        labels: Names of the columns.
        warnings: What is suspicious, as texts that name the column and the cure; empty if nothing.
        rows: How many rows there are.
        complete: How many of them have all labels.
        empty: How many have none.
    """

    def __init__(self, parts: list[LabelStatistics], labels: list[list[str]], x: Any) -> None:
        self._parts = parts
        self.header = HEADER if parts[0].bounds is None else (*HEADER, *KINDS)
        self.labels = [name for names in labels for name in names]
        self.rows = max(part.rows for part in parts)
        self.complete = min(part.complete for part in parts)
        self.empty = min(part.empty for part in parts)
        self.warnings = [
            text
            for part, names in zip(parts, labels, strict=True)
            for text in warnings_of(part, names)
        ]
        if x is not None:
            self.warnings += _warnings_of_features(x)

    def table(self) -> list[list[Any]]:
        """A row per column: name, observed, share, least, greatest, mean, distinct values.

        Of labels that may be bounds the shares that are exact, less, more, and in between, too.
        """
        found: list[list[Any]] = []
        for part in self._parts:
            for c in range(part.columns):
                values, some = part.values_of(c), part.finite[c] > 0
                found.append(
                    [
                        self.labels[len(found)],
                        int(part.observed[c]),
                        float(part.share[c]),
                        float(part.low.value[c]) if some else np.nan,
                        float(part.high.value[c]) if some else np.nan,
                        float(part.mean[c]),
                        "many" if values is None else len(values),
                        *([] if part.bounds is None else part.bounds.shares(c, part.rows)),
                    ]
                )
        return found

    def missing_together(self) -> Any:
        """In which share of the rows, of those that lack one of two columns, both are missing.

        Returns:
            An array `(columns, columns)`; `None` of several outputs, or thousands of columns.
        """
        if len(self._parts) > 1 or self._parts[0].together is None:
            return None
        both = self._parts[0].together
        alone = np.diag(both)
        either = alone[:, None] + alone - both
        return np.where(either > 0, both / np.maximum(either, 1), np.nan)

    def _pairs(self) -> list[str]:
        shares = self.missing_together()
        if shares is None or len(shares) < 2:
            return []
        upper = np.triu(np.nan_to_num(shares), 1)
        best = np.argsort(upper, axis=None)[::-1][:5]
        found = []
        for i, j in zip(*np.unravel_index(best, upper.shape), strict=True):
            if upper[i, j] >= 0.5:
                found.append(
                    f"{self.labels[i]!r} and {self.labels[j]!r} are missing together in "
                    f"{upper[i, j]:.0%} of the rows that lack one of them."
                )
        return found

    def _summary(self) -> str:
        labels = sum(int(part.observed.sum()) for part in self._parts)
        places = sum(part.rows * part.columns for part in self._parts)
        return (
            f"{self.rows:,} rows, {len(self.labels):,} labels each: "
            f"{1 - labels / max(places, 1):.1%} missing, {self.complete:,} rows complete, "
            f"{self.empty:,} without any label."
        )

    def __str__(self) -> str:
        rows = self.table()
        shown = (
            rows
            if len(rows) <= 60
            else [*rows[:30], ["..."] + [""] * (len(self.header) - 1), *rows[-29:]]
        )
        lines = [self._summary(), "", tables.as_text(self.header, shown)]
        if pairs := self._pairs():
            lines += ["", *pairs]
        if self.warnings:
            lines += ["", "Look at:", *(f"- {text}" for text in self.warnings)]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """For notebooks."""
        notes = "".join(f"<p>{html.escape(text)}</p>" for text in self._pairs())
        notes += "".join(f'<p class="warning">{html.escape(text)}</p>' for text in self.warnings)
        return (
            f'<div class="km"><style>{tables.STYLE}</style><p>{html.escape(self._summary())}</p>'
            f"{tables.as_html(self.header, self.table())}{notes}</div>"
        )

    def to_pandas(self) -> Any:
        """A `DataFrame` with a row per column: observed, share, min, max, mean, distinct."""
        pandas = require("pandas", "`to_pandas`")
        frame = pandas.DataFrame(self.table(), columns=list(self.header))
        return frame.set_index("label")

    def plot(self, figure: Any = None) -> Any:
        """Draws the pattern of the holes, and the support of each column.

        Args:
            figure: A figure of matplotlib to draw on; by default a new one.

        Returns:
            The figure. Rows are sorted; of many, 2,000 are drawn.
        """
        # Of several outputs, rows are drawn side by side as far as all have them.
        length = min(len(part.sample.rows) for part in self._parts)
        observed = np.hstack([~np.isnan(part.sample.rows[:length]) for part in self._parts])
        support = np.concatenate([part.observed for part in self._parts])
        return drawing.holes(observed, support, self.labels, self.rows, figure)


def describe_labels(
    y: Any,
    labels: Sequence[str] | None = None,
    missing: Missing = NAN,
    *,
    x: Any = None,
    steps: int | None = None,
    verbose: Any = "auto",
    censored: bool = False,
) -> LabelDescription:
    """Describes labels of which some are missing, and warns of what is suspicious.

    Per column: how many labels are observed, their range, mean and distinct values; which columns
    are missing together; how many rows are complete. Warnings name the cure: a number that repeats
    far from all others (-9999, -1 among 0 and 1, 1e20, 255 among ids) and that `missing` does not
    name, markers that were rounded, all-zero one-hot rows, infinities, half precision that cannot
    hold a marker, columns that are constant or empty, rows without labels, NaN in features.

    One pass, in bounded memory: data may be larger than it.

    Args:
        y: Labels, `(rows, ..., columns)` or `(rows,)`: an array, a table of pandas, or batches
            (`tf.data`, `DataLoader`, `PyDataset`, generators) of labels or of
            `(x, y[, sample_weight])`. A dict of labels, of several outputs, or batches of such.
        labels: Names of the columns; by default those of a table, or numbers.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.
        x: Features to look at for NaN, as an array or batches.
        steps: How many batches to take; needed of data that never end.
        verbose: 0 for no progress bar, 1 for one, "auto" for one over long data.
        censored: Whether labels come as `keras_masked.censored_labels` makes them, lower and upper
            ends, `(rows, ..., columns, 2)`. Bounds enter ranges and means as they are, intervals by
            their middles; the shares of each kind are told.

    Returns:
        A `LabelDescription`: prints as a table, with `.warnings`, `.to_pandas()` and `.plot()`.

    Example:

    >>> y = np.array([[0.0, 1.5], [1.0, -9999.0], [1.0, 2.5], [0.0, -9999.0], [0.0, -9999.0]])
    >>> print(keras_masked.describe_labels(y, ["toxic", "logp"]).warnings[0])
    'logp': -9999.0 occurs 3 times, far from all other labels (the next is 1.5).
    If it means unknown, pass missing=-9999.
    >>> keras_masked.describe_labels(y, missing=-9999.0)
    5 rows, 2 labels each: 30.0% missing, 2 rows complete, 0 without any label.
    <BLANKLINE>
    label  observed  share  min  max  mean  distinct
    -----  --------  -----  ---  ---  ----  --------
    0             5      1    0    1   0.4         2
    1             2    0.4  1.5  2.5     2         2
    """
    missing = standardize_missing(missing)
    censored = BOOLEAN("describe_labels", "censored", censored)
    candidates = rounded_markers(missing)
    names = [str(name) for name in y.columns] if labels is None and hasattr(y, "columns") else None
    parts: dict[str, LabelStatistics] = {}
    for batch in _batches(y, steps, verbose):
        for output, each in batch.items():
            if output not in parts:
                parts[output] = LabelStatistics(missing, candidates, censored)
            parts[output].update(each)
    if not parts or not all(part.columns for part in parts.values()):
        raise ValueError("Argument `y` holds no labels.")
    given = names if labels is None else list(labels)
    return LabelDescription(list(parts.values()), _names(parts, given), x)


def _names(parts: dict[str, LabelStatistics], given: list[str] | None) -> list[list[str]]:
    total = sum(part.columns for part in parts.values())
    if given is not None:
        if len(given) != total or not all(isinstance(name, str) for name in given):
            raise ValueError(
                "Argument `labels` must name each column with a string. "
                f"Received: {len(given)} names for {total} columns: labels={given}"
            )
        rest = iter(given)
        return [[next(rest) for _ in range(part.columns)] for part in parts.values()]
    found = []
    for output, part in parts.items():
        if output and part.columns == 1:
            found.append([output])
        else:
            found.append([f"{output}/{c}" if output else str(c) for c in range(part.columns)])
    return found


def _batches(y: Any, steps: int | None, verbose: Any) -> Iterator[dict[str, Any]]:
    """Batches of labels, by the name of the output; one of the name "" if there is one."""
    if isinstance(y, dict):
        for output, each in y.items():
            yield from ({str(output): b} for b in label_batches(_column(each), None, None, verbose))
        return
    data = _column(y)
    size = int(np.prod(data.shape)) if hasattr(data, "shape") else 0
    if verbose == "auto" and size >= LONG:
        verbose = 1
    yield from label_batches(data, None, steps, verbose, _outputs)


def _column(y: Any) -> Any:
    """Labels of rank 1 as one column: streams take slices of rows."""
    if hasattr(y, "iloc"):
        y = as_array(y)
    if isinstance(y, list) and y and all(isinstance(each, (int, float)) for each in y):
        y = np.asarray(y, "float64")
    return y[:, None] if getattr(y, "ndim", None) == 1 else y


def _outputs(batch: Any) -> dict[str, Any]:
    several = isinstance(batch, (tuple, list)) and len(batch)
    found = batch[min(1, len(batch) - 1)] if several else batch
    if isinstance(found, dict):
        return {str(output): each for output, each in found.items()}
    return {"": labels_of(batch)}


def _warnings_of_features(x: Any) -> list[str]:
    rows = broken = 0
    for batch in label_batches(_column(x), None, None, 0, features_of):
        array = as_array(batch)
        rows += len(array)
        if array.dtype.kind == "f" or "float" in array.dtype.name:
            whole = np.isfinite(array.astype("float32", copy=False)).reshape(len(array), -1)
            broken += int((~whole.all(axis=1)).sum())
    if not broken:
        return []
    return [
        f"{broken:,} of {rows:,} rows have features that are NaN or infinite: they make all "
        "weights NaN, also where the label is missing. Fill them with "
        "keras_masked.layers.FillMissing, or drop the rows."
    ]
