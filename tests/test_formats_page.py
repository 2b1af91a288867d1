# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The page of formats names every ending that is read, and for every row a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monai_feat.data.suffixes import ARRAY_SUFFIXES, STILL_SUFFIXES, VIDEO_SUFFIXES

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """Cells of the first table below a heading, without its head."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return lines[2:]


def test_every_ending_that_is_read_is_on_the_page() -> None:
    listed = {f".{ending}" for row in rows("Read") for ending in re.split(r"[ ,]+", row[1])}
    assert not {*VIDEO_SUFFIXES, *STILL_SUFFIXES, *ARRAY_SUFFIXES} - listed


@pytest.mark.parametrize("heading", ["Read", "Refused, and why"])
def test_every_row_names_a_test_that_is_there(heading: str) -> None:
    found = rows(heading)
    assert len(found) > 10
    for row in found:
        named = re.findall(r"`([\w/]+\.py)`", row[-1])
        assert named, f"{row[0]}: no test is named"
        assert not [name for name in named if not (ROOT / "tests/monai_feat/data" / name).is_file()], row[0]
