"""Sphinx configuration; build with `nox -s docs`."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "ext"))

import keras_masked

project = "keras_masked"
author = "The keras_masked authors"
copyright = author
version = release = keras_masked.__version__

extensions = [
    "coverage_check",
    "myst_parser",
    "names",
    "picture",
    "plot_loss",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"keras_masked {release}"
html_show_copyright = False
html_css_files = ["site.css"]
pygments_dark_style = "github-dark"
toc_object_entries = False  # the sidebar is of pages

# What is copied runs: without prompts, and without what was printed.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp"

# The site needs no network. MathJax 3 (Apache 2.0) comes as one file out of the PyPI package
# django-static-mathjax, which holds nothing else, and goes into `_static` of the built site.
[mathjax] = importlib.util.find_spec("mathjax").submodule_search_locations  # type: ignore
html_static_path = ["_static", f"{mathjax}/static/mathjax/es5/tex-svg.js"]
mathjax_path = "tex-svg.js"
mathjax3_config = {"options": {"enableMenu": False}}  # it would load more files

add_module_names = False
autodoc_member_order = "bysource"
autosummary_generate = False  # it only makes tables
autodoc_typehints = "none"  # the docstrings say it
default_role = "py:obj"  # `name` links where there is an entry for it, and is code elsewhere
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False


def markdown_to_rst(
    app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Docstrings hold mathematics as Keras's do: $inline$ and $$displayed$$."""
    text = "\n".join(lines)
    text = re.sub(r"(?m)^( *)\$\$([\s\S]+?)\$\$", _display, text)
    text = re.sub(r"\$([^$\n]+)\$", r":math:`\1`", text)
    lines[:] = text.split("\n")


def _display(match: re.Match[str]) -> str:
    indent, formula = match.groups()
    body = f"\n{indent}   ".join(line.strip() for line in formula.strip().split("\n"))
    return f"{indent}.. math::\n\n{indent}   {body}\n"


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", markdown_to_rst)
