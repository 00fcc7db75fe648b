"""Sphinx extension: long names break where a word of them ends, in sidebars and headings.

`SparseTopKCategoricalAccuracy` is wider than a sidebar, and than a phone's heading.
"""

from __future__ import annotations

import re
from typing import Any

LINK = re.compile(r'(<a class="reference[^>]*>)([^<]+)(</a>)')
HEADING = re.compile(r"(<h[1-3]>)(.*?)(</h[1-3]>)", re.DOTALL)
WORD_ENDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[_.])(?=\w)")
TAG = re.compile(r"(<[^>]*>)")


def may_break(html: str) -> str:
    """The same HTML, its text with a place to break at the end of each word of a name."""
    return "".join(
        part if part.startswith("<") else WORD_ENDS.sub("<wbr>", part) for part in TAG.split(html)
    )


def change(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Changes what the theme is about to write."""

    def within(match: re.Match[str]) -> str:
        start, text, end = match.groups()
        return start + may_break(text) + end

    for name in ("furo_navigation_tree", "toc"):
        if context.get(name):
            context[name] = LINK.sub(within, context[name])
    if context.get("body"):
        context["body"] = HEADING.sub(within, context["body"])


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("html-page-context", change, priority=950)  # after the theme
    return {"parallel_read_safe": True, "parallel_write_safe": True}
