"""The house: rooms import downwards only, and a file has at most 200 lines of code."""

import ast
import io
import tokenize
from pathlib import Path

import pytest

from tests.mutants import MUTANTS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "keras_masked"

FLOORS = [
    {"_backend", "constructors", "validation"},
    {"serialization", "replicas"},
    {"distributions"},
    {"formulas"},
    {"observation"},
    {"losses"},
    {"layers", "metrics"},
    {"lifting", "report"},
]
"""From the ground up. A room knows those below it; `layers` and `metrics` not each other."""
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
LINES = 200
NOT_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


def imported_rooms(source: str) -> set[str]:
    """The rooms of the package that a file imports from."""
    rooms = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            package, *room = node.module.split(".")
            if package == "keras_masked":
                rooms |= {room[0]} if room else {alias.name for alias in node.names}
    return rooms


def upward(room: str, source: str) -> set[str]:
    return {
        other
        for other in imported_rooms(source) - {room}
        if FLOOR[other] >= FLOOR[room] and FLOOR[room] > 0
    }


def lines_of_code(source: str) -> int:
    """Lines that hold code: no docstrings, comments or blank lines."""
    documented = set()
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            for each in body:  # also the strings that document attributes
                if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant):
                    documented.update(range(each.lineno, (each.end_lineno or 0) + 1))
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return len({token.start[0] for token in tokens if token.type not in NOT_CODE} - documented)


ROOMS = sorted(path for path in PACKAGE.iterdir() if path.name != "__pycache__")


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: path.stem)
def test_imports_point_down(path):
    files = path.rglob("*.py") if path.is_dir() else [path]
    if path.name in ("__init__.py", "py.typed"):
        return
    found = {str(file): upward(path.stem, file.read_text()) for file in files}
    assert {file: rooms for file, rooms in found.items() if rooms} == {}


def test_upward_imports_would_be_found():
    assert upward("losses", "from keras_masked.metrics import Mean") == {"metrics"}
    assert upward("metrics", "from keras_masked import layers, losses") == {"layers"}
    assert upward("layers", "from keras_masked.losses.base import MaskedLoss") == set()


def test_files_are_short():
    # The faces of rooms only list names.
    files = [file for file in PACKAGE.rglob("*.py") if file.name != "__init__.py"]
    assert len(files) > 50
    lengths = {str(file.relative_to(ROOT)): lines_of_code(file.read_text()) for file in files}
    assert {file: length for file, length in lengths.items() if length > LINES} == {}


def test_lines_of_code_are_counted():
    source = '"""Says what."""\n\n# why\nx = (  # here\n    1,\n)\n"""Of x."""\n'
    assert lines_of_code(source) == 3


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutants_can_be_made(mutant):
    """Whoever moves the text of a fault of tests/mutants.py, or its test, moves it there, too."""
    assert mutant.found_in(PACKAGE) == 1
    for node in mutant.nodes:
        file, _, name = node.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text()
