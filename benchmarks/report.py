"""Results as a table on the screen, as JSON and as a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Row = dict[str, Any]

COLUMNS = ("subject", "shape", "mode", "variant")
TITLES = {
    "losses": "Masked losses against Keras's on complete labels, forward plus backward",
    "alternatives": "What people write today, against Keras's loss on complete labels",
    "fit": "One step of model.fit with MSE, against Keras's MSE on complete labels",
    "metrics": "One update of a metric, against Keras's on complete labels",
    "draws": "Draws of logits, against Keras's cross-entropy of logits without; peak memory apart",
    "distributions": "Predicted distributions, against Keras's MSE on complete labels",
    "vocabulary": "Cross-entropy over a vocabulary, against the loss of logits, nothing ignored",
    "memory": "Peak memory of a loss and its gradient; the ratio counts labels and predictions too",
}


def table(rows: list[Row]) -> str:
    """All results as aligned text, one table per section."""
    return "\n\n".join(
        f"{title}\n{_section([row for row in rows if row['section'] == section])}"
        for section, title in TITLES.items()
        if any(row["section"] == section for row in rows)
    )


def _section(rows: list[Row]) -> str:
    fields = list(COLUMNS)
    for row in rows:
        fields += [field for field in row if field not in (*fields, "section", "error")]
    if any("error" in row for row in rows):
        fields.append("error")
    lines = [fields]
    before: list[str] = []
    for row in rows:
        cells = [_cell(field, row.get(field)) for field in fields]
        # What the line above says of the subject is not said again.
        same = cells[:3] == before
        before = cells[:3]
        lines.append(["", "", ""] + cells[3:] if same else cells)
    widths = [max(len(line[i]) for line in lines) for i in range(len(fields))]
    lines.insert(1, ["-" * width for width in widths])
    number = [field in ("ms", "ratio", "inputs MB", "rise MB") for field in fields]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, number, strict=True)
        ).rstrip()
        for line in lines
    )


def _cell(field: str, value: Any) -> str:
    if value is None:
        return ""
    match field:
        case "shape":
            return "x".join(map(str, value))
        case "ms":
            return f"{value:.3f}"
        case "ratio":
            return f"{value:.2f}"
        case "quartiles":
            return "-".join(f"{x:.2f}" for x in value)
        case "inputs MB" | "rise MB":
            return f"{value:.1f}"
    return str(value)


def save(rows: list[Row], environment: Row, directory: Path, name: str) -> list[Path]:
    """Writes JSON and, where matplotlib is installed, a picture; returns what was written."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.json"
    path.write_text(json.dumps({"environment": environment, "rows": rows}, indent=1) + "\n")
    picture = directory / f"{name}.png"
    return [path, picture] if _draw(rows, environment, picture) else [path]


def _draw(rows: list[Row], environment: Row, path: Path) -> bool:
    try:
        import matplotlib
    except ImportError:
        print("No picture: matplotlib is not installed (pip install matplotlib).")
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    sections = [s for s in TITLES if any(_drawable(row) and row["section"] == s for row in rows)]
    if not sections:
        return False
    bars = {s: [row for row in rows if row["section"] == s and _drawable(row)] for s in sections}
    heights = [max(1.2, 0.17 * len(bars[s]) + 0.6) for s in sections]
    figure, axes = plt.subplots(
        len(sections),
        figsize=(9, sum(heights) + 0.8),
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    for axis, section in zip(axes[:, 0], sections, strict=True):
        _bars(axis, bars[section], TITLES[section])
    version = environment["versions"].get(environment["backend"], "")
    figure.suptitle(f"{environment['backend']} {version}, {environment['device']}")
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return True


def _drawable(row: Row) -> bool:
    return "ratio" in row and row["variant"] != "keras, complete"


def _bars(axis: Any, rows: list[Row], title: str) -> None:
    labels = [f"{' '.join(_cell(f, row[f]) for f in COLUMNS)}" for row in rows]
    places = range(len(rows), 0, -1)
    ratios = [row["ratio"] for row in rows]
    variants = list(dict.fromkeys(row["variant"] for row in rows))
    colors = [f"C{variants.index(row['variant']) % 10}" for row in rows]
    axis.barh(places, ratios, color=colors)
    for place, row in zip(places, rows, strict=True):
        if "quartiles" in row:
            axis.plot(row["quartiles"], [place, place], color="black", linewidth=1)
    axis.axvline(1.0, color="black", linewidth=0.8)
    axis.set_yticks(list(places), labels, fontsize=6)
    axis.set_ylim(0.3, len(rows) + 0.7)
    axis.set_xlabel("ratio to Keras without missing labels; lines are quartiles", fontsize=8)
    axis.set_title(title, fontsize=9)
