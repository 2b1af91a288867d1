# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch

from monai_feat.visualize import (
    Cell,
    IntervalRow,
    Line,
    Page,
    bullets,
    clip_player,
    clip_set,
    definitions,
    interval_plot,
    line_panel,
    notice,
    paragraph,
    table,
)
from tests.monai_feat.visualize.browser import Visit, headless_browser

EVIL = '<script>alert("1")</script>'
LONG = "x" * 300


class Checker(HTMLParser):
    """Follows a page tag by tag: each that was opened is closed, and in turn."""

    VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += attrs
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with headless_browser() as found:
        yield found


def full_page() -> Page:
    """One of everything, with names that try to break out and words that do not fit a phone."""
    page = Page(f"Title {EVIL}", f"subtitle {EVIL}")
    page.opening(notice("alarm", f"Heading {EVIL}", paragraph(EVIL), bullets([EVIL, LONG])))
    rows = [[EVIL, Cell("1", EVIL), LONG], ["b", "2", "c"]]
    page.section(f"Table {EVIL}", table({"a": "text", "b": "number", EVIL: "wide"}, rows, EVIL, faded=[1]))
    page.section("Plots", interval_plot([IntervalRow(EVIL, 1.0, (0.5, 2.0), note=LONG)], LONG, EVIL))
    page.section(
        "Plots", line_panel([Line(EVIL, (0.0, 1.0), (0.0, 1.0))], EVIL, EVIL), definitions({EVIL: EVIL, LONG: LONG})
    )
    clips = torch.randint(0, 255, (2, 3, 4, 16, 16), dtype=torch.uint8)
    page.section("Clips", clip_set([clip_player(clip, 10.0, EVIL, LONG) for clip in clips], EVIL, abreast=True))
    return page


def test_a_page_is_well_formed_and_nothing_breaks_out() -> None:
    page = full_page().render()
    seen = Checker(page).seen
    assert seen.count("script") == 1, "a name became a script"
    assert seen.count("h1") == seen.count("title") == seen.count("main") == 1
    assert "alert" in page
    assert page.startswith('<!doctype html>\n<html lang="en">')


def test_headings_are_reached_from_the_contents() -> None:
    attributes = Checker(full_page().render()).attributes
    ids = [value for name, value in attributes if name == "id"]
    links = [value for name, value in attributes if name == "href" and (value or "").startswith("#")]
    assert len(ids) == len(set(ids)) == 4
    assert [f"#{value}" for value in ids] == links
    assert ids[1:3] == ["plots", "plots-2"]


def test_the_policy_allows_the_script_of_the_page_and_no_other() -> None:
    page = full_page().render()
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert f"script-src &#x27;sha256-{digest}&#x27;" in policy
    assert policy.startswith("default-src &#x27;none&#x27;; img-src data:;")


def test_a_page_names_no_address() -> None:
    assert not re.findall(r"https?:|//[a-z]|url\(|@import", re.sub(r"base64,[^\"]*", "", full_page().render()))


def test_the_least_page_has_no_contents() -> None:
    seen = Checker(Page("Nothing").render()).seen
    assert "nav" not in seen
    assert "section" not in seen


def test_a_row_of_another_length_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"'caption': expected 2 cells in each row, rows \[1\] have others"):
        table({"a": "text", "b": "number"}, [["1", "2"], ["1"]], "caption")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_page_fits_the_screen_and_asks_for_nothing(browser: Any, tmp_path: Path, width: int, scheme: str) -> None:
    file = tmp_path / "page.html"
    file.write_text(full_page().render(), encoding="utf-8")
    with Visit(browser, file, width, color_scheme=scheme) as visit:
        assert visit.overflow() == 0
        assert not visit.foreign_requests
        assert not visit.complaints
        pictures = "[...document.images].every(image => image.complete && image.naturalWidth > 0 && image.alt)"
        assert visit.page.evaluate(pictures)


def test_ink_stands_out_from_paper_in_both_schemes(browser: Any, tmp_path: Path) -> None:
    """Contrast of text as WCAG 2 defines it, at least 4.5 (level AA)."""
    file = tmp_path / "page.html"
    file.write_text(full_page().render(), encoding="utf-8")
    script = """() => ['body', '.subtitle', 'figcaption', 'a', 'button', 'td small', '.faded td'].map(name => {
        const style = getComputedStyle(document.querySelector(name));
        return [name, style.color, getComputedStyle(document.body).backgroundColor] })"""
    for scheme in ("light", "dark"):
        with Visit(browser, file, color_scheme=scheme) as visit:
            for name, ink, paper in visit.page.evaluate(script):
                first, second = sorted((luminance(ink), luminance(paper)))
                assert (second + 0.05) / (first + 0.05) >= 4.5, f"{name} in the {scheme} scheme: {ink} on {paper}"


def luminance(colour: str) -> float:
    channels = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
