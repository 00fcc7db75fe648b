"""Sphinx extension: the build fails when something public has no entry in the documentation.

Public is what a module named in `keras_masked.__all__` names in its own `__all__`, unless it is
only re-exported from Keras. An alias needs no entry beside that of the name it stands for. A class
with a page of its own needs a line in the table that leads there.

Sphinx is not needed to import this module, so that tests can call it where Sphinx is not installed.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = "keras_masked"
DIRECTIVE = re.compile(r"^\.\. auto(?:class|function|data|exception):: +([\w.]+)", re.MULTILINE)


def public_objects(package: str = PACKAGE) -> dict[str, Any]:
    """Returns the package's own public objects by their full names."""
    root = importlib.import_module(package)
    found: dict[str, Any] = {}
    for name in root.__all__:
        obj = getattr(root, name)
        if isinstance(obj, ModuleType):
            module = obj.__name__
            found |= {f"{module}.{inner}": getattr(obj, inner) for inner in obj.__all__}
        else:
            found[f"{package}.{name}"] = obj
    return {name: obj for name, obj in found.items() if _is_own(obj, package)}


def _is_own(obj: Any, package: str) -> bool:
    module = getattr(obj, "__module__", None) or package  # a constant has no module
    return bool(module == package or module.startswith(f"{package}."))


def undocumented(documented: Iterable[str], objects: dict[str, Any] | None = None) -> list[str]:
    """Returns the full names of public objects that have no entry, in alphabetical order.

    Args:
        documented: Full names that have an entry.
        objects: What ought to have one, by full name; by default all that is public.
    """
    objects = public_objects() if objects is None else objects
    documented = set(documented)
    module_and_id = {(_module(n), id(obj)) for n, obj in objects.items() if n in documented}
    return sorted(n for n, obj in objects.items() if (_module(n), id(obj)) not in module_and_id)


def _module(name: str) -> str:
    return name.rpartition(".")[0]


def entries(docs: Path) -> set[str]:
    """Returns the full names that pages in a folder have an autodoc entry for."""
    return {name for page in docs.glob("**/*.md") for name in DIRECTIVE.findall(page.read_text())}


def unlisted(docs: Path) -> list[str]:
    """Returns the classes that have a page of their own but no line in the table of their kind.

    The page is `losses/huber.md`, say, and the table is in `losses.md`.
    """
    found = []
    for page in docs.glob("*/*.md"):
        classes = re.findall(r"(?m)^\.\. autoclass:: +([\w.]+)", page.read_text())
        table = page.parent.with_suffix(".md").read_text()
        found += [name for name in classes if not re.search(rf"(?m)~{re.escape(name)}$", table)]
    return sorted(found)


def check(app: Any, env: Any) -> None:
    """Fails the build, warnings being errors or not, and names all that has no entry."""
    from sphinx.util import logging

    logger = logging.getLogger(__name__)
    for name in undocumented(env.domains["py"].objects):
        logger.error("no entry in the documentation for %s", name)
        app.statuscode = 1
    for name in unlisted(Path(app.srcdir)):
        logger.error("no line in the table of its kind for %s", name)
        app.statuscode = 1


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("env-check-consistency", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
