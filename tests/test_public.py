"""Nothing public without a case row, an entry in the docs and a docstring of the usual form.

Each check can fail: it is also fed a namespace with something new and untested in it.
"""

from __future__ import annotations

import importlib.util
import inspect
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import keras
import pytest

import keras_masked as km
from tests.cases import LOSSES, METRICS, OTHER_TESTS
from tests.test_correlations import FUNCTIONS
from tests.test_functions import COVERED as OF_LABELS

COVERED = OF_LABELS | FUNCTIONS
DOCS = Path(__file__).parent.parent / "docs"
MODULES = {"losses": km.losses, "metrics": km.metrics}
ROWS = {"losses": {case.covers for case in LOSSES}, "metrics": {case.covers for case in METRICS}}
ALL = (*MODULES.values(), km.layers, km.distributions)
KINDS = pytest.mark.parametrize("kind", MODULES)

BASES = {"ColumnMetric", "Distribution", "FormulaLoss", "MaskedLoss", "MaskedMetric", "MeanMetric"}
"""Public classes that are there to be inherited from: no example of theirs would compute."""


def untested(module: Any, rows: set[str], functions: set[str], others: set[str]) -> list[str]:
    """Public names that no test of the suite runs over."""

    def is_tested(name: str) -> bool:
        is_class = inspect.isclass(getattr(module, name))
        return name in others or name in (rows if is_class else functions)

    return sorted(name for name in module.__all__ if not is_tested(name))


def docstring_faults(name: str, obj: Any) -> list[str]:
    """What a docstring lacks."""
    text = inspect.getdoc(obj) or ""
    wanted = {">>>"}
    if inspect.isclass(obj):
        wanted |= {"Example:", "Shapes:", "Source"}
        wanted |= set() if name == "Masked" else {"$$"}
        wanted |= {f"{argument}: " for argument in inspect.signature(obj).parameters}
    faults = sorted(part for part in wanted if part not in text)
    if not text.partition("\n")[0].endswith("."):
        faults.append("a first line that is a sentence")
    return faults


def documentable(module: Any) -> dict[str, Any]:
    """Public classes and functions of our own, less the bases."""
    objects = {name: getattr(module, name) for name in module.__all__}
    return {
        name: obj
        for name, obj in objects.items()
        if name not in BASES | {"get", "serialize", "deserialize"} and is_own(obj)
    }


def is_own(obj: Any) -> bool:
    return not obj.__module__.startswith("keras.")


def coverage_check() -> ModuleType:
    """The extension that fails the build of the documentation."""
    path = DOCS / "ext" / "coverage_check.py"
    spec = importlib.util.spec_from_file_location("coverage_check", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class New(keras.losses.Loss):
    """A class that nobody tests or documents"""

    def __init__(self, depth: int = 1) -> None:
        super().__init__()


def new(y_true: Any, y_pred: Any) -> Any:
    return y_pred - y_true


FAKE = SimpleNamespace(__all__=["New", "new"], New=New, new=new)


# Case rows


@KINDS
def test_every_public_name_is_tested(kind: str) -> None:
    assert untested(MODULES[kind], ROWS[kind], COVERED, OTHER_TESTS[kind]) == []


@KINDS
def test_that_this_can_fail(kind: str) -> None:
    assert untested(FAKE, ROWS[kind], COVERED, OTHER_TESTS[kind]) == ["New", "new"]
    # A class is not tested by a function of its name, nor the reverse.
    assert untested(FAKE, {"new"}, {"New"}, set()) == ["New", "new"]
    assert untested(FAKE, {"New"}, {"new"}, set()) == []
    some = ROWS[kind] - {"MeanSquaredError"}
    assert "MeanSquaredError" in untested(MODULES[kind], some, COVERED, OTHER_TESTS[kind])
    some = COVERED - {"mean_squared_error"}
    assert "mean_squared_error" in untested(MODULES[kind], ROWS[kind], some, OTHER_TESTS[kind])


@KINDS
def test_exceptions_are_public(kind: str) -> None:
    """What is listed as tested elsewhere exists, and so does what the rows cover."""
    public = set(MODULES[kind].__all__)
    assert OTHER_TESTS[kind] - public == set()
    assert ROWS[kind] - public == set()
    assert OTHER_TESTS[kind] & ROWS[kind] == set()


@KINDS
def test_all_is_sorted_and_there(kind: str) -> None:
    module = MODULES[kind]
    assert module.__all__ == sorted(module.__all__)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
    for name in module.ALIASES:
        assert module.ALIASES[name] in [getattr(module, public) for public in module.__all__]


@KINDS
def test_names_are_known_to_get(kind: str) -> None:
    module = MODULES[kind]
    unknown = set(module.__all__) - set(module.KNOWN)
    bases = {name for name in unknown if name.endswith(("Loss", "Metric"))}
    wrapping = {"ByGroup", "Masked", "OfMean", "OfQuantile", "PerLabel", "WithInterval"}
    wrappers = wrapping & set(module.__all__)
    assert unknown == bases | wrappers | {"get", "serialize", "deserialize"}


def test_top_level() -> None:
    assert km.__all__ == sorted(km.__all__)
    assert all(hasattr(km, name) for name in km.__all__)


# Documentation


def test_every_public_object_has_an_entry() -> None:
    check = coverage_check()
    assert check.undocumented(check.entries(DOCS)) == []
    assert check.unlisted(DOCS) == []


@KINDS
def test_entry_stands_on_its_own_page(kind: str) -> None:
    """Losses in docs/losses.md, metrics in docs/metrics.md."""
    check = coverage_check()
    pages = [DOCS / f"{kind}.md", *(DOCS / kind).glob("*.md")]
    page = "\n".join(each.read_text() for each in pages)
    on_page = set(check.DIRECTIVE.findall(page))
    prefix = f"keras_masked.{kind}."
    mine = {name: obj for name, obj in check.public_objects().items() if name.startswith(prefix)}
    assert len(mine) > 5
    assert check.undocumented(on_page, mine) == []
    assert [name for name in on_page if not name.startswith(prefix)] == []


def test_that_the_docs_check_can_fail() -> None:
    check = coverage_check()
    documented = check.entries(DOCS)
    objects = {"keras_masked.losses.New": New, "keras_masked.losses.new": new}
    assert check.undocumented(documented, objects) == sorted(objects)
    # The entry of a metric is none for the loss of its name, even if they are one function.
    for name in ("keras_masked.losses.MeanSquaredError", "keras_masked.losses.mean_squared_error"):
        assert name not in check.undocumented(documented)
        assert name in check.undocumented(documented - {name})


# Docstrings


@pytest.mark.parametrize(
    ("name", "obj"),
    [(name, obj) for module in ALL for name, obj in documentable(module).items()],
    ids=lambda x: f"{x.__module__}.{x.__name__}" if hasattr(x, "__module__") else "",
)
def test_docstring(name: str, obj: Any) -> None:
    assert docstring_faults(name, obj) == []


def test_that_the_docstring_check_can_fail() -> None:
    assert documentable(FAKE) == {"New": New, "new": new}
    sentence = "a first line that is a sentence"
    wanted = sorted(["$$", ">>>", "Example:", "Shapes:", "Source", "depth: "])
    assert docstring_faults("New", New) == [*wanted, sentence]
    assert docstring_faults("Masked", New) == [*wanted[1:], sentence]
    assert docstring_faults("new", new) == [">>>", sentence]


@KINDS
def test_bases_have_docstrings(kind: str) -> None:
    for name in BASES & set(MODULES[kind].__all__):
        assert "Base class" in (inspect.getdoc(getattr(MODULES[kind], name)) or "")


def lines_outside_fences(text: str) -> list[str]:
    """Lines of examples that a page would show as quotations of quotations."""
    fenced, found = False, []
    for line in text.split("\n"):
        fenced ^= line.startswith("```")
        found += [line] if line.startswith(">>>") and not fenced else []
    return found


def test_examples_on_pages_stand_in_fences() -> None:
    assert lines_outside_fences("```pycon\n>>> 1\n1\n```\n>>> 2\n") == [">>> 2"]
    pages = [path for path in DOCS.rglob("*.md") if "_build" not in path.parts]
    assert len(pages) > 100
    assert {
        page.name: found for page in pages if (found := lines_outside_fences(page.read_text()))
    } == {}
