# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The pages that people read: each is in the navigation of the site, and no link leads nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("bundles/*/docs/README.md")]
MADE = {"index.md", "changelog.md", "contributing.md", "security.md"}  # by docs/site.py
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def navigation() -> Iterator[str]:
    content = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    pending = list(content["nav"])
    while pending:
        entry = pending.pop()
        if isinstance(entry, dict):
            pending += [each for pages in entry.values() for each in pages]
        else:
            yield entry


def anchor(heading: str) -> str:
    kept = re.sub(r"[^\w\s-]", "", heading.replace("`", "")).strip().lower()
    return re.sub(r"[-\s]+", "-", kept)


def dead_links(page: Path) -> Iterator[str]:
    for path, part in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        target = page.parent / path if path else page
        if not target.exists():
            yield f"{page.name}: {path}"
        elif part:
            headings = re.findall(r"^#+ +(.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            if part not in {anchor(heading) for heading in headings}:
                yield f"{page.name}: {path}#{part}"


def test_every_page_is_in_the_navigation_once() -> None:
    found = sorted(navigation())
    assert found == sorted({page.name for page in ROOT.glob("docs/*.md")} | MADE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_leads_nowhere(page: Path) -> None:
    assert not list(dead_links(page))


def test_dead_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# One `word`, two\n")
    page = tmp_path / "page.md"
    page.write_text("[a](there.md#one-word-two) [b](there.md#three) [c](gone.md) `[d](code.md)`\n")
    assert list(dead_links(page)) == ["page.md: there.md#three", "page.md: gone.md"]
