# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch

from monai_feat.data import write_mp4
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.video_index import FrameIndex, frame_index, index_by_packets


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    write_mp4((torch.arange(3 * 40 * 32 * 48) % 251).to(torch.uint8).reshape(3, 40, 32, 48), tmp_path / "a.mp4", 10)
    return tmp_path / "a.mp4"


def test_the_index_holds_what_was_written(clip: Path) -> None:
    index = frame_index(clip)
    assert (index.frames, index.height, index.width, index.codec) == (40, 32, 48, "h264")
    assert index.frame_rate == pytest.approx(10)
    assert frame_index(clip) is index


def test_the_last_keyframe_before_a_frame() -> None:
    index = FrameIndex(20, 10, 32, 48, "h264", range(20), keyframes=(0, 7, 12))
    assert [index.keyframe_before(i) for i in (0, 6, 7, 11, 19)] == [0, 0, 7, 7, 12]


def test_a_change_of_the_file_is_noticed(clip: Path) -> None:
    assert frame_index(clip).frames == 40
    write_mp4(torch.zeros(3, 7, 32, 48, dtype=torch.uint8), clip, 10)
    assert frame_index(clip).frames == 7


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoReadError, match="is a folder"):
        frame_index(tmp_path)
    with pytest.raises(VideoReadError, match="cannot be opened"):
        frame_index(tmp_path / "none.mp4")


def test_the_table_at_the_head_says_what_all_packets_say(clip: Path) -> None:
    by_table, by_packets = frame_index(clip), index_by_packets(clip)
    assert list(by_table.times) == list(by_packets.times)
    assert by_table.frame_rate == pytest.approx(by_packets.frame_rate)
    for frame in range(40):
        assert by_table.keyframe_before(frame) == by_packets.keyframe_before(frame)


def test_where_what_was_before_decides_decoding_starts_at_the_first_frame() -> None:
    index = FrameIndex(20, 10, 32, 48, "rawvideo", range(20), keyframes=tuple(range(20)), must_start_at_first=True)
    assert {index.keyframe_before(i) for i in range(20)} == {0}
