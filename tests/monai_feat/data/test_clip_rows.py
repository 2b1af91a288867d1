# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from monai_feat.data.clip_rows import ClipRow
from monai_feat.data.datalist import DatalistError


def test_lines_about_one_clip_are_joined_and_classes_that_differ_are_none() -> None:
    first = ClipRow("a.mp4", "m.png", "p1", "ill", "TRAIN")
    assert first.joined(first, "t.csv") == first
    other = ClipRow("a.mp4", "m.png", "p1", "well", "TRAIN")
    assert first.joined(other, "t.csv") == other.joined(first, "t.csv") == ClipRow("a.mp4", "m.png", "p1", "", "TRAIN")


@pytest.mark.parametrize(("name", "value"), [("group", "p2"), ("split", "TEST")])
def test_two_groups_or_two_sides_are_refused(name: str, value: str) -> None:
    first = ClipRow("a.mp4", group="p1", split="TRAIN")
    other = ClipRow("a.mp4", **{"group": "p1", "split": "TRAIN", name: value})
    with pytest.raises(DatalistError, match=rf"t\.csv, line 3: lines about one clip say {name} '.*' and '{value}'"):
        first.joined(other, "t.csv, line 3")
