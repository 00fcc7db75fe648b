"""Development tasks: `nox` runs what CI runs, `nox -l` lists the sessions. See CONTRIBUTING.md."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
# Tests come last, so that their summary is what stands at the end.
nox.options.sessions = [
    "lint",
    "types",
    "package",
    "docs",
    "demo",
    "interchange",
    "doctests",
    "slow",
    "tests",
]

ROOT = Path(__file__).parent
ENVIRONMENTS = ROOT / ".nox"
CONSTRAINTS = ROOT / "constraints.txt"
PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")

BACKENDS = {
    "jax": ["--editable=.[jax]"],
    "tensorflow": ["--editable=.", "tensorflow-cpu"],  # the extra brings GPU support along
    "torch": ["--editable=.[torch]"],
}
ENV = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",  # the same sums in the same order on every machine
    "PYTHONDONTWRITEBYTECODE": "",  # else every process compiles package and tests again
}
# Test arrays are tiny: a pool of threads per operation costs more than it brings.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}

# So does what XLA's compiler does to make operations faster: without, in one piece, it takes half
# of the time. What XLA itself does to a graph, fusing and reordering, stays as it is. Doctests and
# the examples run with none of this, as users do.
XLA_FLAGS = ("--xla_backend_optimization_level=0", "--xla_cpu_parallel_codegen_split_count=1")


def for_tests(backend: str) -> dict[str, str]:
    """What makes tests faster, in their environment."""
    env = {**ONE_THREAD, "XLA_FLAGS": " ".join(XLA_FLAGS)}
    if backend == "jax":
        # The newer emitters of loops go through MLIR. TensorFlow's older ones drop NaN from bounds.
        env["XLA_FLAGS"] += " --xla_cpu_use_fusion_emitters=false"
        # Nor does JAX ask which lines of Python an operation comes from.
        env["JAX_TRACEBACK_IN_LOCATIONS_LIMIT"] = "0"
    return env


# JAX compiles each operation for each shape, which takes longer than all else in the tests. What
# one process has compiled, the others read, in this session or a later one.
COMPILED_ONCE = {
    "JAX_COMPILATION_CACHE_DIR": str(ENVIRONMENTS / "jax-compiled"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}

# Else the C library gives large arrays back to the system and asks for them again at every step,
# which takes longer than the arithmetic, more or less of it as luck will have it.
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(2**32),
    "MALLOC_TRIM_THRESHOLD_": str(2**33),
    "MALLOC_TOP_PAD_": str(2**28),
}

# Each process compiles for itself and takes up to 4 GB on JAX.
PROCESSES = ("--numprocesses=auto", "--maxprocesses=2")

each_backend = nox.parametrize("backend", [nox.param(name, id=name) for name in BACKENDS])


def group(*names: str) -> tuple[str, ...]:
    """Returns the requirements of dependency groups of pyproject.toml."""
    return nox.project.dependency_groups(PYPROJECT, *names)


def backend_python(
    session: nox.Session,
    backend: str,
    *groups: str,
    name: str = "",
    constraints: Path = CONSTRAINTS,
) -> str:
    """Returns the interpreter of an environment that holds one backend, installing what it lacks.

    Nox makes one environment per session. Installing a backend takes far longer than most sessions
    do, so sessions that need one ask for no environment (`python=False`) and share one per backend,
    `.nox/jax-3.11` say. A stamp tells what each group was installed from: a second session, or a
    second run, installs nothing until `pyproject.toml` or the constraints change. Delete `.nox`
    to start afresh.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    directory = ENVIRONMENTS / f"{name or backend}-{version}"
    python = directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        session.run_install(sys.executable, "-m", "virtualenv", "--quiet", str(directory))

    requirements = [*BACKENDS[backend], *group(*groups)]
    project = PYPROJECT["project"]
    stamp = directory / f"installed-{'-'.join(groups)}.txt"
    wanted = "\n".join(
        [
            *requirements,
            *project["dependencies"],
            *project["optional-dependencies"].get(backend, ()),
            constraints.read_text(),
        ]
    )
    if not stamp.exists() or stamp.read_text() != wanted:
        install = [str(python), "-m", "pip", "install", "--quiet", "--constraint", str(constraints)]
        session.run_install(*install, *requirements)
        stamp.write_text(wanted)
    return str(python)


def run(
    session: nox.Session,
    backend: str,
    *command: str,
    groups: tuple[str, ...] = ("test",),
    env: dict[str, str] | None = None,
) -> None:
    """Runs Python with `command` as its arguments, in the environment of a backend."""
    python = backend_python(session, backend, *groups)
    session.run(
        python, *command, env={**ENV, **COMPILED_ONCE, **(env or {}), "KERAS_BACKEND": backend}
    )


@nox.session
def lint(session: nox.Session) -> None:
    """Check the code's style, and that it is formatted."""
    session.install("--constraint", str(CONSTRAINTS), *group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Check the package's types."""
    session.install("--constraint", str(CONSTRAINTS), *group("types"))
    session.run("mypy")


@nox.session(python=False)
@each_backend
def tests(session: nox.Session, backend: str) -> None:
    """Run the tests but the slow ones; arguments after -- go to pytest."""
    chosen = session.posargs or ["-m", "not slow"]
    run(session, backend, "-m", "pytest", *PROCESSES, *chosen, env=for_tests(backend))


@nox.session(python=False)
@each_backend
def slow(session: nox.Session, backend: str) -> None:
    """Run the slow tests: training, replicas, properties, examples, averages, fields."""
    command = ["-m", "pytest", *PROCESSES, "-m", "slow", *session.posargs]
    run(session, backend, *command, env=for_tests(backend))


def oldest(backend: str) -> dict[str, str]:
    """Returns the oldest versions that `pyproject.toml` admits, and what these need."""
    project = PYPROJECT["project"]
    requirements = [*project["dependencies"], *project["optional-dependencies"][backend]]
    versions = dict(re.fullmatch(r"([\w-]+)>=([\d.]+)", each).groups() for each in requirements)
    versions["ml-dtypes"] = "0.5.1"  # newer ones need NumPy 2
    if backend == "jax":
        versions["jaxlib"] = versions["jax"]
    if backend == "tensorflow":
        versions["tensorflow-cpu"] = versions.pop("tensorflow")
    return versions


@nox.session(python=False, default=False)
@each_backend
def tests_oldest(session: nox.Session, backend: str) -> None:
    """Run all tests with the oldest versions that the package admits; after -- for pytest."""
    pins = CONSTRAINTS.read_text()
    for name, version in oldest(backend).items():
        pins, found = re.subn(rf"(?m)^{name}==.*$", f"{name}=={version}", pins)
        if not found:
            session.error(f"{CONSTRAINTS.name} does not pin {name}")
    ENVIRONMENTS.mkdir(exist_ok=True)
    constraints = ENVIRONMENTS / f"constraints-oldest-{backend}.txt"
    constraints.write_text(pins)
    name = f"{backend}-oldest"
    python = backend_python(session, backend, "test", name=name, constraints=constraints)
    env = {**ENV, **ONE_THREAD, "XLA_FLAGS": XLA_FLAGS[0], "KERAS_BACKEND": backend}
    session.run(python, "-m", "pytest", *PROCESSES, *session.posargs, env=env)


@nox.session(python=False, default=False)
@each_backend
def tests_newest(session: nox.Session, backend: str) -> None:
    """Run all tests with Keras's nightly build and the newest backend; after -- for pytest.

    On Linux, the package index has PyTorch with gigabytes of CUDA only. For the build without,
    name PyTorch's own index in PIP_EXTRA_INDEX_URL, or a version at hand: NEWEST_TORCH=2.13.0.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    directory = ENVIRONMENTS / f"{backend}-newest-{version}"
    python = str(directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    session.run_install(sys.executable, "-m", "virtualenv", "--quiet", str(directory))
    torch = os.environ.get("NEWEST_TORCH")
    package = {
        "jax": "jax",
        "tensorflow": "tensorflow-cpu",
        "torch": f"torch=={torch}" if torch else "torch",
    }[backend]
    pip = [python, "-m", "pip"]
    nightly = "keras-nightly>=3.16.0.dev0"
    upgrade = ["--upgrade", "--upgrade-strategy=eager"]
    session.run_install(*pip, "install", "--quiet", *upgrade, package, nightly, *group("test"))
    # What needs Keras brings its release along, which lies in the same folder as the nightly build.
    session.run_install(*pip, "uninstall", "--quiet", "--yes", "keras")
    alone = [*pip, "install", "--quiet", "--no-deps"]
    session.run_install(*alone, "--force-reinstall", nightly)
    session.run_install(*alone, "--editable=.")
    session.run_install(*pip, "list")
    # XLA ends a process whose flags it does not know, as the newest may not know these.
    env = {**ENV, **ONE_THREAD, "KERAS_BACKEND": backend}
    session.run(python, "-m", "pytest", *PROCESSES, *session.posargs, env=env)


@nox.session(python=False, default=False)
def mutants(session: nox.Session) -> None:
    """Break a copy of the package in small ways: the tests must find each; -- NAME for some."""
    run(session, "torch", "tests/mutants.py", *session.posargs, env=for_tests("torch"))


@nox.session(python=False, default=False)
@each_backend
def keras_tests(session: nox.Session, backend: str) -> None:
    """Run Keras's own tests of losses and metrics on our classes; what fails must be argued."""
    run(session, backend, "tests/keras_own_tests.py", *session.posargs, env=for_tests(backend))


@nox.session(python=False)
@each_backend
def doctests(session: nox.Session, backend: str) -> None:
    """Run the examples in docstrings and on pages of docs/; arguments after -- go to pytest."""
    found = [*ROOT.glob("docs/*.md"), *ROOT.glob("docs/recipes/*.md")]
    pages = sorted(str(path.relative_to(ROOT)) for path in found)
    options = ["--doctest-modules", "--doctest-glob=*.md"]
    # It has no examples, and modules that only one backend can import.
    options += ["--ignore=keras_masked/_backend"]
    command = ["-m", "pytest", *PROCESSES, *options, "keras_masked", *pages, *session.posargs]
    run(session, backend, *command, env=ONE_THREAD)


@nox.session(python=False)
def interchange(session: nox.Session) -> None:
    """Save models on each backend and load them on every other; -- jax torch to choose some."""
    backends = session.posargs or list(BACKENDS)
    directory = ENVIRONMENTS / "interchange"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for backend in backends:
        backend_python(session, backend, "test")
    for action in ("write", "read"):
        few = ["--allow-few"] if action == "read" and session.posargs else []
        command = ["-m", "tests.interchange", action, str(directory), *few]

        def act(backend: str, command: list[str] = command) -> None:
            run(session, backend, *command, env=for_tests(backend))

        # Each is one process, which leaves other cores idle.
        with ThreadPoolExecutor(len(backends)) as pool:
            list(pool.map(act, backends))


@nox.session
def package(session: nox.Session) -> None:
    """Build the wheel and the source distribution in dist/, and check what is in them."""
    session.install("--constraint", str(CONSTRAINTS), *group("package"))
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    session.run("python", "-m", "build", "--no-isolation", "--outdir", "dist", silent=True)
    session.run("twine", "check", "--strict", *map(str, (ROOT / "dist").iterdir()))
    session.run("python", "packaging/check.py", "dist")


@nox.session(python=False)
def docs(session: nox.Session) -> None:
    """Build the documentation in docs/_build/html, where a warning is an error, and look at it."""
    options = ["--fresh-env", "--fail-on-warning", "--keep-going", "--quiet", "--jobs=2"]
    groups = ("docs", "test")
    command = ["-m", "sphinx", *options, "docs", "docs/_build/html"]
    env = for_tests("jax")
    run(session, "jax", *command, groups=groups, env=env)
    site = {**env, "KERAS_MASKED_SITE": "docs/_build/html"}
    run(session, "jax", "-m", "pytest", "tests/test_site.py", groups=groups, env=site)


@nox.session(python=False, default=False)
@each_backend
def bench(session: nox.Session, backend: str) -> None:
    """Time the losses against Keras's own; arguments after -- go to benchmarks/run.py."""
    own = f"bench-{backend}"
    groups = ("bench", own) if own in PYPROJECT["dependency-groups"] else ("bench",)
    command = ["benchmarks/run.py", "--backend", backend, *session.posargs]
    run(session, backend, *command, groups=groups, env=KEEP_MEMORY)


@nox.session(python=False)
def demo(session: nox.Session) -> None:
    """Run examples/quickstart.py on JAX, or on another backend: -- --backend torch."""
    parser = argparse.ArgumentParser(prog="nox -s demo --", add_help=False)
    parser.add_argument("--backend", choices=list(BACKENDS), default="jax")
    options, rest = parser.parse_known_args(session.posargs)
    command = ["examples/quickstart.py", "--backend", options.backend, *rest]
    run(session, options.backend, *command, groups=("examples",))
