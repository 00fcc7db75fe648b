"""One HTML page that needs nothing else: table, pictures, and a few lines to sort by."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from keras_masked.report import tables

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 72em; margin: 2em auto; padding: 0 1em; }
.scroll { overflow-x: auto; }
.km th { cursor: pointer; white-space: nowrap; }
.km th[aria-sort=ascending]::after { content: " \\25B2"; }
.km th[aria-sort=descending]::after { content: " \\25BC"; }
"""
SCRIPT = """
for (const head of document.querySelectorAll("th")) head.addEventListener("click", () => {
  const table = head.closest("table"), body = table.tBodies[0], i = head.cellIndex;
  const up = head.getAttribute("aria-sort") !== "ascending";
  const key = row => {
    const value = row.cells[i].dataset.value;
    return value === undefined ? row.cells[i].textContent : value === "nan" ? NaN : +value;
  };
  const compare = (a, b) => {
    const x = key(a), y = key(b);
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
    return (x < y ? -1 : x > y ? 1 : 0) * (up ? 1 : -1);
  };
  const rows = [...body.rows].sort(compare);
  for (const each of table.querySelectorAll("th")) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  body.append(...rows);
});
"""


def page(
    header: Sequence[str],
    rows: Sequence[Sequence[Any]],
    notes: Sequence[str],
    warnings: Sequence[str],
    pictures: Sequence[tuple[str, str]],
) -> str:
    """The whole page."""
    said = "".join(f"<p>{html.escape(text)}</p>" for text in notes)
    warned = "".join(f'<p class="warning">{html.escape(text)}</p>' for text in warnings)
    if warned:
        warned = f"<h2>Look at</h2>{warned}"
    drawn = "".join(f"<h2>{html.escape(title)}</h2>{svg}" for title, svg in pictures)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<link rel="icon" href="data:,"><title>Report</title><style>{tables.STYLE}{STYLE}</style>'
        f'</head><body class="km"><h1>Report</h1>{said}'
        f'<div class="scroll">{tables.as_html(header, rows)}</div>{warned}{drawn}'
        f"<script>{SCRIPT}</script></body></html>\n"
    )
