"""Sphinx directive that draws a loss and its gradient over the prediction, from the object itself.

    .. plot-loss:: keras_masked.losses.Huber
       :options: [{"delta": 0.5}, {"delta": 1.0}]
       :label: 0.0
       :range: -3, 3

Options, each a Python literal but for the last:

- `label`: the label, or a list of labels, one curve each. A tuple is one label that is a vector.
- `range`: from where to where the prediction goes.
- `options`: keyword arguments of the loss, or a list of them, one curve each.
- `rest`: where a label is a vector or a class id, what is predicted for the other entries: a
  number, or by default what is left of a total of 1, in equal parts.
- `set`: for losses of sets, the other labels and what is predicted for them.
- `log_variance`: where predictions are stacked, the logarithm of the variance, or a list of them,
  one curve each; of a vector, that of each entry.
- `shift`: for labels that are vectors, the vector by which the prediction moves away from them.
- `axis`: what stands below the horizontal axis.

The dashed line is what the object says of a missing label. Where the prediction is a vector, it
moves along a line, and the gradient drawn is the slope along that line.
"""

from __future__ import annotations

import ast
import importlib
import io
import itertools
from typing import Any, ClassVar

import keras
import numpy as np
from docutils import nodes
from docutils.parsers.rst import Directive, directives
from matplotlib import rc_context
from matplotlib.figure import Figure

Array = np.ndarray
Curve = tuple[str, Array, Array]  # its name, losses and slopes

POINTS = 400  # even, so that a kink in the middle of the range falls between two points
CLASSES = 3
COLORS = ["#8c8c8c", "#0b84c6", "#e07b00", "#2a9d5c", "#b5489a"]  # the first is that of "missing"
INK = "#010203"  # becomes the colour of the page's text, be it dark or light
METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))  # none
STYLE = {
    "font.size": 9,
    "axes.titlesize": 10,
    "figure.labelsize": 9,
    "svg.hashsalt": "keras_masked",  # the same picture gives the same file
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor"), INK),
    **dict.fromkeys(("xtick.color", "ytick.color"), INK),
}


def line(loss: Any, label: Any, x: Any, log_variance: float | None, *cut: Any) -> tuple[Any, Any]:
    """Labels and predictions of a batch of one, with the prediction at `x`."""
    vector = loss.label.are_rows
    labels, predictions = of_numbers(loss, vector, label, x, *cut)
    if log_variance is None:
        return labels, predictions
    return labels, keras.ops.stack([predictions, 0 * predictions + log_variance], axis=-1)


def of_numbers(
    loss: Any, vector: bool, label: Any, x: Any, rest: float | None, others: Any, shift: Any
) -> tuple[Any, Any]:
    """One number for each entry of a label."""
    if shift is not None:
        return np.array([label]), (np.array(label) + x * np.array(shift, "float32"))[None]
    if others is not None:
        labels, predictions = others
        return np.array([[label, *labels]]), keras.ops.stack([x, *predictions])[None]
    if not vector:
        return np.array([[label]]), x[None, None]
    entry, size = (0, CLASSES) if loss.label.class_ids else (np.argmax(label), len(label))
    rest = (1.0 - x) / (size - 1) if rest is None else rest
    return np.array([label]), keras.ops.where(np.arange(size) == entry, x, rest)[None]


def evaluate(loss: Any, label: Any, grid: Array, *cut: Any) -> tuple[Array, Array]:
    """The loss and its slope at each point of the grid."""
    if keras.backend.backend() != "jax":  # Keras has no gradient of its own
        raise RuntimeError("The documentation is built with KERAS_BACKEND=jax.")
    import jax

    def value(x: Any) -> Any:
        return loss(*line(loss, label, x, *cut))

    losses, slopes = jax.jit(jax.vmap(jax.value_and_grad(value)))(grid)  # one graph, not its ops
    return np.asarray(losses), np.asarray(slopes)


def missing_label(loss: Any, label: Any) -> Any:
    """What the loss takes for missing, in the shape of `label`."""
    marker = loss.missing[0] if isinstance(loss.missing, tuple) else loss.missing
    marker = np.nan if marker == "nan" else marker
    return tuple(marker for _ in label) if isinstance(label, tuple) else marker


def curves(
    loss_class: Any,
    labels: list[Any],
    options: list[dict[str, Any]],
    log_variances: list[float | None],
    grid: Array,
    *cut: Any,
) -> list[Curve]:
    """One curve for each label, options and log-variance, after that of a missing label."""
    found = []
    for kwargs, label, log_variance in itertools.product(options, labels, log_variances):
        loss = loss_class(**kwargs)
        names = [f"y = {label}", *(f"{key} = {value}" for key, value in kwargs.items())]
        if log_variance is not None:
            names.append(f"log-variance = {log_variance}")
        if len(labels) == 1 and len(names) > 1:
            del names[0]
        found.append((", ".join(names), *evaluate(loss, label, grid, log_variance, *cut)))
    missing = missing_label(loss, labels[0])
    return [("missing", *evaluate(loss, missing, grid, log_variances[0], *cut)), *found]


def draw(grid: Array, lines: list[Curve], axis: str) -> Any:
    """Returns a figure with the losses on the left and their slopes on the right."""
    figure = Figure(figsize=(7.0, 2.9), layout="constrained")
    panels = figure.subplots(1, 2)
    for (name, *values), color in zip(lines, COLORS[: len(lines)], strict=True):
        style = "--" if name == "missing" else "-"
        for panel, y in zip(panels, values, strict=True):
            panel.plot(grid, y, style, color=color, label=name, linewidth=1.6)
    for panel, title in zip(panels, ("loss", "gradient"), strict=True):
        panel.set(title=title, xlim=(grid[0], grid[-1]))
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(color=COLORS[0], alpha=0.25, linewidth=0.6)
    figure.supxlabel(axis)
    handles, names = panels[0].get_legend_handles_labels()
    handles, names = [*handles[1:], handles[0]], [*names[1:], names[0]]  # missing comes last
    figure.legend(handles, names, loc="outside upper center", ncols=len(names), frameon=False)
    return figure


def as_list(value: Any) -> list[Any]:
    """A list of one, unless it is a list."""
    return value if isinstance(value, list) else [value]


class PlotLoss(Directive):
    """The directive."""

    required_arguments = 1
    option_spec: ClassVar = {
        **dict.fromkeys(
            ("label", "log_variance", "range", "options", "rest", "set", "shift"), ast.literal_eval
        ),
        "axis": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        """Returns the picture, as part of the page."""
        file = io.StringIO()
        with rc_context(STYLE):
            self.figure().savefig(file, format="svg", transparent=True, metadata=METADATA)
        svg = file.getvalue().replace(INK, "currentColor")
        title = f"{self.arguments[0]} and its gradient over the prediction, also for missing labels"
        start = f'<svg role="img" aria-label="{title}" style="max-width: 100%; height: auto"'
        return [nodes.raw("", start + svg[svg.index("<svg") + 4 :], format="html")]

    def figure(self) -> Any:
        """Returns the figure that the options ask for."""
        module, _, name = self.arguments[0].rpartition(".")
        low, high = self.options.get("range", (-3.0, 3.0))
        grid = np.linspace(low, high, POINTS, dtype="float32")
        lines = curves(
            getattr(importlib.import_module(module), name),
            as_list(self.options.get("label", 0)),
            as_list(self.options.get("options", {})),
            as_list(self.options.get("log_variance")),
            grid,
            self.options.get("rest"),
            self.options.get("set"),
            self.options.get("shift"),
        )
        return draw(grid, lines, self.options.get("axis", "prediction"))


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("plot-loss", PlotLoss)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
