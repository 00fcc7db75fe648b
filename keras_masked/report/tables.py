"""Tables as aligned text, Markdown and HTML."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any

Cell = Any
STYLE = """
.km table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.km th, .km td { padding: 0.25em 0.7em; text-align: right; border-bottom: 1px solid #8884; }
.km th:first-child, .km td:first-child { text-align: left; }
.km .warning { border-left: 4px solid #e07b00; padding: 0.2em 0.7em; margin: 0.4em 0; }
"""


def text_of(cell: Cell, digits: int = 4) -> str:
    """A cell as text: numbers are rounded, NaN is a dash."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        if math.isnan(cell):
            return "-"
        if abs(cell) < 1e6 and cell == round(cell):
            return f"{cell:.0f}"
        return f"{cell:.{digits}g}"
    if isinstance(cell, int):
        return f"{cell:,}"
    return str(cell)


def as_text(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """An aligned table, names on the left, numbers on the right."""
    cells = [list(header), *([text_of(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def as_markdown(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A table of Markdown."""
    lines = [list(header), [":--", *["--:"] * (len(header) - 1)]]
    lines += [[text_of(cell).replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def as_html(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A table of HTML; each cell has its exact value for sorting."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(cell: Cell) -> str:
    value = f' data-value="{cell!r}"' if isinstance(cell, (int, float)) else ""
    return f"<td{value}>{html.escape(text_of(cell))}</td>"
