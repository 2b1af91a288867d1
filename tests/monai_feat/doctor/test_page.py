# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import torch

from monai_feat.doctor.diagnosis import ClipExam, Diagnosis, Finding
from monai_feat.doctor.page import render_page


class Outline(HTMLParser):
    """Collects tags and outside references; raises on a tag that is closed out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "img", "link"):
            self.open.append(tag)
        self.references += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def diagnosis(name: str = "a.mp4", number: int = 1) -> Diagnosis:
    clip = ClipExam(name, "fold 0", "p1", frames=9, looked_at=9, frame_rate=25.0, size=(72, 96))
    clip.previews = [torch.full((36, 48, 3), 90, dtype=torch.uint8)] * 3
    found = tuple(Finding("burnt_in_text", "2 regions look like text", (0,), ((8, 8, 24, 60),)) for _ in range(number))
    return Diagnosis((clip,), found, 0.12)


def test_the_page_is_whole_and_needs_nothing_else() -> None:
    page = render_page(diagnosis(), "list.json")
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert outline.tags.count("img") == 6  # of the finding, and of the clip
    assert all(reference.startswith(("data:", "#")) for reference in outline.references)
    assert "width=device-width" in page
    assert not re.search(r"https?://", page)


def test_names_are_escaped() -> None:
    page = render_page(diagnosis('<img src=x onerror="alert(1)">.mp4'), "<b>list</b>")
    assert "<img src=x" not in page
    assert "<b>list" not in page


def test_the_page_forbids_requests_and_shows_no_control_characters() -> None:
    page = render_page(diagnosis("a\x1b[2J\u202egnp.mp4\udcff"), "list\x00.json")
    assert "default-src 'none'" in html.unescape(page)
    assert not set("\x1b\u202e\x00\udcff") & set(page)
    page.encode("utf-8")


def test_clips_and_counts_are_there_even_if_nothing_was_found() -> None:
    found = diagnosis(number=0)
    page = render_page(found, "list.json")
    assert page.count("<img") == 3
    cells = re.findall(r"<t[dh][^>]*>([^<]*)</t[dh]>", page)
    assert cells[cells.index("fold 0") :][:6] == ["fold 0", "1", "1", "9", "25", "96 × 72"]


def test_clips_with_one_finding_alike_stand_together() -> None:
    clips = tuple(ClipExam(f"{name}.mp4", "fold 0", "p1", frames=9) for name in "ab")
    found = tuple(Finding("metadata", "tags date", (number,)) for number in range(2))
    page = render_page(Diagnosis(clips, found, 0.12), "list.json")
    assert page.count("tags date") == 1
    assert "2 errors, 0 warnings" in page


def test_many_findings_keep_the_page_light() -> None:
    page = render_page(diagnosis(number=500), "list.json")
    assert "… and 440 more; the JSON report lists all." in page
    assert len(page) < 1_000_000
    assert "500 errors, 0 warnings" in page
