# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch

from monai_feat.data import write_mp4
from monai_feat.doctor.identifiers.containers import look_at_video
from tests.monai_feat.doctor.identifiers import planted


def test_what_we_write_says_nothing(tmp_path: Path) -> None:
    write_mp4(torch.zeros(3, 4, 32, 32, dtype=torch.uint8), tmp_path / "a.mp4", 10)
    assert look_at_video(tmp_path / "a.mp4").found == ()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mp4 location", "location"),
        ("mkv comment", "COMMENT"),
        ("mp4 xmp", "uuid"),
        ("mp4 unused space", "unused space"),
    ],
)
def test_tags_and_boxes_are_named_whatever_the_file_is_called(tmp_path: Path, name: str, said: str) -> None:
    path = planted.plant(tmp_path, name)
    found = look_at_video(path).found
    assert said in "; ".join(found)
    assert planted.WHO not in "; ".join(found)
    assert look_at_video(path.rename(path.with_suffix(".bin"))).found == found


def test_what_cannot_be_opened_is_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video")
    assert look_at_video(tmp_path / "a.mp4").unseen == ("its metadata (InvalidDataError)",)
