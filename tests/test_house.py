# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What the project says about itself agrees: versions, requirements and their reasons, pins, docstrings, headers."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import monai_feat

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
LIBRARY_FILES = sorted((ROOT / "monai_feat").rglob("*.py"))
PUBLIC_FILES = [file for file in LIBRARY_FILES if file.name == "__init__.py" or not file.name.startswith("_")]
IMPORT_TO_PACKAGE = {
    "PIL": "pillow",
    "dicomanonymizer": "dicom-anonymizer",
    "ignite": "pytorch-ignite",
    "skimage": "scikit-image",
    "yaml": "pyyaml",
}
HEADER = "# Copyright (c) monai-feat contributors\n# SPDX-License-Identifier: Apache-2.0\n"
LOCAL_PATH = re.compile(r"(?<![\w.>}/-])/(?:work|root|home|Users)/")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def requirements() -> dict[str, list[Requirement]]:
    """Return the requirements of pyproject.toml by list: ``base``, and each extra."""
    project = tomllib.loads(read("pyproject.toml"))["project"]
    lists = {"base": project["dependencies"], **project["optional-dependencies"]}
    return {name: [Requirement(line) for line in lines] for name, lines in lists.items()}


def pins() -> dict[str, Requirement]:
    lines = (line for line in read("constraints.txt").splitlines() if line and not line.startswith("#"))
    return {canonicalize_name(pin.name): pin for pin in map(Requirement, lines)}


def tracked_files() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: nothing says which files belong to the project")
    command = [git, "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, check=True, capture_output=True).stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def local_paths(text: str) -> list[str]:
    return [line for line in text.splitlines() if LOCAL_PATH.search(line)]


def third_party(file: Path) -> Iterator[str]:
    """Yield the packages that a file imports at any depth, without the standard library and the project itself."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module]
        for top in {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - {"monai_feat"}:
            yield canonicalize_name(IMPORT_TO_PACKAGE.get(top, top))


def test_version_agrees_with_the_changelog() -> None:
    releases = re.findall(r"^## \[(\d[^\]]*)\]", read("CHANGELOG.md"), re.MULTILINE)
    assert releases, "CHANGELOG.md has no heading of the form ## [1.2.3]"
    assert releases[0] == monai_feat.__version__


def test_metadata_reads_the_version_from_the_package() -> None:
    command = [sys.executable, "setup.py", "--version"]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert printed.split()[-1] == monai_feat.__version__


def test_the_citation_is_of_this_version() -> None:
    assert yaml.safe_load(read("CITATION.cff"))["version"] == monai_feat.__version__


def test_importing_the_package_is_light() -> None:
    code = "import sys, monai_feat; sys.exit('torch' in sys.modules or 'monai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("requirement", sorted({r.name for lines in requirements().values() for r in lines}))
def test_every_requirement_has_a_reason(requirement: str) -> None:
    rows = re.findall(r"^\| `([^`]+)` \| *(.*?) *\|", read("CONTRIBUTING.md"), re.MULTILINE)
    assert dict(rows).get(requirement), f"CONTRIBUTING.md has no row | `{requirement}` | reason |"


@pytest.mark.parametrize("requirement", [r for name in ("base", "dev") for r in requirements()[name]], ids=str)
def test_what_ci_installs_is_pinned_within_its_range(requirement: Requirement) -> None:
    pin = pins().get(canonicalize_name(requirement.name))
    assert pin is not None, f"constraints.txt does not pin {requirement.name}"
    (version,) = [spec.version for spec in pin.specifier if spec.operator == "=="]
    assert version in requirement.specifier


def test_constraints_are_exact_and_name_no_place() -> None:
    for pin in pins().values():
        assert pin.url is None
        assert [spec.operator for spec in pin.specifier] == ["=="], f"{pin} is not an exact pin"
    assert not {"torchvision", "timm"} & pins().keys(), "torchvision and timm must not be pulled in"


@pytest.mark.parametrize("file", LIBRARY_FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_library_imports_only_what_it_declares(file: Path) -> None:
    undeclared = set(third_party(file)) - {canonicalize_name(r.name) for r in requirements()["base"]}
    assert not undeclared, f"{sorted(undeclared)} are not dependencies; take extras by monai's optional_import"


@pytest.mark.parametrize("file", PUBLIC_FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_public_module_has_a_docstring(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))), "say in one sentence what is in here"


def test_every_source_file_has_the_licence_header() -> None:
    sources = [str(file.relative_to(ROOT)) for file in tracked_files() if file.suffix == ".py"]
    without = [name for name in sources if not read(name).startswith(HEADER)]
    assert not without, f"these start without the two-line header: {without}"


def test_no_tracked_file_names_a_local_path() -> None:
    found = []
    for file in tracked_files():
        try:
            lines = local_paths(file.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue
        found += [f"{file.relative_to(ROOT)}: {line.strip()}" for line in lines]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("place", ["work", "root", "home", "Users"])
def test_a_local_path_is_found(place: str) -> None:
    assert local_paths(f"load('/{place}/someone/clip.mp4')")
    assert not local_paths(f"https://example.org/{place}/page and my/{place}/x and <{place}>")
