"""`report`: one table and one page of every label after training."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_masked.observation import NAN, Missing, standardize_missing
from keras_masked.report import drawing, page, tables
from keras_masked.report.groups import measure_groups
from keras_masked.report.labels import LabelDescription, describe_labels
from keras_masked.report.measures import ENDS, Measured, measure
from keras_masked.report.optional import require
from keras_masked.report.predictions import Predictions, gather
from keras_masked.validation import BOOLEAN

OVERALL = "all"
"""The name of all groups together."""


class Report:
    """What `report` has found; prints as a table, also in notebooks.

    Attributes:
        rows: A dict per row of the table: label, group where there are any, support, of labels
            that may be bounds how many are exact, below, above and between, and each metric with
            the ends of its interval, `{metric}/lower` and `{metric}/upper`.
        metrics: Names of the metrics.
        description: What `describe_labels` has found.
        warnings: What it has warned of.
    """

    def __init__(
        self,
        rows: list[dict[str, Any]],
        metrics: list[str],
        description: LabelDescription,
        seen: Predictions,
        confidence_level: float | None,
    ) -> None:
        self.rows = rows
        self.metrics = metrics
        self.description = description
        self.warnings = description.warnings
        self.confidence_level = confidence_level
        self._seen = seen

    @property
    def header(self) -> list[str]:
        """Names of the columns of the table."""
        return list(self.rows[0])

    def table(self) -> list[list[Any]]:
        """The rows of the table."""
        return [list(row.values()) for row in self.rows]

    def _short(self) -> tuple[list[str], list[list[Any]]]:
        """The table with intervals in brackets."""
        shown = {f"{metric}{end}" for metric in self.metrics for end in ENDS}
        fixed = [name for name in self.header if name not in shown]
        found = []
        for row in self.rows:
            cells = [row[name] for name in fixed]
            for name in self.metrics:
                cell = tables.text_of(row[name], 3)
                low, high = row.get(f"{name}/lower"), row.get(f"{name}/upper")
                if low is not None and high is not None and np.isfinite([low, high]).all():
                    cell += f" [{tables.text_of(low, 3)}, {tables.text_of(high, 3)}]"
                cells.append(cell)
            found.append(cells)
        return [*fixed, *self.metrics], found

    def _caption(self) -> str:
        level = self.confidence_level
        of = "" if level is None else f"; in brackets, {level:.0%} intervals (bootstrap of rows)"
        return f"Observed labels only{of}."

    def __str__(self) -> str:
        header, rows = self._short()
        shown = rows if len(rows) <= 80 else [*rows[:40], ["..."] + [""] * (len(header) - 1)]
        shown += rows[-39:] if len(rows) > 80 else []
        lines = [tables.as_text(header, shown), "", self._caption()]
        if self.warnings:
            lines += ["", "Look at:", *(f"- {text}" for text in self.warnings)]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """For notebooks."""
        header, rows = self._short()
        notes = "".join(f'<p class="warning">{html.escape(text)}</p>' for text in self.warnings)
        return (
            f'<div class="km"><style>{tables.STYLE}</style>{tables.as_html(header, rows)}'
            f"<p>{html.escape(self._caption())}</p>{notes}</div>"
        )

    def to_markdown(self) -> str:
        """The table as Markdown."""
        return tables.as_markdown(*self._short())

    def to_pandas(self) -> Any:
        """A `DataFrame` with a row per label (and group), a column per metric and interval end."""
        pandas = require("pandas", "`to_pandas`")
        frame = pandas.DataFrame(self.rows)
        return frame.set_index(["label", "group"] if "group" in self.header else "label")

    def plot(self, figure: Any = None) -> Any:
        """Draws each label's metrics with their intervals, beside its support.

        Args:
            figure: A figure of matplotlib to draw on; by default a new one.
        """
        rows = [row for row in self.rows if row.get("group", OVERALL) == OVERALL]
        return drawing.forest(rows, self.metrics, figure)

    def save(self, path: Any) -> None:
        """Saves one HTML file with table and pictures, which needs nothing else to be looked at.

        Args:
            path: The file, `report.html` say.
        """
        pictures = [
            ("Each label, with its interval", drawing.svg_of(self.plot, "metrics of each label")),
            *self._seen.pictures(),
            ("The holes", drawing.svg_of(self.description.plot, "the pattern of missing labels")),
        ]
        text = page.page(
            self.header,
            self.table(),
            [self._caption(), self.description._summary()],
            self.warnings,
            pictures,
        )
        Path(path).write_text(text, encoding="utf-8")


def report(
    y_true: Any = None,
    y_pred: Any = None,
    metrics: Sequence[Any] | None = None,
    labels: Sequence[str] | None = None,
    groups: Any = None,
    confidence_level: float | None = 0.95,
    missing: Missing = NAN,
    *,
    model: Any = None,
    data: Any = None,
    sample_weight: Any = None,
    distribution: Any = None,
    replicates: int = 1000,
    seed: int = 0,
    batch_size: int = 1024,
    steps: int | None = None,
    verbose: Any = "auto",
    censored: bool = False,
) -> Report:
    """Measures every label that there is, with intervals, in one table and one page.

    Of labels and predictions, or of a model and data, whose predictions are made in batches with
    a progress bar. Without `metrics`, each label has those of its kind: 0 and 1, AUC, Brier score
    and accuracy (predictions outside [0, 1] are taken for logits); numbers, root mean squared and
    mean absolute error and R2; class ids, for which predictions have one more axis, accuracy and
    cross-entropy; with `distribution=`, negative log-likelihood, error of the mean, and coverage.
    With `censored=True`, the same of bounds, but for R2, which they do not have.

    Args:
        y_true: Labels, `(rows, columns)` or `(rows,)`; their ends on one more axis if `censored`.
        y_pred: Predictions for them.
        metrics: Metrics of sums over labels instead of the default ones; others are shown without
            intervals. They bring their own `missing`, and `censored=True`.
        labels: Names of the columns.
        groups: The group of each row, as names or integers: rows of the table for each label and
            group. Up to 20 groups have intervals, up to 10,000 values.
        confidence_level: How often intervals are to hold their values; `None` for no intervals.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.
        model: A model to predict with, instead of `y_pred`.
        data: `(x, y)`, or batches of such, instead of `y_true`.
        sample_weight: Weights: one per row, or one per label.
        distribution: What is predicted, where predictions hold parameters on one more axis:
            `"gaussian"`, or a `keras_masked.distributions.Distribution`.
        replicates: How many replicates intervals rest on.
        seed: Another seed draws other rows.
        batch_size: How many rows are taken at once.
        steps: How many batches of `data` to take.
        verbose: 0 for no progress bar, 1 for one, "auto" for one over streams.
        censored: Whether labels come as `keras_masked.censored_labels` makes them, lower and upper
            ends, `(rows, ..., columns, 2)`. The table counts those that are exact, below, above and
            between, whatever they weigh.

    Returns:
        A `Report`: prints as a table, with `.rows`, `.to_markdown()`, `.to_pandas()`, `.plot()`,
        and `.save("report.html")`, one file that needs no network.

    Example:

    >>> rng = np.random.default_rng(0)
    >>> y_true = rng.normal(size=(200, 2))
    >>> y_pred = y_true + 0.5 * rng.normal(size=(200, 2))
    >>> y_true[rng.random((200, 2)) < 0.4] = np.nan
    >>> found = keras_masked.report(y_true, y_pred, labels=["teff", "logg"])
    >>> found.header[:4], [row["label"] for row in found.rows]
    (['label', 'support', 'rmse', 'rmse/lower'], ['teff', 'logg', 'macro'])
    """
    missing = standardize_missing(missing)
    censored = BOOLEAN("report", "censored", censored)
    seen = gather(
        y_true, y_pred, model, data, sample_weight, missing, labels, distribution, batch_size,
        steps, verbose, censored,
    )  # fmt: skip
    description = describe_labels(seen.y_true, seen.labels, missing, verbose=0, censored=censored)
    options: dict[str, Any] = {
        "confidence_level": confidence_level,
        "replicates": replicates,
        "seed": seed,
        "batch_size": batch_size,
    }
    whole = measure(seen, metrics, **options)
    rows = _rows(seen, whole, None if groups is None else OVERALL)
    if groups is not None:
        for name, found in measure_groups(seen, metrics, groups, **options):
            rows += _rows(seen, found, name)
    return Report(rows, whole.metrics, description, seen, confidence_level)


def _rows(seen: Predictions, found: Measured, group: str | None) -> list[dict[str, Any]]:
    rows = []
    for label in [*seen.labels, *(["macro"] if len(seen.labels) > 1 else [])]:
        row: dict[str, Any] = {"label": label}
        if group is not None:
            row["group"] = group
        row["support"] = found.support.get(label, np.nan)
        row |= found.bounds.get(label, {})
        for metric in found.metrics:
            for end in found.ends:
                row[f"{metric}{end}"] = found.values.get((metric, label, end), np.nan)
        rows.append(row)
    return rows
