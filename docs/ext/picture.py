"""Sphinx directive that runs Python code, shows it, and draws the figure that it ends with.

    ```{picture} what the picture shows
    km.describe_labels(y).plot()
    ```

The last line is an expression: a figure of matplotlib. All directives of a page share their names,
so that the first one can make the data; with `:hide:` the code is run and not shown, and with
`:setup:` nothing is drawn.
"""

from __future__ import annotations

import ast
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from matplotlib import rc_context

from keras_masked.report.drawing import INK, INKED, STYLE, as_svg


class Picture(Directive):
    """The directive."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar = {"hide": directives.flag, "setup": directives.flag}
    names: ClassVar[dict[str, dict[str, Any]]] = {}

    def run(self) -> list[nodes.Node]:
        """Returns the code and the picture."""
        page = self.state.document.settings.env.docname
        names = self.names.setdefault(page, {})
        code = "\n".join(self.content)
        shown = [] if "hide" in self.options else [nodes.literal_block(code, code, language="py")]
        tree = ast.parse(code)
        if "setup" in self.options:
            exec(compile(tree, page, "exec"), names)
            return shown
        last = tree.body.pop()
        assert isinstance(last, ast.Expr), "a picture ends with a figure"
        with rc_context({**STYLE, **dict.fromkeys(INKED, INK)}):
            exec(compile(tree, page, "exec"), names)
            figure = eval(compile(ast.Expression(last.value), page, "eval"), names)
            svg = as_svg(figure, " ".join(self.arguments))
        return [*shown, nodes.raw("", svg, format="html")]


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("picture", Picture)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
