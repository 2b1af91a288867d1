# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from monai_feat.data import write_mp4
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.video_container import file_status, opened, pictures


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    write_mp4((torch.rand(3, 12, 32, 48) * 255).byte(), tmp_path / "a.mp4", 10)
    return tmp_path / "a.mp4"


def test_pictures_come_in_order_and_none_of_before_the_start(clip: Path) -> None:
    with opened(clip) as (container, stream):
        stamps = [picture.pts for picture in pictures(container, stream)]
    assert len(stamps) == 12
    assert stamps == sorted(stamps)
    with opened(clip) as (container, stream):
        assert [picture.pts for picture in pictures(container, stream, stamps[0])] == stamps


def test_names_are_no_patterns_and_no_protocols(clip: Path) -> None:
    for name in ("a%03d.mp4", "concat:b.mp4"):
        with opened(clip.rename(clip.with_name(name))) as (container, stream):
            assert len(list(pictures(container, stream))) == 12
        clip = clip.with_name(name)


def test_why_a_file_cannot_be_opened_is_said(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.mp4").write_bytes(clip.read_bytes()[:64])
    (tmp_path / "list.m3u8").write_text(f"#EXTM3U\n#EXTINF:1,\n{clip}\n")
    (tmp_path / "empty.mp4").touch()
    os.mkfifo(tmp_path / "pipe.mp4")
    for name, said in {"cut.mp4": "is a truncated mp4", "list.m3u8": "is not a video or image"}.items():
        with pytest.raises(VideoReadError, match=f"{name}: {said}"), opened(tmp_path / name):
            pass
    for name, said in {"empty.mp4": "is empty", "pipe.mp4": "is a pipe", "none.mp4": "cannot be opened"}.items():
        with pytest.raises(VideoReadError, match=f"{name}: {said}"):
            file_status(tmp_path / name)
