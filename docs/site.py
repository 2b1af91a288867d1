# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What the site shows beside the pages in this folder: README, changelog, bundles, and a page of each package.

MkDocs calls the functions whose names begin with ``on_``. Links between files become links between pages.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = "monai_feat"
PAGES = {
    "index.md": "README.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "security.md": "SECURITY.md",
}
SCHEMA = "record_schema.json"
ELSEWHERE = {
    **{source: page for page, source in PAGES.items()},
    f"{LIBRARY}/records/{SCHEMA}": SCHEMA,
}
_LINK = re.compile(r"(?<=\]\()(?P<path>[\w./-]+\.(?:md|json|png))(?=[#)])")


def on_config(config: Any) -> Any:
    """Put bundles and packages into the navigation."""
    places = {name: pages for section in config.nav for name, pages in section.items()}
    places["Bundles"] += sorted(_bundles())
    places["Reference"] += [{name: page} for page, name in sorted(_packages())]
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that lie elsewhere, or are made here."""
    texts = {page: (ROOT / source).read_text(encoding="utf-8") for page, source in PAGES.items()}
    texts |= {page: source.read_text(encoding="utf-8") for page, source in _bundles().items()}
    texts |= {page: _reference(name) for page, name in _packages()}
    texts[SCHEMA] = (ROOT / LIBRARY / "records" / SCHEMA).read_text(encoding="utf-8")
    for page, text in texts.items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links between files of the repository into links between pages."""
    return _LINK.sub(lambda match: _target(match["path"]), markdown)


def _target(path: str) -> str:
    inside = path.removeprefix("../")
    return ELSEWHERE.get(inside, inside.removeprefix("docs/"))


def _bundles() -> dict[str, Path]:
    """The texts of the bundles by their pages."""
    return {f"{file.parents[1].name}.md": file for file in ROOT.glob("bundles/*/docs/README.md")}


def _packages() -> Iterator[tuple[str, str]]:
    """Yield page and name of every package of the library that offers something."""
    for file in sorted((ROOT / LIBRARY).rglob("__init__.py")):
        name = ".".join(file.relative_to(ROOT).parent.parts)
        if _offered(file):
            yield f"{name}.md", name


def _offered(file: Path) -> list[str]:
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return [name for name in ast.literal_eval(node.value) if not name.startswith("__")]
    return []


def _reference(name: str) -> str:
    folder = ROOT.joinpath(*name.split("."))
    below = {each for file in folder.glob("*/**/__init__.py") for each in _offered(file)}  # on pages of their own
    members = [each for each in _offered(folder / "__init__.py") if each not in below]
    lines = [
        f"# {name}",
        "",
        f"::: {name}",
        "    options:",
        "      members:",
        *(f"        - {each}" for each in members),
    ]
    return "\n".join(lines) + "\n"
