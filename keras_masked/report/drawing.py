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
