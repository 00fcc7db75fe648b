"""Importing the package touches the chosen backend only; one module of it knows of backends."""

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import keras_masked

PACKAGE = Path(keras_masked.__file__).parent
BACKENDS = ("jax", "tensorflow", "torch")
FOREIGN = [name for name in BACKENDS if name != keras.config.backend()]

# A package that tells of each attempt to import it, and fails as if it were not installed.
DECOY = """
import sys
sys.attempts.append(__name__)
raise ImportError(__name__)
"""

# Keras itself tries some of them, and does without.
PROBE = """
import importlib, sys
sys.attempts = []
import keras
by_keras = len(sys.attempts)
importlib.import_module(sys.argv[1])
print("attempts:", *sys.attempts[by_keras:])
"""


def foreign_imports(module, directory):
    """The foreign backends that `import module` tries to import, beyond `import keras`.

    `directory` may hold the module. Decoys stand in for the backends, so that the answer is the
    same whether or not they are installed.
    """
    for name in FOREIGN:
        (directory / name).mkdir()
        (directory / name / "__init__.py").write_text(DECOY)
    paths = [str(directory), str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")]
    env = {
        **os.environ,
        "KERAS_BACKEND": keras.config.backend(),
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }
    # -P: what happens to lie in the working directory must not stand in for an installed package.
    command = [sys.executable, "-P", "-c", PROBE, module]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stdout.splitlines() if line.startswith("attempts:")]
    return line.split()[1:]


def test_importing_the_package_touches_no_foreign_backend(tmp_path):
    assert foreign_imports("keras_masked", tmp_path) == []


def test_foreign_imports_would_be_caught(tmp_path):
    # Also where nobody would notice: inside `try`, and where another module does it.
    first, second = FOREIGN
    (tmp_path / "innocent.py").write_text("import keras_masked\nimport guilty\n")
    (tmp_path / "guilty.py").write_text(
        f"try:\n    import {first}.nn\nexcept ImportError:\n    pass\n"
        f"try:\n    from {second} import nn\nexcept ImportError:\n    pass\n"
    )
    assert foreign_imports("innocent", tmp_path) == [first, second]


def test_backend_that_is_not_installed_is_named_with_the_cure():
    mine = keras.config.backend()
    absent = [name for name in FOREIGN if importlib.util.find_spec(name) is None]
    if not absent:
        pytest.skip("every backend is installed")
    env = {**os.environ, "KERAS_BACKEND": absent[0]}
    command = [sys.executable, "-c", "import keras_masked"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    last = done.stderr.splitlines()[-1]
    assert f"Keras takes {absent[0]} for its backend (KERAS_BACKEND says so)" in last
    assert f"export KERAS_BACKEND={mine}" in last


def forbidden_imports(source):
    """What a source file imports, or reaches as an attribute, of backends and private Keras."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute):
            found.append(ast.unparse(node))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
            ("import_module", "__import__")
        ):
            found += [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
    forbidden = tuple(f"{name}." for name in (*BACKENDS, "jaxlib", "keras.src"))
    return [name for name in found if f"{name}.".startswith(forbidden)]


def test_one_room_knows_of_backends():
    files = sorted(PACKAGE.rglob("*.py"))
    found = {
        path.relative_to(PACKAGE).as_posix(): forbidden_imports(path.read_text()) for path in files
    }
    quarantine = {path: found.pop(path) for path in [*found] if path.startswith("_backend/")}
    assert any(quarantine.values()), "what the quarantine is for"
    assert len(found) > 20
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import jax",
        "import jax.numpy as jnp",
        "from jax import numpy",
        "def f():\n    import torch",
        "from tensorflow import function",
        "from keras import src",
        "from keras.src.backend import get_keras_mask",
        "import keras\nkeras.src.backend.get_keras_mask",
        "import importlib\nimportlib.import_module('torch.nn')",
        "__import__('tensorflow')",
    ],
)
def test_forbidden_imports_would_be_found(source):
    assert forbidden_imports(source)


@pytest.mark.parametrize(
    "source",
    ["import keras", "from keras import ops", "from keras_masked import jax", "import jaxtyping"],
)
def test_allowed_imports_are_not_found(source):
    assert not forbidden_imports(source)
