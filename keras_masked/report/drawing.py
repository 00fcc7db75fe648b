"""Pictures: one style, for light and dark pages."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_masked.report.optional import require

Array = np.ndarray
COLORS = ["#0b84c6", "#e07b00", "#2a9d5c", "#b5489a", "#8c8c8c"]
GREY = "#8c8c8c"
INK = "#010203"  # becomes the colour of the page's text, be it dark or light
STYLE = {
    "font.size": 9,
    "axes.titlesize": 10,
    "figure.labelsize": 9,
    "svg.hashsalt": "keras_masked",  # the same picture gives the same file
}
INKED = (
    "text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color",
)  # fmt: skip
METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))  # none
MOST_NAMES = 60
"""Up to so many columns have their names beside them."""


def new_figure(width: float, height: float, figure: Any = None) -> Any:
    """A figure of matplotlib, which belongs to no window."""
    if figure is not None:
        return figure
    made = require("matplotlib.figure", "A picture").Figure
    return made(figsize=(width, height), layout="constrained")


def svg_of(draw: Callable[[], Any], title: str) -> str:
    """What a function draws, as SVG in the colours of the page it stands on."""
    matplotlib = require("matplotlib", "A picture")
    with matplotlib.rc_context({**STYLE, **dict.fromkeys(INKED, INK)}):
        return as_svg(draw(), title)


def as_svg(figure: Any, title: str) -> str:
    """A figure, drawn in `INK`, as SVG for HTML pages."""
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata=METADATA)
    svg = file.getvalue().replace(INK, "currentColor")
    start = f'<svg role="img" aria-label="{title}" style="max-width: 100%; height: auto"'
    return start + svg[svg.index("<svg") + 4 :]


def tidy(axis: Any, **properties: Any) -> None:
    """Axes as in the documentation: two spines and a faint grid."""
    axis.set(**properties)
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(color=GREY, alpha=0.25, linewidth=0.6)
    axis.set_axisbelow(True)


def holes(observed: Array, support: Array, labels: list[str], rows: int, figure: Any) -> Any:
    """The pattern of the holes, rows sorted by it, above the support of each column."""
    named = len(labels) <= MOST_NAMES
    width = min(12.0, 3.0 + 0.25 * len(labels)) if named else 12.0
    figure = new_figure(max(width, 5.0), 5.2, figure)
    top, bottom = figure.subplots(2, height_ratios=[3, 1], sharex=True)
    order = np.lexsort([*observed.T[::-1], observed.sum(axis=1)])[::-1]
    shade = np.where(observed[order], 1.0, np.nan)
    top.imshow(
        shade,
        aspect="auto",
        cmap=_one_color(),
        vmin=0,
        vmax=1,
        interpolation="nearest",
        extent=(-0.5, len(labels) - 0.5, len(observed), 0),
    )
    drawn = "" if len(observed) == rows else f" ({len(observed):,} of {rows:,})"
    top.set(ylabel=f"rows{drawn}, sorted", title="blue: observed, empty: missing")
    top.spines[["top", "right"]].set_visible(False)
    bottom.bar(range(len(labels)), support, color=COLORS[0], width=0.8 if named else 1.0)
    tidy(bottom, ylabel="observed")
    if named:
        bottom.set_xticks(range(len(labels)), labels, rotation=90 if len(labels) > 6 else 0)
    else:
        bottom.set_xlabel("column")
    return figure


def _one_color() -> Any:
    colors = require("matplotlib.colors", "A picture")
    return colors.ListedColormap([COLORS[0]])


def forest(rows: list[dict[str, Any]], metrics: list[str], figure: Any) -> Any:
    """A panel per metric: each label's value, its interval and, on the left, its support."""
    height = max(2.0, 0.6 + 0.22 * len(rows)) if len(rows) <= 200 else 12.0
    figure = new_figure(max(5.0, 2.2 + 2.4 * len(metrics)), min(height, 40.0), figure)
    panels = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    places = np.arange(len(rows))
    for panel, metric, color in zip(panels, metrics, _cycle(len(metrics)), strict=True):
        values, low, high = (
            np.array([row.get(f"{metric}{end}", np.nan) for row in rows], "float64")
            for end in ("", "/lower", "/upper")
        )
        bars = np.isfinite(low) & np.isfinite(high)
        panel.hlines(places[bars], low[bars], high[bars], color=color, linewidth=1.6)
        panel.plot(values, places, "o", color=color, markersize=4)
        tidy(panel, title=metric)
    if len(rows) <= 200:
        names = [f"{row['label']}  ({row['support']:,.0f})" for row in rows]
        panels[0].set_yticks(places, names)
    panels[0].set_ylim(len(rows) - 0.4, -0.6)
    return figure


def _cycle(n: int) -> list[str]:
    return [COLORS[i % (len(COLORS) - 1)] for i in range(n)]


def _panels(n: int) -> tuple[Any, list[Any]]:
    columns = min(4, n)
    lines = -(-n // columns)
    figure = new_figure(2.4 * columns + 0.6, 2.3 * lines + 0.3)
    panels = list(figure.subplots(lines, columns, squeeze=False).ravel())
    for panel in panels[n:]:
        panel.set_visible(False)
    return figure, panels[:n]


def reliability(parts: list[tuple[str, Array, Array]]) -> Any:
    """How often 1 is observed, over ten classes of what is predicted."""
    figure, panels = _panels(len(parts))
    for panel, (name, y, p) in zip(panels, parts, strict=True):
        y, p = y[np.isfinite(p)], p[np.isfinite(p)]
        which = np.minimum((p * 10).astype(int), 9)
        count = np.bincount(which, minlength=10)
        some = count > 0
        mean, share = (np.bincount(which, x, minlength=10)[some] / count[some] for x in (p, y))
        error = np.sqrt(share * (1 - share) / count[some])
        panel.plot([0, 1], [0, 1], "--", color=GREY, linewidth=1)
        panel.errorbar(mean, share, error, fmt="o-", color=COLORS[0], markersize=3, linewidth=1.2)
        tidy(panel, title=name, xlim=(0, 1), ylim=(0, 1))
    figure.supxlabel("predicted")
    figure.supylabel("observed")
    return figure


def residuals(parts: list[tuple[str, Array, Array]]) -> Any:
    """Errors over predictions, of up to 2,000 labels each."""
    figure, panels = _panels(len(parts))
    for panel, (name, y, p) in zip(panels, parts, strict=True):
        step = max(1, len(y) // 2000)
        y, p = y[::step], p[::step]
        panel.axhline(0, color=GREY, linewidth=1, linestyle="--")
        panel.plot(p, p - y, ".", color=COLORS[0], markersize=2.5, alpha=0.5)
        tidy(panel, title=name)
    figure.supxlabel("predicted")
    figure.supylabel("predicted - observed")
    return figure


def uniformity(parts: list[tuple[str, Array, Array]]) -> Any:
    """Shares of labels by where in their distributions they lie, or can lie, evenly."""
    figure, panels = _panels(len(parts))
    for panel, (name, low, high) in zip(panels, parts, strict=True):
        known = np.isfinite(low) & np.isfinite(high)
        low, width = low[known], (high - low)[known]
        at_once = width < 1e-9
        shares = np.histogram(low[at_once], 10, (0, 1))[0].astype("float64")
        reached = (np.linspace(0, 1, 11) - low[~at_once, None]) / width[~at_once, None]
        shares += np.diff(np.clip(reached, 0, 1)).sum(axis=0)
        shares /= max(len(low), 1)
        panel.bar(np.arange(10) / 10 + 0.05, shares, 0.09, color=COLORS[0])
        panel.axhline(0.1, color=GREY, linewidth=1, linestyle="--")
        tidy(panel, title=name, xlim=(0, 1))
    figure.supxlabel("predicted probability below the label")
    figure.supylabel("share")
    return figure
