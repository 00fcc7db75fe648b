"""Checks what is about to be released: `nox -s package` builds it, and calls this.

    python packaging/check.py dist

Built files against the repository: the README as a package index shows it, whose links must lead to
files that are there; what conda-forge's recipe, CITATION.cff, the changelog and CI say of versions.
"""

from __future__ import annotations

import re
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from email import message_from_string
from email.message import Message
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
HOME = PROJECT["urls"]["Repository"]
RAW = HOME.replace("github.com", "raw.githubusercontent.com")
LINK = re.compile(r"(!?)\[[^\]]*\]\(([^)\s]+)\)")


def main() -> None:
    dist = Path(sys.argv[1])
    [wheel], [sdist] = dist.glob("*.whl"), dist.glob("*.tar.gz")
    metadata = metadata_of(wheel)
    found = [
        *readme(metadata, ROOT),
        *contents(wheel, sdist),
        *versions(metadata["Version"]),
        *recipe(metadata, yaml.safe_load((ROOT / "packaging" / "recipe.yaml").read_text())),
        *pythons(),
    ]
    print("\n".join(found) or f"{wheel.name} and {sdist.name}: nothing to say against them")
    sys.exit(bool(found))


def metadata_of(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as files:
        [name] = (each for each in files.namelist() if each.endswith(".dist-info/METADATA"))
        return message_from_string(files.read(name).decode())


def readme(metadata: Message, root: Path) -> Iterator[str]:
    """What of the README would be broken on a package index."""
    text = str(metadata.get_payload())
    if not text.lstrip().startswith("# keras_masked"):
        yield "the README is not in the wheel's metadata"
    pictures = 0
    for picture, link in LINK.findall(re.sub(r"(?ms)^```.*?^```", "", text)):
        pictures += bool(picture)
        base = (
            f"{RAW}/v{metadata['Version']}/" if picture else f"{HOME}/blob/v{metadata['Version']}/"
        )
        if not link.startswith(("https://", "#")):
            yield f"the README's link {link} is not absolute"
        elif link.startswith(HOME) and not link.startswith(base):
            yield f"the README's link {link} does not begin with {base}"
        elif link.startswith(base):
            path = link.removeprefix(base).partition("#")[0]
            if not (root / path).exists():
                yield f"the README's link {link} leads to no file of the repository"
    if not pictures:
        yield "the README has no picture"


def contents(wheel: Path, sdist: Path) -> Iterator[str]:
    """Files that have to be in the wheel or in the source distribution, and are not."""
    with zipfile.ZipFile(wheel) as files:
        names = set(files.namelist())
    outside = {name for name in names if not name.startswith("keras_masked")}
    for name in sorted({"keras_masked/__init__.py", "keras_masked/py.typed"} - names):
        yield f"the wheel lacks {name}"
    if outside:
        yield f"the wheel holds what is no part of the package: {sorted(outside)[:5]}"
    with tarfile.open(sdist) as files:
        names = {name.partition("/")[2] for name in files.getnames()}
    wanted = {"LICENSE", "README.md", "CHANGELOG.md", "CITATION.cff", "tests/test_public.py"}
    for name in sorted(wanted - names):
        yield f"the source distribution lacks {name}"


def versions(version: str) -> Iterator[str]:
    """Where another version stands than that of the package."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    if citation["version"] != version:
        yield f"CITATION.cff says version {citation['version']}, the package {version}"
    if citation["repository-code"] != HOME:
        yield f"CITATION.cff says {citation['repository-code']}, pyproject.toml {HOME}"
    if f"## [{version}]" not in (ROOT / "CHANGELOG.md").read_text():
        yield f"CHANGELOG.md has no section [{version}]"


def recipe(metadata: Message, found: dict[str, Any]) -> Iterator[str]:
    """Where the recipe and the wheel disagree."""
    context = found["context"]
    if context["version"] != metadata["Version"]:
        yield f"recipe.yaml says version {context['version']}, the wheel {metadata['Version']}"
    if f">={context['python_min']}" != metadata["Requires-Python"]:
        yield f"recipe.yaml says Python {context['python_min']}, not {metadata['Requires-Python']}"
    ours = [Requirement(text) for text in metadata.get_all("Requires-Dist", [])]
    needed = {(each.name, str(each.specifier)) for each in ours if not each.marker}
    extras = {each.name: str(each.specifier) for each in ours if each.marker}
    section = found["requirements"]
    theirs = {(r.name, str(r.specifier)) for r in map(Requirement, section["run"][1:])}
    if theirs != needed:
        yield f"recipe.yaml runs with {sorted(theirs)}, the wheel with {sorted(needed)}"
    backends = {r.name: str(r.specifier) for r in map(Requirement, section["run_constraints"])}
    backends["torch"] = backends.pop("pytorch")
    if backends != {name: extras[name] for name in backends}:
        yield f"recipe.yaml constrains {backends}, the wheel's extras {extras}"
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    wanted = {(r.name, str(r.specifier)) for r in map(Requirement, build)}
    host = {(r.name, str(r.specifier)) for r in map(Requirement, section["host"][2:])}
    if host != wanted:
        yield f"recipe.yaml builds with {sorted(host)}, pyproject.toml with {sorted(wanted)}"


def pythons() -> Iterator[str]:
    """Pythons that are claimed and not tested, or the reverse."""
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    tested = set(re.findall(r'"(3\.\d+)"', workflow))
    claimed = set(re.findall(r":: (3\.\d+)", "\n".join(PROJECT["classifiers"])))
    if tested != claimed:
        yield f"classifiers name Python {sorted(claimed)}, CI runs {sorted(tested)}"


if __name__ == "__main__":
    main()
